/**
 * Patterns of paths. A pattern is read once into states, one for each part between its slashes; a path is then gone through once, name by
 * name, with the set of states that it may be in. So no pattern can take more time than the product of both lengths, and `Path.glob` can
 * see at each directory whether anything below it could match.
 */
import { describeValue } from "../core/arguments.ts";
import { expandBraces, type Token } from "./glob-tokens.ts";

/** A part of a pattern: `**`, or what a name must be. */
type Part = "**" | NamePattern;

interface NamePattern {
  /** The name itself, if only that one matches. */
  readonly literal: string | null;
  readonly tokens: readonly Token[];
}

/** Where in the pattern one may be: positions of parts that have yet to match. */
export type GlobState = readonly number[];

/** What a name leads to. */
export interface GlobStep {
  /** Whether the path up to this name matches. */
  readonly matched: boolean;
  /** For the names below it; empty if none can match. */
  readonly next: GlobState;
}

/** A pattern that was read. */
export class Glob {
  /** For the first name. */
  readonly start: GlobState;
  /** All ways to read the pattern, one behind the other, each with `null` at its end. */
  readonly #parts: (Part | null)[] = [];

  /** @throws TypeError, RangeError if `pattern` is none. */
  constructor(where: string, pattern: string) {
    if (typeof pattern !== "string")
      throw new TypeError(`${where}: got ${describeValue(pattern)}, needs a pattern: a string`);
    const refuse = (why: string): RangeError =>
      new RangeError(`${where}: got ${describeValue(pattern)}, ${why}`);
    const start = new Set<number>();
    for (const tokens of expandBraces(pattern, refuse)) {
      const first = this.#parts.length;
      this.#parts.push(...partsOf(tokens, refuse), null);
      this.#reach(first, start);
    }
    this.start = [...start];
  }

  /** Whether a pattern matches nothing but what is below `/`. */
  get isAbsolute(): boolean {
    return this.start.some((at) => (this.#parts[at] as NamePattern).literal === "");
  }

  /** Goes on by one name; `""` stands for the root. */
  step(state: GlobState, name: string): GlobStep {
    const next = new Set<number>();
    let matched = false;
    for (const at of state) {
      const part = this.#parts[at] as Part;
      const isLast = this.#parts[at + 1] === null;
      if (part !== "**" && !matchesName(part, name)) continue;
      if (isLast) matched = true;
      if (part === "**") this.#reach(at, next);
      else if (!isLast) this.#reach(at + 1, next);
    }
    return { matched, next: [...next] };
  }

  /** Adds a part, and those behind it that may be next as well, since `**` can stand for no name. */
  #reach(at: number, state: Set<number>): void {
    for (; !state.has(at); at += 1) {
      state.add(at);
      if (this.#parts[at] !== "**" || this.#parts[at + 1] === null) return;
    }
  }
}

/** Whether all of a path, as text, matches. */
export function matchesGlob(pattern: string, text: string): boolean {
  const glob = new Glob("Path.matches", pattern);
  let step: GlobStep = { matched: false, next: glob.start };
  for (const name of namesOf(text)) {
    if (step.next.length === 0) return false;
    step = glob.step(step.next, name);
  }
  return step.matched;
}

/** The names of a path; the root's is `""`. */
function namesOf(text: string): readonly string[] {
  if (text === ".") return [];
  return text === "/" ? [""] : text.split("/");
}

function partsOf(tokens: readonly Token[], refuse: (why: string) => RangeError): Part[] {
  const groups: Token[][] = [[]];
  for (const token of tokens) {
    if (token === "/") groups.push([]);
    else groups.at(-1)?.push(token);
  }
  if (groups.length === 2 && tokens.length === 1) groups.pop();
  return groups.map((group, index) => {
    const isRoot = index === 0 && tokens[0] === "/";
    const part = partOf(group);
    if (part === "**" || isRoot) return part;
    if (part.literal === "") throw refuse("needs a name on each side of a slash");
    if (part.literal === "." || part.literal === "..")
      throw refuse(`needs names: "${part.literal}" is none`);
    return part;
  });
}

function partOf(tokens: readonly Token[]): Part {
  if (tokens.length === 2 && tokens.every((token) => token === "*")) return "**";
  let literal: string | null = "";
  for (const token of tokens)
    literal =
      typeof token === "object" && "is" in token && literal !== null ? literal + token.is : null;
  return { literal, tokens };
}

/**
 * Whether a name matches. Each `*` first takes nothing, and one character more each time that the rest does not fit; when the next `*` is
 * reached, those before it are settled, so there is nothing to go back to but the last.
 */
function matchesName({ literal, tokens }: NamePattern, name: string): boolean {
  if (literal !== null) return name === literal;
  if (name === "") return false;
  const characters = Array.from(name);
  let star = -1;
  let taken = 0;
  let at = 0;
  let token = 0;
  while (at < characters.length) {
    const wanted = tokens[token];
    if (wanted === "*") {
      star = token;
      taken = at;
      token += 1;
    } else if (wanted !== undefined && matchesCharacter(wanted, characters[at] as string)) {
      token += 1;
      at += 1;
    } else if (star >= 0) {
      taken += 1;
      at = taken;
      token = star + 1;
    } else return false;
  }
  return tokens.slice(token).every((rest) => rest === "*");
}

function matchesCharacter(token: Exclude<Token, "*">, character: string): boolean {
  if (token === "?") return true;
  if (token === "/") return false;
  if ("is" in token) return token.is === character;
  const code = character.codePointAt(0) as number;
  const isIn = token.ranges.some(([first, last]) => first <= code && code <= last);
  return isIn !== token.isNegated;
}
