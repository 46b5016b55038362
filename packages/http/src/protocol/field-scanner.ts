import { SPACE, TAB, TOKEN_PATTERN } from "./characters.ts";
import { QUOTED_PATTERN, unquoted } from "./quoted.ts";

const TOKEN = new RegExp(TOKEN_PATTERN, "y");
const QUOTED = new RegExp(QUOTED_PATTERN, "y");

/**
 * Reads the value of a field from left to right, by the pieces of grammar that fields share (RFC 9110 §5.6). What is not there is not
 * taken, and the position stays; so each character is looked at a bounded number of times, whatever the value.
 */
export class FieldScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** Passes over spaces and tabs (OWS, BWS; RFC 9110 §5.6.3). @returns whether there were any. */
  skipSpace(): boolean {
    const start = this.#at;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== SPACE && code !== TAB) return this.#at > start;
      this.#at += 1;
    }
  }

  /** Passes over commas with the white space around them: empty members of lists mean nothing (RFC 9110 §5.6.1.2). */
  skipCommas(): void {
    do this.skipSpace();
    while (this.take(","));
  }

  /** Takes this character, if it is the next. */
  take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  /** Takes a token (RFC 9110 §5.6.2). */
  token(): string | null {
    return this.match(TOKEN);
  }

  /** Takes a quoted string, and gives what it says. */
  quoted(): string | null {
    const text = this.match(QUOTED);
    return text === null ? null : unquoted(text);
  }

  /** Takes what a pattern with the flag `y` matches. */
  match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return null;
    this.#at = pattern.lastIndex;
    return match[0];
  }
}
