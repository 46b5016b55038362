import type { RequestHeaders } from "./client-options.ts";

/** Headers of a request, and those of `more` that they do not have. */
export function withHeaders(
  headers: RequestHeaders | undefined,
  more: readonly (readonly [string, string])[],
): RequestHeaders {
  if (headers === undefined) return more.map(([name, value]) => [name, value]);
  const isIterable = Symbol.iterator in headers;
  const given = isIterable
    ? Array.from(headers as Iterable<Iterable<string>>, (pair) => [...pair])
    : Object.entries(headers as Record<string, string | null>);
  const names = new Set(given.map(([name]) => String(name).toLowerCase()));
  const missing = more.filter(([name]) => !names.has(name));
  return isIterable
    ? ([...given, ...missing] as [string, string][])
    : { ...(headers as Record<string, string | null>), ...Object.fromEntries(missing) };
}
