/** What a pattern is made of, when braces are gone. */
export type Token =
  | "*"
  | "?"
  | "/"
  /** This character. */
  | { readonly is: string }
  /** One of these characters, by the numbers of their code points, or any other. */
  | { readonly ranges: readonly (readonly [number, number])[]; readonly isNegated: boolean };

/** Makes the error for a pattern. */
type Refuse = (why: string) => RangeError;

/** No path is longer, in bytes. */
const PATTERN_CHARACTERS_MAX = 4096;

/** So many readings of one pattern; each brace multiplies them. */
const READINGS_MAX = 1000;

/** Everything that a pattern with braces may mean: of `a{b,c}` it is `ab` and `ac`. @throws what `refuse` makes if it is no pattern. */
export function expandBraces(pattern: string, refuse: Refuse): readonly (readonly Token[])[] {
  const characters = Array.from(pattern);
  if (characters.length === 0 || characters.length > PATTERN_CHARACTERS_MAX)
    throw refuse(`needs 1 to ${PATTERN_CHARACTERS_MAX} characters`);
  /** Readings so far; for each open brace those before it, and those of its alternatives that have ended. */
  let readings: Token[][] = [[]];
  const open: { readonly before: Token[][]; readonly ended: Token[][] }[] = [];
  for (let at = 0; at < characters.length;) {
    const character = characters[at] as string;
    const brace = open.at(-1);
    at += 1;
    if (character === "{") {
      open.push({ before: readings, ended: [] });
      readings = [[]];
    } else if (character === "," && brace !== undefined) {
      brace.ended.push(...readings);
      readings = [[]];
    } else if (character === "}") {
      if (brace === undefined) throw refuse(unpaired("}", "{"));
      readings = combine(brace.before, [...brace.ended, ...readings], refuse);
      open.pop();
    } else {
      const [token, next] = tokenAt(characters, at - 1, refuse);
      for (const reading of readings) reading.push(token);
      at = next;
    }
  }
  if (open.length > 0) throw refuse(unpaired("{", "}"));
  return readings;
}

function combine(before: Token[][], behind: Token[][], refuse: Refuse): Token[][] {
  if (before.length * behind.length > READINGS_MAX)
    throw refuse(`needs fewer braces: they stand for more than ${READINGS_MAX} patterns`);
  return before.flatMap((first) => behind.map((second) => [...first, ...second]));
}

/** The token at a place, and the place behind it. */
function tokenAt(characters: readonly string[], at: number, refuse: Refuse): [Token, number] {
  const character = characters[at] as string;
  if (character === "*" || character === "?" || character === "/") return [character, at + 1];
  if (character === "[") return classAt(characters, at + 1, refuse);
  const [is, next] = literalAt(characters, at, refuse);
  return [{ is }, next];
}

function literalAt(characters: readonly string[], at: number, refuse: Refuse): [string, number] {
  const isEscaped = characters[at] === "\\";
  const is = characters[isEscaped ? at + 1 : at];
  if (is === undefined) throw refuse('needs a character behind the last "\\"');
  if (is === "/") throw refuse('needs a name between slashes: "/" cannot be a part of one');
  return [is, isEscaped ? at + 2 : at + 1];
}

/** What is in brackets. A `]` at their start is a character like others. */
function classAt(characters: readonly string[], start: number, refuse: Refuse): [Token, number] {
  const isNegated = characters[start] === "!" || characters[start] === "^";
  const first = isNegated ? start + 1 : start;
  const ranges: [number, number][] = [];
  for (let at = first; at < characters.length;) {
    if (characters[at] === "]" && at > first) return [{ ranges, isNegated }, at + 1];
    if (characters[at] === "[" && characters[at + 1] === ":")
      throw refuse(
        'needs ranges such as [a-z]: there are no classes with names; write "[" as "\\["',
      );
    const [from, behind] = literalAt(characters, at, refuse);
    at = behind;
    let to = from;
    if (characters[at] === "-" && characters[at + 1] !== "]" && at + 1 < characters.length)
      [to, at] = literalAt(characters, at + 1, refuse);
    const range: [number, number] = [from.codePointAt(0) as number, to.codePointAt(0) as number];
    if (range[0] > range[1]) throw refuse(`needs a range upwards: "${from}-${to}" goes down`);
    ranges.push(range);
  }
  throw refuse(unpaired("[", "]"));
}

function unpaired(one: string, other: string): string {
  return `needs a "${other}" for each "${one}"; the character itself is written "\\${one}"`;
}
