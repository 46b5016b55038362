import type { CodecEnding, CodecSettings } from "../../platform/compression.ts";
import { lazily } from "./builtin.ts";
import {
  type CodecSink,
  type CodecWork,
  Pump,
  STREAM_OPTIONS,
  type ZlibStream,
} from "./node-codec.ts";

const zlib = lazily("node:zlib");

/** Brotli's own default, 11, is for what is compressed once and sent often: it takes 50 times as long. */
const BROTLI_LEVEL = 4;
/** 512 KiB, instead of 4 MiB for each compressor; what servers use for what they compress as they send. */
const BROTLI_WINDOW_BITS = 19;

/** Compresses with one stream of the runtime. */
export class CompressWork implements CodecWork {
  readonly #settings: CodecSettings;
  readonly #sink: CodecSink;
  #pump: Pump | null = null;
  /** Whether the stream flushes after every input by itself. */
  #flushesEach = false;

  constructor(settings: CodecSettings, sink: CodecSink) {
    this.#settings = settings;
    this.#sink = sink;
  }

  get ended(): boolean {
    return this.#pump?.ended ?? false;
  }

  start(input: Uint8Array, ending: CodecEnding): void {
    const pump = (this.#pump ??= this.#createPump(ending));
    const done = (): void => this.#sink.done();
    if (ending === "finish") {
      pump.end(input, done);
    } else if (ending === "none") {
      if (input.length === 0) queueMicrotask(done);
      else pump.write(input, done);
    } else if (input.length === 0) {
      pump.flush(flushKind(this.#settings), done);
    } else {
      pump.write(
        input,
        this.#flushesEach ? done : () => pump.flush(flushKind(this.#settings), done),
      );
    }
  }

  /** Who flushes after the first input will do so again, as WebSockets do: then one trip to a thread does both. */
  #createPump(ending: CodecEnding): Pump {
    this.#flushesEach = ending === "sync";
    const stream = createCompressStream(this.#settings, this.#flushesEach);
    const put = (output: Uint8Array): void => this.#sink.put(output);
    return new Pump(stream, put, (error) => this.#sink.fail(error));
  }

  pause(): void {
    this.#pump?.pause();
  }

  resume(): void {
    this.#pump?.resume();
  }

  reset(): void {
    const pump = this.#pump;
    if (pump === null) return;
    if (pump.ended || !hasReset(this.#settings)) {
      pump.close();
      this.#pump = null;
    } else {
      pump.reset();
    }
  }

  close(): void {
    this.#pump?.close();
  }
}

/** Streams of the other formats have the function too, and it does nothing or throws. */
function hasReset({ format }: CodecSettings): boolean {
  return format !== "br" && format !== "zstd";
}

function flushKind({ format }: CodecSettings): number {
  const { constants } = zlib();
  if (format === "br") return constants.BROTLI_OPERATION_FLUSH;
  return format === "zstd" ? constants.ZSTD_e_flush : constants.Z_SYNC_FLUSH;
}

function createCompressStream(settings: CodecSettings, flushesEach: boolean): ZlibStream {
  const options = {
    ...STREAM_OPTIONS,
    ...compressOptions(settings),
    ...(flushesEach ? { flush: flushKind(settings) } : {}),
  };
  switch (settings.format) {
    case "gzip":
      return zlib().createGzip(options);
    case "deflate":
      return zlib().createDeflate(options);
    case "deflate-raw":
      return zlib().createDeflateRaw(options);
    case "br":
      return zlib().createBrotliCompress(options);
    default:
      return zlib().createZstdCompress(options);
  }
}

/** Options for streams and whole messages alike. */
function compressOptions({ format, level, windowBits }: CodecSettings): object {
  const { constants } = zlib();
  if (format === "br") {
    return {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: level ?? BROTLI_LEVEL,
        [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
      },
    };
  }
  if (format === "zstd") {
    return level === undefined ? {} : { params: { [constants.ZSTD_c_compressionLevel]: level } };
  }
  return {
    ...(level === undefined ? {} : { level }),
    ...(windowBits === undefined ? {} : { windowBits }),
  };
}

/** A whole message, at once. */
export function compressAll(
  settings: CodecSettings,
  input: Uint8Array,
  ending: "sync" | "finish",
): Uint8Array {
  const options = {
    ...compressOptions(settings),
    ...(ending === "sync" ? { finishFlush: flushKind(settings) } : {}),
  };
  switch (settings.format) {
    case "gzip":
      return zlib().gzipSync(input, options);
    case "deflate":
      return zlib().deflateSync(input, options);
    case "deflate-raw":
      return zlib().deflateRawSync(input, options);
    case "br":
      return zlib().brotliCompressSync(input, options);
    default:
      return zlib().zstdCompressSync(input, options);
  }
}
