import type { Query, QueryValue } from "./client-options.ts";
import { describe } from "./require-option.ts";

/**
 * A query as names and values.
 *
 * @throws TypeError if something of it is no value of a query.
 */
export function searchParams(where: string, query: Query): URLSearchParams {
  if (query instanceof URLSearchParams) return query;
  const params = new URLSearchParams();
  const add = (name: string, value: unknown): void => {
    if (value === null || value === undefined) return;
    params.append(name, textOf(where, name, value));
  };
  if (typeof query !== "object" || query === null)
    throw new TypeError(`${where}: got ${describe(query)}, needs a record or a list of pairs`);
  if (Symbol.iterator in query) {
    for (const pair of query as Iterable<readonly [string, QueryValue]>) {
      if (!Array.isArray(pair) || pair.length !== 2)
        throw new TypeError(`${where}: got an entry ${describe(pair)}, needs a name and a value`);
      add(String(pair[0]), pair[1]);
    }
    return params;
  }
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value) add(name, one);
    else add(name, value);
  }
  return params;
}

function textOf(where: string, name: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean")
    return String(value);
  throw new TypeError(
    `${where}: got ${describe(value)} as the value of ${JSON.stringify(name)}, needs text, a number, true, false, or an array of those`,
  );
}
