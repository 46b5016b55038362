/**
 * The fields in which proxies tell what they saw, read from the right: what stands there was put by the proxy next to us, what stands
 * left of it may be anything a client sent. So nothing on the left, above all no unfinished quote, may change how the right is read.
 */
import { isIpAddress } from "arborio/net";
import { TOKEN_PATTERN, trimSpace } from "../protocol/characters.ts";
import type { FieldList } from "../protocol/message.ts";
import { QUOTED_PATTERN, unquoted } from "../protocol/quoted.ts";

/** What one proxy said of the request that came to it. */
export interface ForwardedElement {
  /** Whose connection it was: an address without port, `"unknown"`, a name that hides it (`"_gazonk"`); `""` if it did not tell or wrote nonsense. */
  readonly address: string;
  /** `undefined` if it did not tell, or something else. */
  readonly scheme: "http" | "https" | undefined;
  /** Host with port, as the request had it; `undefined` if it did not tell, or wrote nonsense. */
  readonly host: string | undefined;
}

/** RFC 7239 §4; with white space around `;`, which some write. */
const PAIR = new RegExp(
  `[\\t ]*(?:(${TOKEN_PATTERN})=(${TOKEN_PATTERN}|${QUOTED_PATTERN}))?[\\t ]*(?:;|$)`,
  "y",
);

/** The elements of `Forwarded` (RFC 7239), the last first. A malformed one tells nothing. */
export function* forwardedElements(fields: FieldList): Generator<ForwardedElement> {
  for (const line of linesFromLast(fields, "forwarded")) {
    for (const text of elementsFromLast(line)) {
      if (text.trim() !== "") yield parseElement(text);
    }
  }
}

/** The same from `X-Forwarded-For`, `-Proto` and `-Host`, the last first. */
export function* xForwardedElements(fields: FieldList): Generator<ForwardedElement> {
  const addresses = membersOf(fields, "x-forwarded-for");
  const schemes = alongside(addresses, membersOf(fields, "x-forwarded-proto"));
  const hosts = alongside(addresses, membersOf(fields, "x-forwarded-host"));
  for (let index = addresses.length - 1; index >= 0; index--) {
    yield {
      address: parseNode(addresses[index] as string),
      scheme: parseScheme(schemes(index)),
      host: parseHost(hosts(index)),
    };
  }
}

function parseElement(text: string): ForwardedElement {
  const pairs = parsePairs(text);
  return {
    address: parseNode(pairs?.get("for") ?? ""),
    scheme: parseScheme(pairs?.get("proto")),
    host: parseHost(pairs?.get("host")),
  };
}

/** `null` if it is malformed; a name that comes twice makes it so, RFC 7239 §4. */
function parsePairs(text: string): Map<string, string> | null {
  const pairs = new Map<string, string>();
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const match = PAIR.exec(text);
    if (match === null) return null;
    const [, name, value] = match;
    if (name === undefined || value === undefined) continue;
    const key = name.toLowerCase();
    if (pairs.has(key)) return null;
    pairs.set(key, unquoted(value));
  }
  return pairs;
}

/** Splits at commas outside quotes, from the right, so that a quote left open on the left swallows nothing. */
function* elementsFromLast(line: string): Generator<string> {
  let end = line.length;
  let quoted = false;
  for (let index = line.length - 1; index >= 0; index--) {
    const char = line[index];
    if (char === '"' && !(quoted && isEscaped(line, index))) quoted = !quoted;
    else if (char === "," && !quoted) {
      yield line.slice(index + 1, end);
      end = index;
    }
  }
  yield line.slice(0, end);
}

function isEscaped(line: string, index: number): boolean {
  let at = index;
  while (line[at - 1] === "\\") at -= 1;
  return (index - at) % 2 === 1;
}

function* linesFromLast(fields: FieldList, name: string): Generator<string> {
  for (let index = fields.length - 2; index >= 0; index -= 2) {
    if ((fields[index] as string).toLowerCase() === name) yield fields[index + 1] as string;
  }
}

function membersOf(fields: FieldList, name: string): string[] {
  const lines = [...linesFromLast(fields, name)].reverse();
  // Empty members mean nothing, RFC 9110 §5.6.1.2.
  return lines
    .join(",")
    .split(",")
    .map(trimSpace)
    .filter((member) => member !== "");
}

/**
 * Which scheme or host belongs to which address: with as many as there are addresses, each its own; otherwise the last, which the
 * nearest proxy put, belongs to all.
 */
function alongside(
  addresses: readonly string[],
  members: readonly string[],
): (index: number) => string | undefined {
  if (members.length === addresses.length) return (index) => members[index];
  return () => members.at(-1);
}

const PORT = "(?::(?:[0-9]{1,5}|_[0-9A-Za-z._-]+))?";
const NAMED = new RegExp(
  `^(?:([0-9.]+|unknown|_[0-9A-Za-z._-]+)|\\[([0-9A-Fa-f:.]+)\\])${PORT}$`,
  "i",
);

/** RFC 7239 §6; an IPv6 address without brackets too, as `X-Forwarded-For` has them. `""` if it is nothing of that. */
function parseNode(text: string): string {
  const [, bare, bracketed] = NAMED.exec(text) ?? [];
  const name = bare ?? bracketed ?? text;
  if (bare?.startsWith("_")) return bare;
  const lower = name.toLowerCase();
  return lower === "unknown" || isIpAddress(lower) ? lower : "";
}

function parseScheme(text: string | undefined): "http" | "https" | undefined {
  const scheme = text?.toLowerCase();
  return scheme === "http" || scheme === "https" ? scheme : undefined;
}

/** RFC 3986 §3.2.2 without what nobody uses: names, addresses, a port. */
const HOST = /^(?:[0-9A-Za-z._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;

function parseHost(text: string | undefined): string | undefined {
  return text !== undefined && HOST.test(text) ? text : undefined;
}
