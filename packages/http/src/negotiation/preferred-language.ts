import { parseAcceptLanguage, type Preference } from "./accept.ts";

/**
 * The language that a client likes best, out of those there are (RFC 9110 §12.5.4). A range fits the tags that it begins: `de` fits
 * `de-AT` (RFC 4647 §3.3.1), the longest counts. A tag that no range fits is given to who wants something narrower: `de` to who wants
 * `de-AT` (§3.4). What is left has the weight of `*`.
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
  let best: T | undefined;
  let bestQuality = 0;
  for (const tag of available) {
    const quality = qualityOf(tag.toLowerCase(), ranges);
    if (quality <= bestQuality) continue;
    best = tag;
    bestQuality = quality;
  }
  return best;
}

function qualityOf(tag: string, ranges: readonly Preference[]): number {
  const fitting = ranges.filter(({ value }) => begins(value, tag));
  if (fitting.length > 0)
    return fitting.reduce((a, b) => (b.value.length > a.value.length ? b : a)).quality;
  const wider = ranges.filter(({ value, quality }) => begins(tag, value) && quality > 0);
  if (wider.length > 0) return Math.max(...wider.map(({ quality }) => quality));
  return ranges.find(({ value }) => value === "*")?.quality ?? 0;
}

function begins(beginning: string, tag: string): boolean {
  return tag === beginning || tag.startsWith(`${beginning}-`);
}
