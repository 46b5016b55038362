import { NotSupportedError } from "arborio";
import { type CompressorOptions, createCompressor } from "arborio/lowlevel";

/** Content codings that this library writes, by their names in HTTP (RFC 9110 §8.4.1, RFC 7932, RFC 8878). */
export type ContentCoding = "br" | "zstd" | "gzip";

/** The codings, in the order of what is usually best for what is compressed while it is sent. */
export const CONTENT_CODINGS: readonly ContentCoding[] = ["br", "zstd", "gzip"];

/**
 * Whether this runtime can compress so. Node has zstd since 22.15, browsers have gzip alone.
 *
 * @throws RangeError if there is no such coding, or it has no such level.
 */
export function isSupported(coding: ContentCoding, options: CompressorOptions): boolean {
  try {
    createCompressor(coding, options).close();
    return true;
  } catch (error) {
    if (error instanceof NotSupportedError) return false;
    throw error;
  }
}
