import { parseAccept, type Preference } from "./accept.ts";

/**
 * The media type that a client likes best, out of those there are (RFC 9110 §12.5.1): for each the most specific range counts, then the
 * highest weight wins, and among equals the first of `available`.
 *
 * @param field the value of `Accept`, `null` if there is none: then everything is welcome. Members that are malformed are passed over.
 * @param available media types, the server's favourite first; parameters (`"text/html;level=1"`) may be matched by ranges.
 * @returns one of `available`, as it was given; `undefined` if none is acceptable (406).
 *
 * @example JSON for programs, a page for people
 * ```ts
 * import { preferredType } from "@arborio/http";
 *
 * const type = preferredType("text/html, application/json;q=0.9", ["application/json", "text/html"]);
 * console.assert(type === "text/html");
 * ```
 */
export function preferredType<T extends string>(
  field: string | null,
  available: readonly T[],
): T | undefined {
  if (field === null) return available[0];
  const ranges = parseAccept(field);
  if (ranges.length === 0) return available[0];
  let best: T | undefined;
  let bestQuality = 0;
  for (const type of available) {
    const quality = qualityOf(type, ranges);
    if (quality <= bestQuality) continue;
    best = type;
    bestQuality = quality;
  }
  return best;
}

function qualityOf(type: string, ranges: readonly Preference[]): number {
  // One that is offered is written as one that is wanted.
  const [offer] = parseAccept(type);
  if (offer === undefined) return 0;
  let quality = 0;
  let most = -1;
  for (const range of ranges) {
    const specificity = specificityOf(offer, range);
    if (specificity <= most) continue;
    most = specificity;
    quality = range.quality;
  }
  return quality;
}

/** How closely a range fits what is offered; −1 if not at all. */
function specificityOf(offer: Preference, range: Preference): number {
  if (range.value === "*/*") return 0;
  if (range.value.endsWith("/*")) return offer.value.startsWith(range.value.slice(0, -1)) ? 1 : -1;
  if (range.value !== offer.value) return -1;
  const fits = range.parameters.every(([name, value]) =>
    offer.parameters.some(
      ([offered, its]) => offered === name && its.toLowerCase() === value.toLowerCase(),
    ),
  );
  return fits ? 2 + range.parameters.length : -1;
}
