import { CompressionError } from "../../core/errors.ts";
import type { CodecEnding, CodecSettings } from "../../platform/compression.ts";
import { lazily } from "./builtin.ts";
import { decompressError, type Framing, SingleFraming } from "./framing.ts";
import { GzipFraming } from "./gzip-format.ts";
import {
  type CodecSink,
  type CodecWork,
  Pump,
  STREAM_OPTIONS,
  type ZlibStream,
} from "./node-codec.ts";
import { ZstdFraming } from "./zstd-frames.ts";

const zlib = lazily("node:zlib");

/** 8 MiB: decompressors on the web must know windows up to this, and compressors keep to it (RFC 9659). */
const ZSTD_WINDOW_BITS_MAX = 23;

/**
 * A byte behind the end. A stream that has ended does not take it; one that takes it was truncated, which Deno does not tell of
 * Brotli (seen with 2.9).
 */
const PROBE: Uint8Array = new Uint8Array(1);

/** Decompresses with the runtime's streams, one after the other if the format has several parts. */
export class DecompressWork implements CodecWork {
  readonly #settings: CodecSettings;
  readonly #sink: CodecSink;
  #framing: Framing;
  #pump: Pump | null = null;
  #probing = false;
  /** Only trailing bytes can come, which are passed over. */
  #passesOver = false;

  constructor(settings: CodecSettings, sink: CodecSink) {
    this.#settings = settings;
    this.#sink = sink;
    this.#framing = createFraming(settings);
  }

  get ended(): boolean {
    return this.#passesOver || this.#framing.isOver;
  }

  start(input: Uint8Array, ending: CodecEnding): void {
    this.#continue(input, 0, ending);
  }

  #continue(input: Uint8Array, at: number, ending: CodecEnding): void {
    let range: readonly [number, number] | null;
    try {
      range = this.#passesOver ? null : nextOf(this.#framing, input, at, this.#settings);
    } catch (error) {
      this.#refuse(error as CompressionError, ending);
      return;
    }
    if (range === null) {
      this.#finish(ending);
      return;
    }
    const [from, to] = range;
    this.#openPump().write(input.subarray(from, to), (used) => {
      const isOver = this.#pump?.ended === true;
      // A stream that has ended takes nothing any more: the next part needs a new one.
      if (isOver) this.#pump = null;
      this.#framing.fed(isOver);
      this.#continue(input, from + used, ending);
    });
  }

  #refuse(error: CompressionError, ending: CodecEnding): void {
    if (error.reason === "trailing" && this.#settings.ignoresTrailing) {
      this.#passesOver = true;
      this.#finish(ending);
    } else {
      this.#sink.fail(error);
    }
  }

  /** The input is used up. */
  #finish(ending: CodecEnding): void {
    const isWhole = this.#passesOver || this.#framing.isWhole;
    if (ending !== "finish" || isWhole === true) {
      // Not before `start` has returned.
      queueMicrotask(() => this.#sink.done());
    } else if (isWhole === false) {
      this.#fail("truncated");
    } else {
      this.#probing = true;
      this.#openPump().write(PROBE, (used) => {
        if (used > 0 || this.#pump?.ended !== true) {
          this.#fail("truncated");
          return;
        }
        this.#framing.fed(true);
        this.#sink.done();
      });
    }
  }

  #openPump(): Pump {
    return (this.#pump ??= new Pump(
      createDecompressStream(this.#settings),
      (output) => {
        if (this.#probing) return;
        this.#framing.saw(output);
        this.#sink.put(output);
      },
      (error) => this.#fail(this.#probing ? "truncated" : "corrupt", error),
    ));
  }

  #fail(reason: "truncated" | "corrupt", cause?: Error): void {
    this.#sink.fail(decompressError(this.#settings.format, reason, cause));
  }

  pause(): void {
    this.#pump?.pause();
  }

  resume(): void {
    this.#pump?.resume();
  }

  reset(): void {
    this.#framing = createFraming(this.#settings);
    this.#passesOver = false;
    this.#probing = false;
    if (this.#settings.format === "deflate-raw" && this.#pump?.ended === false) this.#pump.reset();
    else this.close();
  }

  close(): void {
    this.#pump?.close();
    this.#pump = null;
  }
}

function createFraming({ format }: CodecSettings): Framing {
  if (format === "gzip") return new GzipFraming((bytes, before) => zlib().crc32(bytes, before));
  return format === "zstd" ? new ZstdFraming() : new SingleFraming(format);
}

/** Of gzip only the data in it, without header and trailer. */
function createDecompressStream({ format, windowBits }: CodecSettings): ZlibStream {
  const options = { ...STREAM_OPTIONS, ...windowOptions(windowBits) };
  switch (format) {
    case "gzip":
      return zlib().createInflateRaw(STREAM_OPTIONS);
    case "deflate":
      return zlib().createInflate(options);
    case "deflate-raw":
      return zlib().createInflateRaw(options);
    case "br":
      return zlib().createBrotliDecompress(STREAM_OPTIONS);
    default:
      return zlib().createZstdDecompress({ ...STREAM_OPTIONS, ...zstdOptions() });
  }
}

