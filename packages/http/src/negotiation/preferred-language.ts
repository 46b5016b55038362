import { parseAcceptLanguage, type Preference } from "./accept.ts";

/**
 * The language that a client likes best, out of those there are (RFC 9110 §12.5.4). A range fits the tags that it begins: `de` fits
 * `de-AT` (RFC 4647 §3.3.1). If that finds none, a tag fits the ranges that it begins: `de` is given to who wants `de-AT` (§3.4).
 *
 * @param field the value of `Accept-Language`, `null` if there is none: then everything is welcome. Members that are malformed are
 *   passed over.
 * @param available language tags, the server's favourite first.
 * @returns one of `available`, as it was given; `undefined` if none fits: better to send some language than an error.
 *
 * @example
 * ```ts
 * import { preferredLanguage } from "@arborio/http";
 *
 * console.assert(preferredLanguage("de-AT, en;q=0.5", ["en", "de"]) === "de");
 * ```
 */
export function preferredLanguage<T extends string>(
  field: string | null,
  available: readonly T[],
): T | undefined {
  if (field === null) return available[0];
  const ranges = parseAcceptLanguage(field);
  if (ranges.length === 0) return available[0];
  const refused = (tag: string): boolean =>
    ranges.some((range) => range.quality === 0 && begins(range.value, tag));
  return (
    bestOf(available, (tag) => filtered(tag, ranges)) ??
    bestOf(available, (tag) => (refused(tag) ? 0 : lookedUp(tag, ranges)))
  );
}

function bestOf<T extends string>(
  tags: readonly T[],
  qualityOf: (tag: string) => number,
): T | undefined {
  let best: T | undefined;
  let bestQuality = 0;
  for (const tag of tags) {
    const quality = qualityOf(tag.toLowerCase());
    if (quality <= bestQuality) continue;
    best = tag;
    bestQuality = quality;
  }
  return best;
}

/** The weight of the longest range that begins the tag. `*` begins all, and is the shortest. */
function filtered(tag: string, ranges: readonly Preference[]): number {
  let longest = -1;
  let quality = 0;
  for (const range of ranges) {
    const length = range.value === "*" ? 0 : range.value.length;
    if (length <= longest || !(range.value === "*" || begins(range.value, tag))) continue;
    longest = length;
    quality = range.quality;
  }
  return quality;
}

/** The weight of the range that is wanted most among those that the tag begins. */
function lookedUp(tag: string, ranges: readonly Preference[]): number {
  const fitting = ranges.filter(({ value }) => begins(tag, value));
  return Math.max(0, ...fitting.map(({ quality }) => quality));
}

function begins(beginning: string, tag: string): boolean {
  return tag === beginning || tag.startsWith(`${beginning}-`);
}
