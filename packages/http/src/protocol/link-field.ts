import { decodeExtendedValue } from "./extended-value.ts";
import { FieldScanner } from "./field-scanner.ts";

/** One link of a `Link` field: RFC 8288. */
export interface Link {
  /** Where it leads, as it was sent: may be relative to the URL of the response. */
  readonly target: string;
  /** What the target is to the document, in lower case: `"next"`, or the URI of a relation. */
  readonly relations: readonly string[];
  /** Of which document the link speaks, as it was sent; `null`: of the one that the response is for. */
  readonly anchor: string | null;
  /** What the target is called; `null` if it is not said. */
  readonly title: string | null;
  /** All parameters as they were sent, names in lower case; `""` for those without a value. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** Links that are looked at, and parameters of one. Pages that hint at all they load have a few dozen. */
const LINKS_MAX = 256;
const PARAMETERS_MAX = 32;

const TARGET = /<[^>]*>/y;
/** Wider than a token: types stand there without quotes. */
const BARE_VALUE = /[^\t ,;"]+/y;

/**
 * Reads `Link` (RFC 8288 §3): any number of links in each of any number of fields.
 *
 * Never throws. Where a field breaks the grammar, the links before that count, and the rest of that field is passed over.
 *
 * @param values The value of the field, or the values of several. Several that `Headers` has joined are the same.
 *
 * @example The next page
 * ```ts
 * import { parseLinks } from "@arborio/http/protocol";
 *
 * const links = parseLinks('</items?page=3>; rel="next last", </items?page=1>; rel=prev');
 * const next = links.find((link) => link.anchor === null && link.relations.includes("next"));
 * console.assert(new URL(next?.target ?? "", "https://api.example/items?page=2").href === "https://api.example/items?page=3");
 * ```
 */
export function parseLinks(values: string | readonly string[]): Link[] {
  const links: Link[] = [];
  for (const value of typeof values === "string" ? [values] : values) {
    const scanner = new FieldScanner(value);
    scanner.skipCommas();
    while (!scanner.isAtEnd && links.length < LINKS_MAX) {
      const link = readLink(scanner);
      if (link === null) break;
      links.push(link);
    }
  }
  return links;
}

/** `null` if it breaks the grammar. */
function readLink(scanner: FieldScanner): Link | null {
  const bracketed = scanner.match(TARGET);
  if (bracketed === null) return null;
  const parameters: [string, string][] = [];
  for (;;) {
    scanner.skipSpace();
    if (scanner.isAtEnd) break;
    if (scanner.take(",")) {
      scanner.skipCommas();
      break;
    }
    if (!scanner.take(";") || parameters.length === PARAMETERS_MAX) return null;
    scanner.skipSpace();
    const name = scanner.token();
    // An empty one is no parameter, and allowed (RFC 9110 §5.6.6).
    if (name === null) continue;
    const value = readValue(scanner);
    if (value === null) return null;
    parameters.push([name.toLowerCase(), value]);
  }
  return linkOf(bracketed.slice(1, -1), parameters);
}

/** What follows the name of a parameter; `""` without a value, `null` if it breaks the grammar. */
function readValue(scanner: FieldScanner): string | null {
  scanner.skipSpace();
  if (!scanner.take("=")) return "";
  scanner.skipSpace();
  return scanner.quoted() ?? scanner.match(BARE_VALUE);
}

/** Of parameters with the same name the first counts: RFC 8288 §3.3, §3.4.1. */
function linkOf(target: string, parameters: Link["parameters"]): Link {
  const valueOf = (wanted: string): string | null =>
    parameters.find(([name]) => name === wanted)?.[1] ?? null;
  const relations = (valueOf("rel") ?? "").toLowerCase().split(/[\t ]+/);
  const extended = valueOf("title*");
  const title = extended === null ? null : decodeExtendedValue(extended);
  return {
    target,
    relations: relations.filter((relation) => relation !== ""),
    anchor: valueOf("anchor"),
    title: title ?? valueOf("title"),
    parameters,
  };
}
