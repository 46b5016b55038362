import { CR, LF, SPACE, TAB, TOKEN_BYTES, VALUE_BYTES } from "./characters.ts";
import type { ProtocolLimits } from "./limits.ts";

/**
 * The fast way through field lines that came whole, are plain ASCII and break no rule: one look at each byte. Whatever else there is, it
 * gives up, and the lines are read one by one, which finds out what is wrong. So it may only accept what that would accept, and give the
 * same: tests compare them.
 */

/** Numbers for each field: where its name begins and ends, where its value begins and ends. */
const MARKS = 4;

/** Fields that the fast way takes at most. */
const FIELDS_MAX = 128;

const COLON = 58;

/** Scratch of `scanFields`: it is used up before any other parser runs. */
const marks = new Int32Array(FIELDS_MAX * MARKS);
let count = 0;

/**
 * Looks at field lines up to the empty line.
 *
 * @param base Position of the first byte of the head.
 * @param at Position of the first field line.
 * @returns Position behind the empty line; -1: not the fast way.
 */
export function scanFields(
  bytes: Uint8Array,
  base: number,
  at: number,
  end: number,
  limits: ProtocolLimits,
): number {
  const headEnd = Math.min(end, base + limits.headBytesMax);
  const marksMax = MARKS * Math.min(FIELDS_MAX, limits.fieldsMax);
  let found = 0;
  while (at < headEnd && bytes[at] !== CR) {
    const lineStart = at;
    while (TOKEN_BYTES[bytes[at] as number] === 1) at++;
    if (bytes[at] !== COLON || at === lineStart || found >= marksMax) return -1;
    marks[found] = lineStart - base;
    marks[found + 1] = at - base;
    at++;
    while (bytes[at] === SPACE || bytes[at] === TAB) at++;
    const valueStart = at;
    marks[found + 2] = at - base;
    while (VALUE_BYTES[bytes[at] as number] === 1) at++;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return -1;
    if (at - lineStart > limits.fieldLineBytesMax) return -1;
    let valueEnd = at;
    while (valueEnd > valueStart && bytes[valueEnd - 1] === SPACE) valueEnd--;
    if (valueEnd > valueStart && bytes[valueEnd - 1] === TAB) return -1;
    marks[found + 3] = valueEnd - base;
    found += MARKS;
    at += 2;
  }
  count = found;
  return at + 1 < headEnd && bytes[at + 1] === LF ? at + 2 : -1;
}

/** The fields that `scanFields` found, out of the text of the head. */
export function scannedFields(text: string): string[] {
  const fields: string[] = [];
  for (let at = 0; at < count; at += 2) {
    fields[at >> 1] = text.slice(marks[at], marks[at + 1]);
  }
  return fields;
}
