import { createDigest } from "arborio/lowlevel";
import type { FetchOptions } from "../../client/client-options.ts";
import type { ClientRequest } from "../../client/client-request.ts";
import type { FieldList } from "../../protocol/message.ts";
import { firstField } from "../../web/field-names.ts";
import type { Directives } from "./cache-control.ts";
import { joinedField } from "./cache-control.ts";

/** Fields by which a request asks for less than a whole response, or has a copy of its own: as the web's `fetch`, they pass by the cache. */
const CONDITIONS: readonly string[] = [
  "range",
  "if-range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
];

/** Options by which another server may answer, or another be trusted. */
const ROUTES: readonly (keyof FetchOptions)[] = [
  "fingerprints",
  "localHost",
  "proxy",
  "socketPath",
  "tls",
];

/** Fields that tell who asks; `Vary` need not name them for that they are told apart. */
const IDENTITY: ReadonlySet<string> = new Set(["authorization", "cookie"]);

/** Whether a GET or HEAD may be answered from a cache, and its response kept. */
export function isCacheable(
  { payload, fields, options }: ClientRequest,
  asked: Directives,
): boolean {
  if (payload !== null || options.upgrade !== undefined) return false;
  if (asked.has("no-store") || options.cache === "no-store") return false;
  if (ROUTES.some((name) => options[name] !== undefined)) return false;
  return CONDITIONS.every((name) => firstField(fields, name) === null);
}

/**
 * What responses are kept by: the URL, and who asks. Secrets are digested: the key may be written where others read. Two that ask as
 * different users never get one another's responses; what a cookie jar adds on the way is not seen here.
 */
export function cacheKey({ url, fields, options }: ClientRequest): string {
  const host = joinedField(fields, "host");
  const who = [...IDENTITY].map((name) => joinedField(fields, name));
  const isOmitted = options.credentials === "omit";
  if (host === null && !isOmitted && who.every((value) => value === null)) return anonymousKey(url);
  const text = new TextEncoder().encode(JSON.stringify([host, isOmitted, ...who]));
  const digest = createDigest("sha-256").update(text).digest();
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${anonymousKey(url)} ${hex}`;
}

/** The key of those who do not say who they are. */
export function anonymousKey(url: string): string {
  return `GET ${url}`;
}

/** Which requests get the same response if they are sent at the same time; `null`: this one wants its own. */
export function flightKey(key: string, { method, fields, options }: ClientRequest): string | null {
  if (options.onInformational !== undefined) return null;
  const { decompress, bodyBytesMax, timeouts } = options;
  return JSON.stringify([method, key, fields, decompress, bodyBytesMax, timeouts]);
}

/** The fields of a request that a response was chosen by; `null`: by more than they tell. */
export function varyFields(
  response: FieldList,
  request: FieldList,
  sent: FieldList,
): FieldList | null {
  const names = new Set((joinedField(response, "vary") ?? "").toLowerCase().match(/[^\t ,]+/g));
  const chosen: string[] = [];
  for (const name of [...names].sort()) {
    const value = joinedField(request, name);
    // Added on the way, as cookies of a jar are: who asks next cannot know whether it would be the same.
    if (name === "*" || value !== joinedField(sent, name)) return null;
    if (!IDENTITY.has(name)) chosen.push(name, value ?? "");
  }
  return chosen;
}

/** Whether a request has the fields that a response was chosen by. */
export function hasFields(request: FieldList, vary: FieldList): boolean {
  for (let at = 0; at < vary.length; at += 2) {
    if ((joinedField(request, vary[at] as string) ?? "") !== vary[at + 1]) return false;
  }
  return true;
}
