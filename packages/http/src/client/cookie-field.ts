import { isToken, isValue } from "../protocol/characters.ts";
import type { FieldList } from "../protocol/message.ts";
import { isName } from "../web/field-names.ts";
import { fieldsWithout } from "./request-fields.ts";

const COOKIE: ReadonlySet<string> = new Set(["cookie"]);

/**
 * With these cookies in the field `Cookie`, in place of those of their names.
 *
 * @throws TypeError if one cannot be written; its value is not shown.
 */
export function withCookies(
  fields: FieldList,
  cookies: Readonly<Record<string, string>>,
): FieldList {
  const added = Object.entries(cookies);
  if (added.length === 0) return fields;
  for (const [name, value] of added) {
    if (!isToken(name))
      throw new TypeError(
        `fetch({ cookies }): got the name ${JSON.stringify(name.slice(0, 80))}, needs a token: letters, digits and !#$%&'*+-.^_\`|~`,
      );
    if (typeof value !== "string" || !isValue(value) || /[;\s]/.test(value))
      throw new TypeError(
        `fetch({ cookies }): the value of ${JSON.stringify(name)} is no text, or has white space, ";", or characters that no field can have; encode it, as by encodeURIComponent`,
      );
  }
  const names = new Set(added.map(([name]) => name));
  const kept = cookiePairs(fields).filter((pair) => !names.has(nameOf(pair)));
  return joined(fields, [...kept, ...added.map(([name, value]) => `${name}=${value}`)]);
}

/** With these cookies of a jar behind those that are there, but for those of the same names. */
export function withJarCookies(fields: FieldList, pairs: readonly string[]): FieldList {
  if (pairs.length === 0) return fields;
  const given = cookiePairs(fields);
  const names = new Set(given.map(nameOf));
  return joined(fields, [...given, ...pairs.filter((pair) => !names.has(nameOf(pair)))]);
}

function joined(fields: FieldList, pairs: readonly string[]): FieldList {
  return [...fieldsWithout(fields, COOKIE), "cookie", pairs.join("; ")];
}

function cookiePairs(fields: FieldList): string[] {
  const pairs: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (!isName(fields[at] as string, "cookie")) continue;
    for (const pair of (fields[at + 1] as string).split(";"))
      if (pair.trim() !== "") pairs.push(pair.trim());
  }
  return pairs;
}

function nameOf(pair: string): string {
  const equals = pair.indexOf("=");
  return equals < 0 ? "" : pair.slice(0, equals);
}