function windowOptions(windowBits: number | undefined): { windowBits?: number } {
  return windowBits === undefined ? {} : { windowBits };
}

function zstdOptions(): object {
  return { params: { [zlib().constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_BITS_MAX } };
}

/** What comes next, unless it is of one part too many. */
function nextOf(
  framing: Framing,
  input: Uint8Array,
  at: number,
  { format, membersMax = Infinity }: CodecSettings,
): readonly [number, number] | null {
  const range = framing.next(input, at);
  if (framing.begun > membersMax) throw decompressError(format, "too-large");
  return range;
}

/** A whole message, at once. */
export function decompressAll(
  settings: CodecSettings,
  input: Uint8Array,
  ending: "sync" | "finish",
  outputBytesMax: number,
): Uint8Array {
  const framing = createFraming(settings);
  const outputs: Uint8Array[] = [];
  let bytes = 0;
  let at = 0;
  try {
    for (;;) {
      const range = nextOf(framing, input, at, settings);
      if (range === null) break;
      const [from, to] = range;
      const part = convertPart(settings, input.subarray(from, to), ending, outputBytesMax - bytes);
      framing.saw(part.output);
      framing.fed(ending === "finish");
      outputs.push(part.output);
      bytes += part.output.length;
      at = from + part.used;
    }
  } catch (error) {
    const told = error instanceof CompressionError ? error : toCompressionError(settings, error);
    if (told.reason !== "trailing" || !settings.ignoresTrailing) throw told;
  }
  if (ending === "finish" && framing.isWhole !== true)
    throw decompressError(settings.format, "truncated");
  return outputs.length === 1 ? (outputs[0] as Uint8Array) : concat(outputs, bytes);
}

interface Part {
  readonly output: Uint8Array;
  /** How much of the input it took. */
  readonly used: number;
}

function convertPart(
  settings: CodecSettings,
  input: Uint8Array,
  ending: "sync" | "finish",
  outputBytesMax: number,
): Part {
  // The limit of the runtimes is at least 1.
  const options = { info: true as const, maxOutputLength: Math.max(outputBytesMax, 1) };
  const isProbed = settings.format === "br" && ending === "finish";
  const { buffer, engine } = isProbed
    ? decompressProbed(settings, input, options)
    : decompressPart(settings, input, ending, options);
  if (buffer.length > outputBytesMax) throw decompressError(settings.format, "too-large");
  return {
    output: new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength),
    used: engine.bytesWritten,
  };
}

function decompressProbed(settings: CodecSettings, input: Uint8Array, limits: Limits): WithEngine {
  const probed = concat([input, PROBE], input.length + PROBE.length);
  let result: WithEngine;
  try {
    result = decompressPart(settings, probed, "finish", limits);
  } catch (error) {
    if (toCompressionError(settings, error).reason !== "corrupt") throw error;
    // Perhaps it is the probe that does not fit.
    decompressPart(settings, input, "finish", limits);
    throw decompressError(settings.format, "truncated");
  }
  if (result.engine.bytesWritten > input.length)
    throw decompressError(settings.format, "truncated");
  return result;
}

interface Limits {
  readonly info: true;
  readonly maxOutputLength: number;
}

/** What the runtimes return with `info: true`. */
interface WithEngine {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

function decompressPart(
  { format, windowBits }: CodecSettings,
  input: Uint8Array,
  ending: "sync" | "finish",
  limits: Limits,
): WithEngine {
  const { constants } = zlib();
  const finishFlush = ending === "sync" ? { finishFlush: constants.Z_SYNC_FLUSH } : {};
  const options = { ...limits, ...finishFlush, ...windowOptions(windowBits) };
  const inflate = (result: unknown): WithEngine => result as WithEngine;
  switch (format) {
    case "gzip":
      return inflate(zlib().inflateRawSync(input, { ...limits, ...finishFlush }));
    case "deflate":
      return inflate(zlib().inflateSync(input, options));
    case "deflate-raw":
      return inflate(zlib().inflateRawSync(input, options));
    case "br": {
      const flush = ending === "sync" ? { finishFlush: constants.BROTLI_OPERATION_FLUSH } : {};
      return inflate(zlib().brotliDecompressSync(input, { ...limits, ...flush }));
    }
    default: {
      const flush = ending === "sync" ? { finishFlush: constants.ZSTD_e_flush } : {};
      return inflate(zlib().zstdDecompressSync(input, { ...limits, ...flush, ...zstdOptions() }));
    }
  }
}

function toCompressionError({ format }: CodecSettings, error: unknown): CompressionError {
  const { code } = (error ?? {}) as { code?: unknown };
  if (code === "ERR_BUFFER_TOO_LARGE") return decompressError(format, "too-large", error);
  return decompressError(format, code === "Z_BUF_ERROR" ? "truncated" : "corrupt", error);
}

function concat(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
