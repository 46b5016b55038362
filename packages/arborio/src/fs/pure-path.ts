import { describeValue, requireFlag, requireKnown, requireOptions } from "../core/arguments.ts";
import { brandPath } from "../platform/path-text.ts";
import { matchesGlob } from "./glob.ts";
import { type PathLike, toPath } from "./system-path.ts";

/** Options of `relativeTo`. */
export interface RelativeToOptions {
  /** Whether the way may lead up first, by `..`. Default `false`. */
  readonly walkUp?: boolean;
}

const RELATIVE_TO_OPTIONS = { walkUp: true } as const;

/**
 * A path as text: what can be told of it without looking at any file. `Path` adds the files.
 *
 * It never changes: what looks like a change gives a new path, of the same class. Double slashes, `.` in the middle and a slash at the end
 * mean nothing, and are dropped; `..` stays, since it means something else behind a link: see `normalize`. The empty path is `.`, the
 * working directory. Paths are those of Unix, separated by `/`, whatever else is in a name.
 *
 * Counterpart: `pathlib.PurePosixPath`.
 *
 * @example
 * ```ts
 * import { PurePath } from "arborio/fs";
 *
 * const path = new PurePath("/srv", "data.tar.gz");
 * console.assert(path.stem === "data.tar" && path.suffix === ".gz");
 * console.assert(String(path.parent) === "/srv");
 * ```
 */
export class PurePath {
  /** The path as text, as the system is given it; the same as `String(path)`. */
  readonly text: string;

  /**
   * A path made of parts, one behind the other. An absolute part begins anew: what stands before it does not count. So a part that
   * somebody else has chosen may lead anywhere, as one with `..` may; `isRelativeTo` on real paths tells.
   *
   * @throws TypeError if a part is none.
   * @throws RangeError if a part has a NUL or half a surrogate pair, which are in no name, or is a URL that is no path of this machine.
   */
  constructor(...parts: readonly PathLike[]) {
    let text = "";
    for (const part of parts) {
      const next = toPath("Path", part);
      text = next.startsWith("/") || text === "" ? next : `${text}/${next}`;
    }
    this.text = tidy(text);
  }

  /**
   * Compares two paths part by part, each by UTF-16 code units: the order in which `walk` goes. For `sort`.
   *
   * @returns less than 0 if `a` comes first, more if `b` does, 0 if they are the same.
   */
  static compare(this: void, a: PurePath, b: PurePath): number {
    const others = b.parts;
    for (const [index, part] of a.parts.entries()) {
      const other = others[index];
      if (other === undefined) return 1;
      if (part !== other) return part < other ? -1 : 1;
    }
    return a.parts.length - others.length;
  }

  /** What it is made of: `["/", "srv", "data"]`, `["srv", "data"]`; of `.` nothing. */
  get parts(): readonly string[] {
    if (this.text === ".") return [];
    if (!this.text.startsWith("/")) return this.text.split("/");
    return this.text === "/" ? ["/"] : ["/", ...this.text.slice(1).split("/")];
  }

  /** Whether it begins at the root, so that the working directory does not matter. */
  get isAbsolute(): boolean {
    return this.text.startsWith("/");
  }

  /** The last part; `""` of `/` and `.`. */
  get name(): string {
    return this.text === "." ? "" : this.text.slice(this.text.lastIndexOf("/") + 1);
  }

  /** The name from its last dot on, with it: `".gz"`. `""` if there is none but those at the start, as of `.profile`. */
  get suffix(): string {
    const { name } = this;
    const dot = name.lastIndexOf(".");
    return dot > firstLetter(name) ? name.slice(dot) : "";
  }

  /** All suffixes: `[".tar", ".gz"]`. */
  get suffixes(): readonly string[] {
    const { name } = this;
    const [, ...suffixes] = name.slice(firstLetter(name)).split(".");
    return suffixes.map((suffix) => `.${suffix}`);
  }

  /** The name without its `suffix`. */
  get stem(): string {
    return this.name.slice(0, this.name.length - this.suffix.length);
  }

  /** What it is in, as the text says: of `/` and `.` themselves, of `..` it is `.`. */
  get parent(): this {
    const slash = this.text.lastIndexOf("/");
    if (slash > 0) return this.#make(this.text.slice(0, slash));
    return this.#make(slash === 0 ? "/" : ".");
  }

  /** All that it is in, the nearest first, up to `/` or `.`. */
  get parents(): readonly this[] {
    const found: this[] = [];
    let last = this.text;
    for (let next = this.parent; next.text !== last; next = next.parent) {
      found.push(next);
      last = next.text;
    }
    return found;
  }

  /** This path and `parts` behind it, by the rules of the constructor: an absolute part begins anew. */
  join(...parts: readonly PathLike[]): this {
    return this.#make(new PurePath(this, ...parts).text);
  }

  /**
   * With another name.
   *
   * @throws RangeError if `name` is none, or this path has none to replace: `/`, `.`, and what ends in `..`.
   */
  withName(name: string): this {
    return this.#rename("withName", name);
  }

  /** With another stem, and the same suffix. @throws RangeError as `withName`. */
  withStem(stem: string): this {
    if (typeof stem !== "string")
      throw new TypeError(`Path.withStem: got ${describeValue(stem)}, needs a string`);
    return this.#rename("withStem", stem + this.suffix);
  }

