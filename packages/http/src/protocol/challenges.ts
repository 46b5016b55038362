import { TOKEN_PATTERN } from "./characters.ts";
import { FieldScanner } from "./field-scanner.ts";

/** What a server, or a proxy, wants to be told before it does what was asked for: RFC 9110 §11.3. */
export interface Challenge {
  /** In lower case: `"basic"`, `"digest"`, `"bearer"`. */
  readonly scheme: string;
  /** What stands in place of parameters, as of `Negotiate`; `null` if nothing does. */
  readonly token68: string | null;
  /** Values by names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Challenges that are looked at; servers know a handful of schemes, with a few algorithms each. */
const CHALLENGES_MAX = 32;

/** Parameters of one challenge; Digest, which has the most, knows eleven. */
const PARAMETERS_MAX = 32;

/** The name of a parameter, and not the scheme of the next challenge. */
const PARAMETER_NAME = new RegExp(`${TOKEN_PATTERN}(?=[\\t ]*=)`, "y");
/** Not the beginning of a parameter: the end of the challenge follows. */
const TOKEN68 = /[0-9A-Za-z\-._~+/]+=*(?=[\t ]*(?:,|$))/y;
/** What servers write without quotes, wider than a token: `nonce=dGVzdA==`. */
const BARE_VALUE = /[!#-+\--~]+/y;

/**
 * Reads `WWW-Authenticate` or `Proxy-Authenticate` (RFC 9110 §11.6.1): any number of challenges in each of any number of fields, with
 * commas between them as between their parameters.
 *
 * Never throws. Where a field breaks the grammar, the challenges before that count, and the rest of that field is passed over: what
 * one would make of it depends on who reads.
 *
 * @param values The value of the field, or the values of several. Several that `Headers` has joined are the same.
 *
 * @example Two in one field
 * ```ts
 * import { parseChallenges } from "@arborio/http/protocol";
 *
 * const [first, second] = parseChallenges('Digest realm="a, b", nonce="x", Basic realm="c"');
 * console.assert(first?.scheme === "digest" && first.parameters.get("realm") === "a, b");
 * console.assert(second?.scheme === "basic");
 * ```
 */
export function parseChallenges(values: string | readonly string[]): Challenge[] {
  const challenges: Challenge[] = [];
  for (const value of typeof values === "string" ? [values] : values) {
    const scanner = new FieldScanner(value);
    scanner.skipCommas();
    while (!scanner.isAtEnd && challenges.length < CHALLENGES_MAX) {
      const challenge = readChallenge(scanner);
      if (challenge === null) break;
      challenges.push(challenge);
    }
  }
  return challenges;
}

/**
 * Reads `Authentication-Info` or `Proxy-Authentication-Info` (RFC 9110 §11.6.3): parameters by names in lower case. For Digest it may
 * have the `nextnonce`.
 *
 * @returns `null` if it breaks the grammar.
 */
export function parseAuthenticationInfo(value: string): ReadonlyMap<string, string> | null {
  const scanner = new FieldScanner(value);
  scanner.skipCommas();
  const parameters = new Map<string, string>();
  while (!scanner.isAtEnd) {
    const name = scanner.token();
    if (name === null || !readParameter(scanner, name.toLowerCase(), parameters)) return null;
  }
  return parameters;
}

/** Up to the beginning of the next one, or the end. `null` if it breaks the grammar. */
function readChallenge(scanner: FieldScanner): Challenge | null {
  const scheme = scanner.token()?.toLowerCase();
  if (scheme === undefined) return null;
  const parameters = new Map<string, string>();
  const token68 = scanner.skipSpace() ? scanner.match(TOKEN68) : null;
  let isOver = endMember(scanner);
  if (token68 !== null) return { scheme, token68, parameters };
  for (;;) {
    const name = scanner.match(PARAMETER_NAME);
    if (name === null) return isOver ? { scheme, token68, parameters } : null;
    if (!readParameter(scanner, name.toLowerCase(), parameters)) return null;
    isOver = true;
  }
}

/** What follows a name, with the comma. A name that comes twice is against RFC 9110 §11.2: readers would differ in which counts. */
function readParameter(
  scanner: FieldScanner,
  name: string,
  parameters: Map<string, string>,
): boolean {
  scanner.skipSpace();
  if (!scanner.take("=")) return false;
  scanner.skipSpace();
  const value = scanner.quoted() ?? scanner.match(BARE_VALUE);
  if (value === null || parameters.has(name) || parameters.size === PARAMETERS_MAX) return false;
  parameters.set(name, value);
  return endMember(scanner);
}

/** Passes over the commas behind a member of a list. `false` if there is something else. */
function endMember(scanner: FieldScanner): boolean {
  scanner.skipSpace();
  if (scanner.isAtEnd) return true;
  if (!scanner.take(",")) return false;
  scanner.skipCommas();
  return true;
}
