/** What a netrc says of one machine, or of all others. */
export interface NetrcEntry {
  /** Name of the machine in lower case; `null`: of all that have no entry (`default`). */
  readonly machine: string | null;
  /** `null`: none is said. */
  readonly login: string | null;
  /** Likewise. */
  readonly password: string | null;
  /** For hosts that want a further password; not for HTTP. */
  readonly account: string | null;
}

/** As whom to ask a host. */
export interface NetrcCredentials {
  /** Name of the user. */
  readonly user: string;
  /** In clear text. */
  readonly password: string;
}

/** Characters of a file at most. A line for each of ten thousand machines is less. */
const TEXT_CHARACTERS_MAX = 1_048_576;

type Field = "login" | "password" | "account";

/** Words that begin a value; `user` is said in place of `login` by some. */
const FIELDS: ReadonlyMap<string, Field> = new Map([
  ["login", "login"],
  ["user", "login"],
  ["password", "password"],
  ["account", "account"],
]);

/**
 * Reads a netrc file, in which programs find user and password for hosts: `machine`, `default`, `login`, `password`, `account`,
 * `macdef`, which is passed over, comments from `#` to the end of the line where a word may stand, and values in quotes with escapes by
 * `\`.
 *
 * @throws SyntaxError if it breaks the grammar. It tells the line, and nothing that stands there: a password with a space in it, but not
 *   in quotes, looks like a wrong word.
 * @throws RangeError if it has more than 1,048,576 characters.
 *
 * Counterpart: Python's `netrc`, curl's `--netrc`. As with curl, `\` escapes in quotes only; as with Python, of two logins of one entry
 * the last counts.
 *
 * @example
 * ```ts
 * import { netrcCredentials, parseNetrc } from "@arborio/http/protocol";
 *
 * const entries = parseNetrc("machine example.org login me password secret\ndefault login anonymous password me@here");
 * console.assert(netrcCredentials(entries, "example.org")?.password === "secret");
 * console.assert(netrcCredentials(entries, "example.net")?.user === "anonymous");
 * ```
 */
export function parseNetrc(text: string): NetrcEntry[] {
  if (text.length > TEXT_CHARACTERS_MAX) {
    throw new RangeError(
      `netrc: got ${text.length} characters, needs ${TEXT_CHARACTERS_MAX} at most`,
    );
  }
  const words = new NetrcWords(text);
  const entries: { -readonly [Name in keyof NetrcEntry]: NetrcEntry[Name] }[] = [];
  for (let word = words.keyword(); word !== null; word = words.keyword()) {
    const field = FIELDS.get(word);
    if (field !== undefined) {
      const entry = entries.at(-1);
      if (entry === undefined) throw words.error(`${word} stands before any machine`);
      entry[field] = words.value(word);
    } else if (word === "machine" || word === "default") {
      const machine = word === "machine" ? words.value(word).toLowerCase() : null;
      entries.push({ machine, login: null, password: null, account: null });
    } else if (word === "macdef") {
      words.value(word);
      words.skipMacro();
    } else {
      throw words.error(
        "a word that is none of machine, default, login, user, password, account and macdef; a value with a space or a quote in it needs to stand in quotes",
      );
    }
  }
  return entries;
}

/**
 * What a netrc has for a host.
 *
 * @param host A name, without regard to case, or an address; without port.
 * @param user Who it has to be, as where the URL tells it. Default: anybody.
 * @returns of the first entry for that host, else of the first for all others; `null` if there is none, or it has neither login nor
 *   password.
 */
export function netrcCredentials(
  entries: readonly NetrcEntry[],
  host: string,
  user: string | null = null,
): NetrcCredentials | null {
  const name = host.toLowerCase();
  const isWanted = ({ login }: NetrcEntry): boolean =>
    user === null || login === null || login === user;
  const entry =
    entries.find((one) => one.machine === name && isWanted(one)) ??
    entries.find((one) => one.machine === null && isWanted(one));
  if (entry === undefined || (entry.login === null && entry.password === null)) return null;
  return { user: entry.login ?? user ?? "", password: entry.password ?? "" };
}

/** Not all that Unicode has: a password may hold such a space. */
const SPACE = /[\t\n\r ]*/y;
const COMMENT = /#[^\n]*/y;
const WORD = /[^\t\n\r ]+/y;
const QUOTED = /"([^"\\\n\r]*(?:\\[^\n\r][^"\\\n\r]*)*)"(?![^\t\n\r ])/y;
const LINE = /[^\n]*(?:\n|$)/y;

/** The words of a netrc, one after the other. */
class NetrcWords {
  readonly #text: string;
  #at = 0;
  /** Where the word stands that was taken last. */
  #wordAt = 0;

  constructor(text: string) {
    this.#text = text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  /** The next word that is in no comment; `null` at the end. */
  keyword(): string | null {
    do this.#match(SPACE);
    while (this.#match(COMMENT) !== null);
    this.#wordAt = this.#at;
    return this.#match(WORD)?.[0] ?? null;
  }

  /** The word or quoted text that follows. */
  value(keyword: string): string {
    this.#match(SPACE);
    if (this.#at === this.#text.length) throw this.error(`${keyword} without a value`);
    this.#wordAt = this.#at;
    if (this.#text[this.#at] !== '"') return this.#match(WORD)?.[0] as string;
    const quoted = this.#match(QUOTED)?.[1];
    if (quoted === undefined) {
      throw this.error("a quoted value that does not end in its line, or has something behind it");
    }
    return quoted.replace(/\\(.)/gu, "$1");
  }

  /** Up to behind the next empty line. */
  skipMacro(): void {
    this.#match(LINE);
    while (this.#at < this.#text.length) {
      const line = this.#match(LINE)?.[0] as string;
      if (line === "\n" || line === "\r\n") return;
    }
  }

  /** The error for the word that was taken last. */
  error(what: string): SyntaxError {
    const line = this.#text.slice(0, this.#wordAt).split("\n").length;
    return new SyntaxError(`netrc, line ${line}: ${what}`);
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }
}