  /**
   * With another suffix, or one more if there was none.
   *
   * @param suffix `".txt"`, or `""` for none.
   * @throws RangeError if it does not begin with a dot; as `withName`.
   */
  withSuffix(suffix: string): this {
    if (typeof suffix !== "string")
      throw new TypeError(`Path.withSuffix: got ${describeValue(suffix)}, needs a string`);
    if (suffix !== "" && !suffix.startsWith("."))
      throw new RangeError(`Path.withSuffix: got ${describeValue(suffix)}, needs ".txt", or ""`);
    return this.#rename("withSuffix", this.stem + suffix);
  }

  /** Whether it is `other`, or below it, as the texts say; links and `..` are not resolved: ask real paths where it matters. */
  isRelativeTo(other: PathLike): boolean {
    const above = new PurePath(other);
    const { parts } = this;
    if (above.isAbsolute !== this.isAbsolute) return false;
    return above.parts.every((part, index) => part === parts[index]);
  }

  /**
   * The way from `other` to this path, as the texts say.
   *
   * @throws RangeError if it is not below `other`, and, with `walkUp`, if nobody can tell: one of them is absolute and the other not, or the
   *   way would lead up through a `..` of `other`.
   */
  relativeTo(other: PathLike, options: RelativeToOptions = {}): this {
    requireOptions("Path.relativeTo(other, options)", options, "{ walkUp: true }");
    requireKnown("Path.relativeTo", options, RELATIVE_TO_OPTIONS);
    const { walkUp = false } = options;
    requireFlag("Path.relativeTo({ walkUp })", walkUp);
    const base = new PurePath(other);
    const up: string[] = [];
    for (let at = base; ; at = at.parent) {
      if (this.isRelativeTo(at)) {
        return this.#make([...up, ...this.parts.slice(at.parts.length)].join("/"));
      }
      if (!walkUp || at.name === ".." || at.name === "") break;
      up.push("..");
    }
    const needs = walkUp ? "needs one to which a way is known" : `needs one above ${this.text}`;
    throw new RangeError(`Path.relativeTo: got ${base.text}, ${needs}`);
  }

  /**
   * Without `..`, as far as there is something before it. By text alone: where that is a link, the new path leads elsewhere; `realPath`
   * asks the system.
   */
  normalize(): this {
    const kept: string[] = [];
    for (const part of this.parts) {
      const last = kept.at(-1);
      if (part !== ".." || last === undefined || last === "..") kept.push(part);
      else if (last !== "/") kept.pop();
    }
    return this.#make(new PurePath(...kept).text);
  }

  /**
   * Whether all of the path matches a pattern; only an absolute pattern, or one that begins with `**`, matches absolute paths.
   *
   * | pattern | matches |
   * | --- | --- |
   * | `*` | any characters within a name |
   * | `?` | one character |
   * | `[a-z_]`, `[!a-z]` | one of these characters, or any other |
   * | `{a,b/*}` | either |
   * | `**` | as a whole part: any number of names, none too; at the end at least one |
   * | `\*` | the character itself |
   *
   * Names that begin with a dot are like others. Upper and lower case differ. It takes no longer than the product of both lengths.
   *
   * @throws RangeError if `pattern` is none; the message says why.
   *
   * Counterpart: `PurePath.full_match`.
   */
  matches(pattern: string): boolean {
    return matchesGlob(pattern, this.text);
  }

  /** Whether `other` is the same path, as text. */
  equals(other: PathLike): boolean {
    return new PurePath(other).text === this.text;
  }

  /**
   * The `file:` URL of it.
   *
   * @throws RangeError if it is not absolute, or has `..`, which a URL cannot keep.
   */
  toUrl(): URL {
    if (!this.isAbsolute || this.parts.includes(".."))
      throw new RangeError(`Path.toUrl: got ${this.text}, needs an absolute path without ".."`);
    return new URL(`file://${this.text.split("/").map(encodeURIComponent).join("/")}`);
  }

  /** `text`: so `String(path)` gives it. */
  toString(): string {
    return this.text;
  }

  /** `text`. */
  toJSON(): string {
    return this.text;
  }

  static {
    brandPath(this.prototype);
  }

  #rename(method: string, name: string): this {
    if (this.name === "" || this.name === "..")
      throw new RangeError(`Path.${method}: got the path ${this.text}, needs one with a name`);
    const isName = typeof name === "string" && !name.includes("/");
    if (!isName || name === "" || name === "." || name === "..")
      throw new RangeError(`Path.${method}: got ${describeValue(name)}, needs the name of a file`);
    return this.#make(new PurePath(this.parent, name).text);
  }

  #make(text: string): this {
    return new (this.constructor as new (text: string) => this)(text);
  }
}

/** Without what means nothing. */
function tidy(text: string): string {
  if (!/\/\/|(^|\/)\.(\/|$)|.\/$/s.test(text)) return text === "" ? "." : text;
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  if (text.startsWith("/")) return `/${parts.join("/")}`;
  return parts.length === 0 ? "." : parts.join("/");
}

/** Where the first character is that is no dot; dots before it begin no suffix. */
function firstLetter(name: string): number {
  let at = 0;
  while (name[at] === ".") at += 1;
  return at;
}
