import { NotSupportedError } from "arborio";
import { type CompressionFormat, type CompressorOptions, createCompressor } from "arborio/lowlevel";
import { trimSpace } from "../protocol/characters.ts";

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

const FORMATS: Readonly<Record<string, CompressionFormat>> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
  br: "br",
  zstd: "zstd",
};

/** The codings that a `Content-Encoding` names, in lower case, in the order in which they were applied; `identity` is none. */
export function codingNames(field: string | null): string[] {
  return (field ?? "")
    .split(",")
    .map((name) => trimSpace(name).toLowerCase())
    .filter((name) => name !== "" && name !== "identity");
}

/** The format of a coding, by its name in lower case; `undefined` if it is not known. What is called `deflate` may be raw. */
export function formatOf(name: string): CompressionFormat | undefined {
  return Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
}
