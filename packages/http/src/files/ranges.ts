/** Byte ranges (RFC 9110 §14), decided purely. */
import { trimSpace } from "../protocol/characters.ts";

/** A part of a representation that has at least one byte. */
export interface ByteRange {
  /** Position of its first byte. */
  readonly start: number;
  /** Position behind its last byte. */
  readonly end: number;
}

/**
 * What to do with a `Range`: send these parts; `"unsatisfiable"`: none of what is asked for is there (416); `"ignore"`: send the whole,
 * since it is no range of bytes, breaks the grammar, or asks for too much.
 */
export type RangeDecision = readonly [ByteRange, ...ByteRange[]] | "unsatisfiable" | "ignore";

/** More ranges than this are ignored: nobody who reads a document asks for so many (RFC 9110 §14.2, §17.15). */
export const RANGES_MAX = 16;

/** More ranges than this that overlap others are an attack, or a broken client (RFC 9110 §14.2): the whole is sent. */
const OVERLAPS_MAX = 2;

/** Parts with less than this between them, in bytes, are sent as one: about what a part costs on its own. */
const GAP_BYTES = 80;

/** With more digits than this a number is beyond the end of everything; with fewer it is exact. */
const DIGITS_MAX = 15;

const UNIT = /^bytes=(.*)$/i;
const SPEC = /^(?:([0-9]+)-([0-9]*)|-([0-9]+))$/;

/**
 * Reads the value of `Range` for something of `size` bytes. Single ranges (`bytes=0-9`), open ones (`bytes=10-`), suffixes
 * (`bytes=-5`) and lists of them; parts that overlap, or nearly touch, become one, in the order in which they were asked for.
 *
 * @example
 * ```ts
 * import { parseRange } from "@arborio/http";
 *
 * console.assert(JSON.stringify(parseRange("bytes=-5", 100)) === '[{"start":95,"end":100}]');
 * console.assert(parseRange("bytes=100-", 100) === "unsatisfiable");
 * console.assert(parseRange("lines=1-2", 100) === "ignore");
 * ```
 */
export function parseRange(field: string, size: number): RangeDecision {
  const set = UNIT.exec(field)?.[1];
  if (set === undefined) return "ignore";
  const ranges: ByteRange[] = [];
  let specs = 0;
  for (const member of set.split(",", 2 * RANGES_MAX + 1)) {
    const spec = trimSpace(member);
    // Lists may have empty members (RFC 9110 §5.6.1.2).
    if (spec === "") continue;
    specs += 1;
    const range = specs > RANGES_MAX ? null : rangeOf(spec, size);
    if (range === null) return "ignore";
    if (range.start < range.end) ranges.push(range);
  }
  if (specs === 0) return "ignore";
  // The last bytes of nothing are nothing, which is all of it.
  if (size === 0 && set.split(",").some((member) => /^[ \t]*-/.test(member))) return "ignore";
  if (overlaps(ranges) > OVERLAPS_MAX) return "ignore";
  const [first, ...others] = coalesced(ranges);
  return first === undefined ? "unsatisfiable" : [first, ...others];
}

/** The part that is meant, cut at the end; empty if none of it is there; `null` if it breaks the grammar. */
function rangeOf(spec: string, size: number): ByteRange | null {
  const match = SPEC.exec(spec);
  if (match === null) return null;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) return { start: Math.max(0, size - numberOf(suffix)), end: size };
  const start = numberOf(first as string);
  if (last === undefined || last === "") return { start, end: size };
  const end = numberOf(last);
  if (end < start) return null;
  return { start, end: Math.min(end + 1, size) };
}

function numberOf(digits: string): number {
  const significant = digits.replace(/^0+/, "");
  return significant.length > DIGITS_MAX ? Infinity : Number(significant);
}

/** How many ranges overlap one that begins before them, or with them. */
function overlaps(ranges: readonly ByteRange[]): number {
  let count = 0;
  let end = 0;
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    if (range.start < end) count += 1;
    end = Math.max(end, range.end);
  }
  return count;
}

/** The parts with those joined that overlap or nearly touch, each where the first of them was asked for. */
function coalesced(ranges: readonly ByteRange[]): ByteRange[] {
  const sorted = ranges
    .map(({ start, end }, order) => ({ start, end, order }))
    .sort((a, b) => a.start - b.start);
  const joined: { start: number; end: number; order: number }[] = [];
  for (const range of sorted) {
    const before = joined.at(-1);
    if (before === undefined || range.start > before.end + GAP_BYTES) {
      joined.push(range);
    } else {
      before.end = Math.max(before.end, range.end);
      before.order = Math.min(before.order, range.order);
    }
  }
  return joined.sort((a, b) => a.order - b.order).map(({ start, end }) => ({ start, end }));
}
