import { parseAcceptEncoding, type Preference } from "./accept.ts";

/** How much `identity` is wanted if nobody speaks of it: it is acceptable, and less than anything that is named. */
const IDENTITY_UNNAMED = 0.0005;

/**
 * The content codings that a client takes, out of those there are, the best first: by the client's weights, and among equals by
 * the order of `available`, `"identity"` after them. Decides by RFC 9110 §12.5.3, with one difference: a client that sends no
 * `Accept-Encoding` would take anything, but is given the plain bytes, since those that say nothing mostly know nothing.
 *
 * @param field the value of `Accept-Encoding`, `null` if there is none. Members that are malformed are passed over.
 * @param available the codings there are, in lower case, the server's favourite first. `"identity"` need not be among them.
 * @returns those that are acceptable. Without `"identity"` the client refuses plain bytes; empty: nothing will do.
 *
 * @example
 * ```ts
 * import { preferredEncodings } from "@arborio/http";
 *
 * const best = preferredEncodings("gzip;q=0.8, br", ["zstd", "br", "gzip"]);
 * console.assert(best.join() === "br,gzip,identity");
 * ```
 */
export function preferredEncodings(field: string | null, available: readonly string[]): string[] {
  if (field === null) return ["identity"];
  const preferences = parseAcceptEncoding(field);
  const others = preferences.find(({ value }) => value === "*")?.quality;
  const qualityOf = (coding: string): number =>
    preferences.find((preference) => isSame(preference, coding))?.quality ??
    others ??
    (coding === "identity" ? IDENTITY_UNNAMED : 0);
  return [...available.filter((coding) => coding !== "identity"), "identity"]
    .map((coding) => ({ coding, quality: qualityOf(coding) }))
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ coding }) => coding);
}

/** `x-gzip` is `gzip` (RFC 9110 §8.4.1.3). */
function isSame({ value }: Preference, coding: string): boolean {
  return value === coding || (coding === "gzip" && value === "x-gzip");
}
