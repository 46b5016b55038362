import { isToken, trimSpace } from "./characters.ts";
import type { BodyFraming, FieldList, HttpVersion } from "./message.ts";
import { quote, refuse } from "./rules.ts";

/** What the fields of a head say about the message and the connection. */
export interface FieldFacts {
  /** -1: not given. */
  contentLength: number;
  isChunked: boolean;
  host: string | undefined;
  /** Members of `Connection`. */
  saysClose: boolean;
  saysKeepAlive: boolean;
  saysUpgrade: boolean;
  upgrade: string;
  expect: string;
}

/** Fields that a request has once at most: two of them are read differently by different programs. */
const ONCE_IN_REQUESTS: ReadonlySet<string> = new Set([
  "authorization",
  "content-length",
  "content-location",
  "content-range",
  "content-type",
  "date",
  "from",
  "host",
  "if-modified-since",
  "if-range",
  "if-unmodified-since",
  "max-forwards",
  "proxy-authorization",
  "range",
  "referer",
  "user-agent",
]);

/** The same for responses: only what decides where a body ends and where a client goes next. Servers repeat others without harm. */
const ONCE_IN_RESPONSES: ReadonlySet<string> = new Set([
  "content-length",
  "content-range",
  "location",
]);

/** Fields that have no place in trailers: they decide how a message is framed and routed (RFC 9110 §6.5.1). */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "host",
  "transfer-encoding",
  "upgrade",
]);

/** Reads what matters to the protocol from the fields of a head. */
export function fieldFacts(
  role: "request" | "response",
  version: HttpVersion,
  fields: FieldList,
): FieldFacts {
  const facts: FieldFacts = {
    contentLength: -1,
    isChunked: false,
    host: undefined,
    saysClose: false,
    saysKeepAlive: false,
    saysUpgrade: false,
    upgrade: "",
    expect: "",
  };
  const once = role === "request" ? ONCE_IN_REQUESTS : ONCE_IN_RESPONSES;
  const seen = new Set<string>();
  let transferEncoding: string | undefined;
  for (let at = 0; at < fields.length; at += 2) {
    const name = (fields[at] as string).toLowerCase();
    const value = fields[at + 1] as string;
    if (once.has(name)) {
      if (seen.has(name)) refuse("repeated-field", `the field ${name} is there twice`);
      seen.add(name);
    }
    if (name === "transfer-encoding") {
      transferEncoding = transferEncoding === undefined ? value : `${transferEncoding},${value}`;
    } else noteField(facts, name, value);
  }
  if (transferEncoding !== undefined) {
    checkTransferEncoding(transferEncoding, version, facts);
    facts.isChunked = true;
  }
  return facts;
}

function noteField(facts: FieldFacts, name: string, value: string): void {
  switch (name) {
    case "content-length":
      facts.contentLength = readContentLength(value);
      break;
    case "host":
      facts.host = value;
      break;
    case "connection":
      noteConnection(facts, value);
      break;
    case "upgrade":
      facts.upgrade = facts.upgrade === "" ? value : `${facts.upgrade}, ${value}`;
      break;
    case "expect":
      facts.expect = facts.expect === "" ? value : `${facts.expect}, ${value}`;
      break;
    default:
  }
}

function noteConnection(facts: FieldFacts, value: string): void {
  for (const member of value.split(",")) {
    const option = trimSpace(member).toLowerCase();
    if (option === "close") facts.saysClose = true;
    else if (option === "keep-alive") facts.saysKeepAlive = true;
    else if (option === "upgrade") facts.saysUpgrade = true;
  }
}

/** RFC 9110 §8.6: digits and nothing else; `Number` alone would take `""`, `"1e3"`, `"0x1f"` and `" 5"`. */
function readContentLength(value: string): number {
  if (!/^[0-9]+$/.test(value)) {
    refuse("content-length", `Content-Length is ${quote(value)}: digits were expected`);
  }
  const length = Number(value);
  if (length > Number.MAX_SAFE_INTEGER) {
    refuse("content-length-too-large", `Content-Length is ${quote(value)}: more than 2^53 - 1`);
  }
  return length;
}

/** RFC 9112 §6.1: what is spoken is `chunked`, once. */
function checkTransferEncoding(value: string, version: HttpVersion, facts: FieldFacts): void {
  if (version === "1.0") {
    refuse("transfer-encoding-on-1.0", "Transfer-Encoding in an HTTP/1.0 message");
  }
  if (facts.contentLength >= 0) {
    refuse("length-and-transfer-encoding", "both Content-Length and Transfer-Encoding");
  }
  const codings = value.split(",").map((member) => trimSpace(member).toLowerCase());
  const last = codings.pop();
  if (last !== "chunked" || codings.includes("chunked") || !codings.every(isToken)) {
    refuse(
      "transfer-encoding",
      `Transfer-Encoding is ${quote(value)}: chunked, once, was expected`,
    );
  }
  if (codings.length > 0) {
    refuse(
      "transfer-encoding-unknown",
      `Transfer-Encoding is ${quote(value)}: only chunked is known`,
    );
  }
}

/** Refuses trailers that have no place there. */
export function checkTrailers(trailers: FieldList): void {
  for (let at = 0; at < trailers.length; at += 2) {
    const name = (trailers[at] as string).toLowerCase();
    if (NOT_IN_TRAILERS.has(name)) refuse("trailer-field", `the field ${name} in the trailers`);
  }
}

/** Whether the connection stays after the message: RFC 9112 §9.3. */
export function staysOpen(version: HttpVersion, facts: FieldFacts): boolean {
  return !facts.saysClose && (version === "1.1" || facts.saysKeepAlive);
}

/** How the body is framed by the fields alone; undefined if they say nothing. */
export function framingOf(facts: FieldFacts): BodyFraming | undefined {
  if (facts.isChunked) return "chunked";
  return facts.contentLength >= 0 ? facts.contentLength : undefined;
}
