/**
 * Whether a response may be kept and used: RFC 9111 and RFC 5861, for a cache that belongs to one user. How old it is, how long it is fresh, and by what
 * it is asked about again, `http-cache-semantics` knows. It is given directives that are understood here, since it overlooks names in upper case and commas in
 * quotes, never uses fresh responses that say `must-revalidate`, and uses stale ones against `no-cache`.
 */
import Semantics from "http-cache-semantics";
import { wallNow } from "arborio/lowlevel";
import { formatHttpDate, parseHttpDate } from "../../protocol/http-date.ts";
import type { FieldList } from "../../protocol/message.ts";
import { firstField } from "../../web/field-names.ts";
import type { CachedResponse } from "./cache-store.ts";
import { cacheDirectives, type Directives } from "./cache-control.ts";

/**
 * What may be done with a response that is there: it is used as it is; used while somebody asks whether it still holds; not before somebody has
 * asked.
 */
export type CacheUse = "now" | "meanwhile" | "after-asking";

/** Its clock is that of the run, so that it holds in virtual time. */
class RunSemantics extends Semantics {
  now(): number {
    return wallNow();
  }
}

/** Fraction of its age at which a response without any word on it is taken to be fresh: RFC 9111 §4.2.2. */
const HEURISTIC = 0.1;

/** With `immutable` and without a time, in milliseconds: RFC 8246 leaves it open, this is a day. */
const IMMUTABLE_MS = 86_400_000;

const LONG_AGO = formatHttpDate(0);

/** Fields that the library looks at. */
const READ_FIELDS: readonly string[] = ["age", "date", "etag", "expires", "last-modified"];

/** What is known of a response that is kept, or may be. */
export class CachePolicy {
  readonly #semantics: Semantics;
  readonly #directives: Directives;
  readonly #requestedAt: number;

  constructor({ status, fields, requestedAt }: Omit<CachedResponse, "bytes" | "vary">) {
    this.#directives = responseDirectives(fields);
    this.#requestedAt = requestedAt;
    const given: Record<string, string> = {};
    for (const [name, said] of this.#directives) {
      if (name === "stale-if-error") continue;
      if (name === "stale-while-revalidate" && this.#mustRevalidate) continue;
      if (name !== "must-revalidate") given[name] = String(said);
    }
    this.#semantics = RunSemantics.fromObject({
      v: 1,
      t: requestedAt,
      sh: false,
      ch: HEURISTIC,
      imm: IMMUTABLE_MS,
      st: status,
      resh: readFields(fields),
      rescc: given,
      m: "GET",
      a: true,
      reqh: null,
      reqcc: {},
    });
  }

  /** Whether keeping it can be of use, and is allowed. */
  get isStorable(): boolean {
    if (!this.#semantics.storable()) return false;
    const isForErrors = !this.#mustRevalidate && this.#directives.has("stale-if-error");
    return (
      this.#semantics.timeToLive() > 0 || isForErrors || Object.keys(this.validators).length > 0
    );
  }

  /** Seconds since the server made it. */
  get ageSeconds(): number {
    return this.#semantics.age();
  }

  /** Seconds that it is still fresh; below 0 it is stale. */
  get freshSeconds(): number {
    return this.#semantics.maxAge() - this.#semantics.age();
  }

  /** Fields by which the server is asked whether it still holds; none if there is nothing to ask by. */
  get validators(): Readonly<Record<string, string>> {
    return this.#semantics.revalidationHeaders({ headers: {} }) as Record<string, string>;
  }

  /** What may be done with it for a request of these directives. */
  useFor(asked: Directives): CacheUse {
    if (asked.has("no-cache") || asked.get("max-age") === 0) return "after-asking";
    // The clock was set back: nobody knows how old it is.
    if (wallNow() < this.#requestedAt) return "after-asking";
    const { response, revalidation } = this.#semantics.evaluateRequest({
      headers: { "cache-control": requestText(asked, this.#mustRevalidate) },
    });
    if (response === undefined) return "after-asking";
    return revalidation === undefined ? "now" : "meanwhile";
  }

  /** Whether it may be used in place of an error: RFC 5861 §4. */
  mayReplaceError(asked: Directives): boolean {
    if (this.#mustRevalidate || asked.has("no-cache") || asked.get("max-age") === 0) return false;
    const allowed = [this.#directives, asked].map((said) =>
      Number(said.get("stale-if-error") ?? 0),
    );
    const seconds = Math.max(...allowed);
    return seconds > 0 && -this.freshSeconds < seconds;
  }

  /** Whether nothing may be made of it once it is stale, before the server was asked: RFC 9111 §5.2.2.2, §5.2.2.4. */
  get #mustRevalidate(): boolean {
    return this.#directives.has("must-revalidate") || this.#directives.has("no-cache");
  }
}

/** `Pragma` counts where there is no `Cache-Control`, as HTTP/1.0 had it: RFC 9111 §5.4. */
function responseDirectives(fields: FieldList): Directives {
  if (firstField(fields, "cache-control") !== null) return cacheDirectives(fields);
  const isUncached = /(?:^|[\t ,])no-cache(?:$|[\t ,])/i.test(firstField(fields, "pragma") ?? "");
  return new Map(isUncached ? [["no-cache", true]] : []);
}

/** The directives of a request; `Pragma` as above. */
export function requestDirectives(fields: FieldList): Directives {
  return responseDirectives(fields);
}

/** Dates that are none are left out, but for `Expires`, of which they are in the past: RFC 9111 §5.3. */
function readFields(fields: FieldList): Record<string, string> {
  const read: Record<string, string> = {};
  for (const name of READ_FIELDS) {
    const value = firstField(fields, name);
    if (value === null) continue;
    if (name === "age") {
      // Of several the first counts; what is no number is passed over: RFC 9111 §5.1.
      const [age] = /^[0-9]+/.exec(value) ?? [];
      if (age !== undefined) read[name] = age;
      continue;
    }
    const date = name === "etag" ? null : parseHttpDate(value);
    if (name === "expires") read[name] = date === null ? LONG_AGO : formatHttpDate(date);
    else if (name === "date") {
      if (date !== null) read[name] = formatHttpDate(date);
    }
    // To be given back as it was: RFC 9110 §13.1.3.
    else if (name !== "last-modified" || date !== null) read[name] = value;
  }
  return read;
}

function requestText(asked: Directives, mustRevalidate: boolean): string {
  const parts: string[] = [];
  for (const name of ["max-age", "min-fresh", "max-stale"]) {
    const said = asked.get(name);
    if (said === undefined || (name === "max-stale" && mustRevalidate)) continue;
    parts.push(said === true ? name : `${name}=${said}`);
  }
  return parts.join(", ");
}
