import type { Compression, CompressionFormat } from "../../platform/compression.ts";
import { lazily } from "./builtin.ts";
import { NodeCodec } from "./node-codec.ts";
import { compressAll, CompressWork } from "./node-compressor.ts";
import { decompressAll, DecompressWork } from "./node-decompressor.ts";

const zlib = lazily("node:zlib");

const ALWAYS: readonly CompressionFormat[] = ["gzip", "deflate", "deflate-raw", "br"];

/** Compression through `node:zlib`. */
export const nodeCompression: Compression = {
  get formats(): readonly CompressionFormat[] {
    // Node has it since 22.15.
    return "createZstdCompress" in zlib() ? [...ALWAYS, "zstd"] : ALWAYS;
  },
  open(settings) {
    const Work = settings.direction === "compress" ? CompressWork : DecompressWork;
    return new NodeCodec((sink) => new Work(settings, sink));
  },
  convert(settings, input, ending, outputBytesMax) {
    if (settings.direction === "decompress")
      return decompressAll(settings, input, ending, outputBytesMax);
    return compressAll(settings, input, ending);
  },
};
