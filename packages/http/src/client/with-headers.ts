import { FieldHeaders } from "../web/field-headers.ts";
import type { RequestHeaders } from "./client-options.ts";

type Line = readonly [name: string, value: string];

/** Headers of a request, and those of `defaults` that they do not have; those of `own` take the place of theirs. */
export function withHeaders(
  headers: RequestHeaders | undefined,
  {
    defaults = [],
    own = [],
  }: { readonly defaults?: readonly Line[]; readonly own?: readonly Line[] },
): RequestHeaders {
  const given = linesOf(headers ?? []);
  const ownNames = new Set(own.map(([name]) => name));
  const names = new Set(given.map(([name]) => String(name).toLowerCase()));
  const lines: (readonly [string, string | null])[] = [
    ...given.filter(([name]) => !ownNames.has(String(name).toLowerCase())),
    ...defaults.filter(([name]) => !names.has(name)),
    ...own,
  ];
  // They may be those of another request, which is passed on.
  if (headers instanceof Headers) return new FieldHeaders(lines.flat() as string[], true);
  if (headers === undefined || Symbol.iterator in headers) return lines as [string, string][];
  return Object.fromEntries(lines);
}

function linesOf(headers: RequestHeaders): (readonly [string, string | null])[] {
  if (Symbol.iterator in headers)
    return Array.from(headers as Iterable<Iterable<string>>, (pair) => [...pair] as never);
  // `undefined` says nothing, as everywhere.
  return Object.entries(headers as Record<string, string | null>).filter(
    ([, value]) => value !== undefined,
  );
}
