import { createCompressor } from "../../codec/compressor.ts";
import { createDecompressor } from "../../codec/decompressor.ts";
import { compressNowait, decompressNowait } from "../../codec/whole-message.ts";
import type { CompressionFormat } from "../../platform/compression.ts";
import { expect, type Probe, type ProbeArea } from "./probe.test.kit.ts";

const FORMATS: readonly CompressionFormat[] = ["gzip", "deflate", "deflate-raw", "br", "zstd"];

const MESSAGE: Uint8Array = Uint8Array.from({ length: 5000 }, (_, index) => index % 251);

export const compression: ProbeArea = {
  title: "Compression",
  simulated: false,
  probes: [...FORMATS.map(asStream), ...FORMATS.map(atOnce)],
};

function asStream(format: CompressionFormat): Probe {
  return {
    feature: `\`createCompressor\`, \`createDecompressor\`: \`"${format}"\``,
    async check() {
      using compressor = createCompressor(format);
      using decompressor = createDecompressor(format);
      const bytes: number[] = [];
      for (const piece of await compressor.finish(MESSAGE)) {
        for (const part of await decompressor.transform(piece)) bytes.push(...part);
      }
      for (const part of await decompressor.finish()) bytes.push(...part);
      expectMessage(bytes);
    },
  };
}

function atOnce(format: CompressionFormat): Probe {
  return {
    feature: `\`compressNowait\`, \`decompressNowait\`: \`"${format}"\``,
    check: async () => expectMessage(decompressNowait(format, compressNowait(format, MESSAGE))),
  };
}

function expectMessage(bytes: Iterable<number>): void {
  const isSame = String([...bytes]) === String([...MESSAGE]);
  expect(isSame, "other bytes come back than were compressed");
}
