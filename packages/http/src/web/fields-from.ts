import type { FieldList } from "../protocol/message.ts";
import { FieldHeaders } from "./field-headers.ts";
import { requireFieldName, requireFieldValue } from "./field-rules.ts";
import type { HeadersSource } from "./headers-source.ts";

/**
 * Fields out of whatever the web takes for headers, checked.
 *
 * @throws TypeError if something of it cannot be a field.
 */
export function fieldsFrom(where: string, headers: HeadersSource): string[] {
  if (headers instanceof FieldHeaders) return headers.fields.slice();
  const fields: string[] = [];
  const add = (name: unknown, value: unknown): void => {
    const checked = requireFieldName(where, name);
    fields.push(checked, requireFieldValue(where, checked, value));
  };
  // A promise would be a record without names, and what it gives would be lost. That it was given is told; if it is rejected too, nobody waits for it.
  if (headers instanceof Promise) headers.catch(() => {});
  if (typeof headers !== "object" || headers === null || headers instanceof Promise) {
    const got = headers instanceof Promise ? "a promise" : String(headers);
    throw new TypeError(`${where}: got ${got}, needs Headers, a record or a list of pairs`);
  }
  if (Symbol.iterator in headers) {
    for (const pair of headers as Iterable<Iterable<string>>) {
      const entry = [...pair];
      if (entry.length !== 2) {
        throw new TypeError(
          `${where}: got an entry of ${entry.length} items, needs a name and a value`,
        );
      }
      add(entry[0], entry[1]);
    }
  } else {
    for (const name of Object.keys(headers)) add(name, (headers as Record<string, string>)[name]);
  }
  return fields;
}

/** Names and values in turn as pairs; headers as they are. */
export function pairsOf(headers: HeadersSource | FieldList): HeadersSource {
  if (!Array.isArray(headers) || typeof headers[0] !== "string") return headers as HeadersSource;
  const fields = headers as readonly unknown[] as FieldList;
  const pairs: [string, string][] = [];
  for (let index = 0; index < fields.length; index += 2) {
    pairs.push([fields[index] as string, fields[index + 1] as string]);
  }
  return pairs;
}
