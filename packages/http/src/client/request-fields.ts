/**
 * The fields of a request: the client's, with those of the request in their place. What tells of a connection and not of the request (RFC 9110 §7.6.1) is left
 * out, since the fields may be those of a message that came on another connection.
 */
import { isAuthority } from "../protocol/authority.ts";
import type { FieldList } from "../protocol/message.ts";
import { fieldsFrom } from "../web/fields-from.ts";
import type { RequestHeaders } from "./client-options.ts";
import { describe } from "./require-option.ts";
import type { HeadersSource } from "../web/headers-source.ts";

/** Fields that the connection makes. `Content-Length` is among them: it is taken as the length of a body that has none. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Fields for the server, or the proxy, that a message came to: they are not passed on with the rest. */
const RECEIVER_FIELDS: ReadonlySet<string> = new Set(["host", "proxy-authorization"]);

/** What was given as headers. */
export interface GivenFields {
  /** Names and values in turn. */
  readonly fields: FieldList;
  /** In lower case: of these names no default is kept. */
  readonly names: ReadonlySet<string>;
  /** What was said to be the length of the body; `undefined` if nothing was. */
  readonly contentLength: number | undefined;
}

/** @throws TypeError if something of it cannot be a field, or there are several hosts. */
export function givenFields(where: string, headers: RequestHeaders): GivenFields {
  const names = new Set<string>();
  const all = fieldsFrom(where, withoutNulls(headers, names));
  const isPassedOn = headers instanceof Headers;
  const left = new Set(isPassedOn ? RECEIVER_FIELDS : []);
  const fields: string[] = [];
  let contentLength: number | undefined;
  for (let at = 0; at < all.length; at += 2) {
    if ((all[at] as string).toLowerCase() !== "connection") continue;
    for (const named of (all[at + 1] as string).split(",")) left.add(named.trim().toLowerCase());
  }
  for (let at = 0; at < all.length; at += 2) {
    const lower = (all[at] as string).toLowerCase();
    const value = all[at + 1] as string;
    if (lower === "content-length") contentLength = lengthFrom(where, value);
    if (CONNECTION_FIELDS.has(lower) || left.has(lower)) continue;
    if (lower === "host") requireHost(where, value, names.has("host"));
    names.add(lower);
    fields.push(all[at] as string, value);
  }
  return { fields, names, contentLength };
}

/** A length that is none would not be checked. */
function lengthFrom(where: string, value: string): number {
  if (/^[0-9]{1,15}$/.test(value)) return Number(value);
  throw new TypeError(`${where}: got ${describe(value)} as Content-Length, needs digits`);
}

/** What is read in two ways leads to two places: RFC 9112 §3.2. */
function requireHost(where: string, value: string, isSecond: boolean): void {
  if (isAuthority(value) && !isSecond) return;
  throw new TypeError(
    `${where}: got ${isSecond ? "a second Host" : `${describe(value)} as Host`}, needs one host, with or without a port`,
  );
}

/** `null` in a record takes a default away; `undefined` says nothing, as everywhere. */
function withoutNulls(headers: RequestHeaders, names: Set<string>): HeadersSource {
  if (typeof headers !== "object" || headers === null || Symbol.iterator in headers)
    return headers as HeadersSource;
  const entries = Object.entries(headers);
  if (entries.every(([, value]) => value !== null && value !== undefined))
    return headers as HeadersSource;
  for (const [name, value] of entries) if (value === null) names.add(name.toLowerCase());
  return entries.filter(
    (entry): entry is [string, string] => entry[1] !== null && entry[1] !== undefined,
  );
}

/** The defaults whose names were not given, and then what was given. */
export function mergedFields(defaults: FieldList, { fields, names }: GivenFields): FieldList {
  return [...fieldsWithout(defaults, names), ...fields];
}

/** Without those of these names, which are in lower case. */
export function fieldsWithout(fields: FieldList, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (!names.has((fields[at] as string).toLowerCase()))
      kept.push(fields[at] as string, fields[at + 1] as string);
  }
  return kept;
}
