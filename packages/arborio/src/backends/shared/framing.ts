import { CompressionError, type CompressionFailure } from "../../core/errors.ts";
import type { CompressionFormat } from "../../platform/compression.ts";

/** What is in a stream of compressed data beside the data that the runtime decompresses. */
export interface Framing {
  /**
   * Where, from `at` on, the data is that comes next; `null` if there is no more in this input. What is no data is read here.
   *
   * @throws CompressionError if it is wrong; with the reason `"trailing"` if it follows the end.
   */
  next(input: Uint8Array, at: number): readonly [from: number, to: number] | null;
  /** The runtime has taken what it wanted of the data that `next` told; `ended`: its stream has come to an end. */
  fed(ended: boolean): void;
  /** Sees what comes out. */
  saw(output: Uint8Array): void;
  /** Whether all that came so far is a whole; `undefined`: only the runtime's stream knows. */
  readonly isWhole: boolean | undefined;
  /** How many parts have begun in what `next` was given. */
  readonly begun: number;
  /** Whether nothing but trailing bytes can follow. */
  readonly isOver: boolean;
}

const TEXTS: Readonly<Record<CompressionFailure, string>> = {
  corrupt: "the data is damaged, or not in this format",
  truncated: "the data ends too early",
  trailing: "something follows the end of the data",
  "too-large": "the data holds more than was allowed",
};

/** The library's error for data that cannot be decompressed. */
export function decompressError(
  format: CompressionFormat,
  reason: CompressionFailure,
  cause?: unknown,
): CompressionError {
  const options = cause === undefined ? {} : { cause };
  return new CompressionError(`decompress ${format}: ${TEXTS[reason]}`, reason, options);
}

/** Formats of which the runtime finds the end, and there is one: zlib, raw deflate, Brotli. */
export class SingleFraming implements Framing {
  readonly #format: CompressionFormat;
  readonly begun = 1;
  isOver = false;

  constructor(format: CompressionFormat) {
    this.#format = format;
  }

  get isWhole(): boolean | undefined {
    return this.isOver ? true : undefined;
  }

  next(input: Uint8Array, at: number): readonly [number, number] | null {
    if (at === input.length) return null;
    if (this.isOver) throw decompressError(this.#format, "trailing");
    return [at, input.length];
  }

  fed(ended: boolean): void {
    this.isOver = ended;
  }

  saw(): void {}
}
