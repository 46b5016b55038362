import { FieldScanner } from "./field-scanner.ts";
import { splitOutsideQuotes } from "./quoted.ts";

/** What the other side says of how long it keeps a connection. Hints, not promises. */
export interface KeepAliveHints {
  /** How long it waits for the next request, in milliseconds; `null` if it does not say. */
  readonly timeoutMs: number | null;
  /** How many more requests it takes; `null` if it does not say. */
  readonly requestsMax: number | null;
}

/** Members that are looked at: there are two. */
const MEMBERS_MAX = 16;

const NUMBER = /^[0-9]{1,9}$/;

/**
 * Reads `Keep-Alive` (RFC 2068 §19.7.1.1, as servers send it today): `timeout=5, max=100`. What else it has is passed over; so is what
 * is no number of at most nine digits.
 *
 * @example
 * ```ts
 * import { parseKeepAlive } from "@arborio/http/protocol";
 *
 * const { timeoutMs, requestsMax } = parseKeepAlive("timeout=5, max=100");
 * console.assert(timeoutMs === 5000 && requestsMax === 100);
 * ```
 */
export function parseKeepAlive(value: string): KeepAliveHints {
  let timeout: number | null = null;
  let max: number | null = null;
  let members = 0;
  for (const member of splitOutsideQuotes(value, ",")) {
    members += 1;
    if (members > MEMBERS_MAX) break;
    const [name, number] = numberOf(member) ?? [];
    if (number === undefined) continue;
    if (name === "timeout") timeout ??= number;
    else if (name === "max") max ??= number;
  }
  return { timeoutMs: timeout === null ? null : timeout * 1000, requestsMax: max };
}

/** A name in lower case and its number; `null` if it is anything else. */
function numberOf(member: string): [string, number] | null {
  const scanner = new FieldScanner(member);
  scanner.skipSpace();
  const name = scanner.token()?.toLowerCase();
  scanner.skipSpace();
  if (name === undefined || !scanner.take("=")) return null;
  scanner.skipSpace();
  const value = scanner.quoted() ?? scanner.token() ?? "";
  scanner.skipSpace();
  return scanner.isAtEnd && NUMBER.test(value) ? [name, Number(value)] : null;
}
