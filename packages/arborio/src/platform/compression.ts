import type { Completion } from "./network.ts";

/** Compression of a backend. */
export interface Compression {
  /** The formats that this runtime has. */
  readonly formats: readonly CompressionFormat[];
  /** Makes a compressor or a decompressor. */
  open(settings: CodecSettings): Codec;
  /**
   * Compresses or decompresses a whole message at once; for small ones, since the program stands still meanwhile. `ending` is
   * what is done at the end of what is compressed, or expected at the end of what is decompressed.
   *
   * @throws CompressionError if the input is not good, or the result would be larger than `outputBytesMax`.
   */
  convert(
    settings: CodecSettings,
    input: Uint8Array,
    ending: "sync" | "finish",
    outputBytesMax: number,
  ): Uint8Array;
}

/** A compressor or decompressor. */
export interface Codec {
  /**
   * Hands input over, and says what is to be done after it: nothing yet; all that it means is to be put out; it is the last.
   * Called only when `read` has told that the input before is used up. Until then `input` is not changed.
   */
  write(input: Uint8Array, ending: CodecEnding): void;
  /**
   * Succeeds with the next piece of output, at least one byte, which belongs to the receiver; with `null` when the input is used
   * up and `ending` is done. Works on only when asked, apart from a few pieces ahead. One at a time. Fails with a
   * `CompressionError`; then there is only `close`.
   */
  read(completion: Completion<Uint8Array | null>): void;
  /** Whether a decompressor has come to the end of what it decompresses, as far as that is known already. */
  readonly ended: boolean;
  /** Forgets everything, as if it were new. Called only when the input is used up. */
  reset(): void;
  /** Gives the memory back, at once or when what runs has ended. A `read` that runs is not told of anything any more. */
  close(): void;
}

/** What is to be done after an input. */
export type CodecEnding = "none" | "sync" | "finish";

/** `"deflate"` is the format of zlib (RFC 1950), `"deflate-raw"` the bare one (RFC 1951). */
export type CompressionFormat = "gzip" | "deflate" | "deflate-raw" | "br" | "zstd";

/** How to compress or decompress. */
export interface CodecSettings {
  /** Which way. */
  readonly direction: "compress" | "decompress";
  /** Of what is compressed. */
  readonly format: CompressionFormat;
  /** Of a compressor; `undefined`: a good one for what is sent at once. */
  readonly level: number | undefined;
  /** Base-two logarithm of the window of the deflate formats. */
  readonly windowBits: number | undefined;
  /** Of a decompressor: whether what follows the end is passed over instead of being an error. */
  readonly ignoresTrailing: boolean;
  /** Of a decompressor: so many members of gzip or frames of zstd may follow one another, more are too large. Default: any number. */
  readonly membersMax?: number;
}
