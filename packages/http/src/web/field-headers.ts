import type { FieldList } from "../protocol/message.ts";
import { firstField, isName } from "./field-names.ts";
import { requireFieldName, requireFieldValue } from "./field-rules.ts";
import { actAs } from "./platform-class.ts";

/**
 * `Headers` as a view over a flat list of fields: nothing is copied, sorted or lower-cased before somebody asks. `instanceof
 * Headers` holds. Of the platform's it differs in that control characters are refused in values (RFC 9110 §5.5), and that
 * `Set-Cookie` may be set.
 */
export class FieldHeaders implements Headers {
  #fields: string[];
  readonly #immutable: boolean;
  /** Sorted and combined, as long as nothing changed. */
  #entries: [string, string][] | null = null;

  /**
   * @param fields is kept, and changed if this is not immutable.
   */
  /** A view of field lines, names and values in turn. */
  constructor(fields: FieldList, immutable: boolean) {
    this.#fields = fields as string[];
    this.#immutable = immutable;
  }

  /** The fields, in their order, as they were given. */
  get fields(): FieldList {
    return this.#fields;
  }

  /** The first value, or `null`. Makes nothing. */
  first(lowerCaseName: string): string | null {
    return firstField(this.#fields, lowerCaseName);
  }

  /** The values of all lines of this name, joined by `", "`; `null` if there is none. */
  get(name: string): string | null {
    const wanted = requireFieldName("headers.get", name).toLowerCase();
    const fields = this.#fields;
    let value: string | null = null;
    for (let index = 0; index < fields.length; index += 2) {
      if (!isName(fields[index] as string, wanted)) continue;
      const next = fields[index + 1] as string;
      value = value === null ? next : `${value}, ${next}`;
    }
    return value;
  }

  /** Whether there is a line of this name. */
  has(name: string): boolean {
    return this.first(requireFieldName("headers.has", name).toLowerCase()) !== null;
  }

  /** The values of all `Set-Cookie` lines, each for itself. */
  getSetCookie(): string[] {
    const fields = this.#fields;
    const values: string[] = [];
    for (let index = 0; index < fields.length; index += 2) {
      if (isName(fields[index] as string, "set-cookie")) values.push(fields[index + 1] as string);
    }
    return values;
  }

  /** Adds a field line. @throws TypeError if the headers are immutable, or it is no field. */
  append(name: string, value: string): void {
    const checked = requireFieldName("headers.append", name);
    const text = requireFieldValue("headers.append", checked, value);
    this.#change("append");
    this.#fields.push(checked, text);
  }

  /** Replaces all lines of this name by one. @throws TypeError if the headers are immutable, or it is no field. */
  set(name: string, value: string): void {
    const checked = requireFieldName("headers.set", name);
    const text = requireFieldValue("headers.set", checked, value);
    this.#change("set");
    const at = this.#indexOf(checked.toLowerCase());
    if (at === -1) {
      this.#fields.push(checked, text);
      return;
    }
    this.#fields[at + 1] = text;
    this.#remove(checked.toLowerCase(), at + 2);
  }

  /** Removes all lines of this name. @throws TypeError if the headers are immutable. */
  delete(name: string): void {
    const checked = requireFieldName("headers.delete", name);
    this.#change("delete");
    this.#remove(checked.toLowerCase(), 0);
  }

  /** Calls `callback` with each value and name, sorted by name. */
  forEach(
    callback: (value: string, key: string, parent: Headers) => void,
    thisArgument?: unknown,
  ): void {
    if (typeof callback !== "function") {
      throw new TypeError(`headers.forEach: got ${String(callback)}, needs a function`);
    }
    for (const [name, value] of this) callback.call(thisArgument, value, name, this);
  }

  /** Names and values, sorted by name; names in lower case. */
  *entries(): ReturnType<Headers["entries"]> {
    // As the standard says: what changes meanwhile is seen.
    for (let index = 0; index < this.#sorted().length; index += 1) {
      const [name, value] = this.#sorted()[index] as [string, string];
      yield [name, value];
    }
    return undefined;
  }

  /** Names, sorted, in lower case. */
  *keys(): ReturnType<Headers["keys"]> {
    for (const [name] of this.entries()) yield name;
    return undefined;
  }

  /** Values, sorted by name. */
  *values(): ReturnType<Headers["values"]> {
    for (const [, value] of this.entries()) yield value;
    return undefined;
  }

  /** As `entries`. */
  [Symbol.iterator](): ReturnType<Headers["entries"]> {
    return this.entries();
  }

  /** As on Bun; without it, its own would be called and fail. */
  toJSON(): Record<string, string> {
    return Object.fromEntries(this);
  }

  #sorted(): readonly [string, string][] {
    this.#entries ??= combined(this.#fields);
    return this.#entries;
  }

  #indexOf(lowerCaseName: string): number {
    const fields = this.#fields;
    for (let index = 0; index < fields.length; index += 2) {
      if (isName(fields[index] as string, lowerCaseName)) return index;
    }
    return -1;
  }

  #remove(lowerCaseName: string, from: number): void {
    const fields = this.#fields;
    let end = from;
    for (let index = from; index < fields.length; index += 2) {
      if (isName(fields[index] as string, lowerCaseName)) continue;
      fields[end] = fields[index] as string;
      fields[end + 1] = fields[index + 1] as string;
      end += 2;
    }
    fields.length = end;
  }

  #change(method: string): void {
    if (this.#immutable) {
      throw new TypeError(
        `headers.${method}: headers that came are immutable, needs a copy: new Headers(headers)`,
      );
    }
    this.#entries = null;
  }
}

/** Sorted by name, values of one name joined, but for Set-Cookie, which cannot be. */
function combined(fields: FieldList): [string, string][] {
  const byName = new Map<string, [string, string]>();
  const entries: [string, string][] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = (fields[index] as string).toLowerCase();
    const value = fields[index + 1] as string;
    const earlier = name === "set-cookie" ? undefined : byName.get(name);
    if (earlier === undefined) {
      const entry: [string, string] = [name, value];
      byName.set(name, entry);
      entries.push(entry);
    } else {
      earlier[1] += `, ${value}`;
    }
  }
  return entries.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
}

actAs(FieldHeaders, Headers, (headers) => Object.fromEntries(headers));

// Deno's Response, given headers, asks its own class for them by this name.
const ITERABLE = Object.getOwnPropertySymbols(Headers.prototype).find(
  ({ description }) => description === "iterable headers",
);
if (ITERABLE !== undefined) {
  Object.defineProperty(FieldHeaders.prototype, ITERABLE, {
    get(this: FieldHeaders): [string, string][] {
      return [...this];
    },
    configurable: true,
  });
}
