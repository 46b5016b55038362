import { preferredEncodings } from "../negotiation/preferred-encodings.ts";
import { openRegular, type RegularFile } from "./open-regular.ts";

/** Formats in which a file may lie next to itself. */
export type PrecompressedFormat = "br" | "zstd" | "gzip";

const EXTENSIONS: Readonly<Record<PrecompressedFormat, string>> = {
  br: ".br",
  zstd: ".zst",
  gzip: ".gz",
};

const ALL: readonly PrecompressedFormat[] = ["br", "zstd", "gzip"];

/** A file that is the compressed form of another. */
export interface CompressedFile extends RegularFile {
  /** The value of `Content-Encoding`. */
  readonly coding: string;
}

/** The formats that are asked for; none for `false`. */
function formatsOf(precompressed: boolean | readonly PrecompressedFormat[]): readonly string[] {
  if (precompressed === true) return ALL;
  return precompressed === false ? [] : precompressed;
}

/** @throws RangeError if there is no such format. */
export function requireFormats(
  where: string,
  precompressed: boolean | readonly PrecompressedFormat[] | undefined,
): void {
  if (precompressed === undefined || typeof precompressed === "boolean") return;
  for (const format of precompressed) {
    if (!ALL.includes(format)) {
      throw new RangeError(
        `${where}({ precompressed }): got ${JSON.stringify(format)}, needs one of ${ALL.join(", ")}`,
      );
    }
  }
}

/**
 * The form of a file that the client likes best, open; `null` if that is the file itself. A sibling must lie next to it and be a
 * regular file: a link could lead out of what is served (CVE-2024-42367). One that cannot be read is not there.
 *
 * @param real path without links.
 */
export async function precompressedSibling(
  request: Request,
  real: string,
  precompressed: boolean | readonly PrecompressedFormat[],
): Promise<CompressedFile | null> {
  const formats = formatsOf(precompressed);
  if (formats.length === 0) return null;
  for (const coding of preferredEncodings(request.headers.get("accept-encoding"), formats)) {
    if (coding === "identity") return null;
    const path = real + EXTENSIONS[coding as PrecompressedFormat];
    const opened = await openRegular(path, { withoutLinks: true });
    if (typeof opened !== "number") return { ...opened, coding };
  }
  return null;
}
