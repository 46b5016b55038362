import { isToken, trimSpace } from "./characters.ts";
import { Known, knownField } from "./known-fields.ts";
import type { BodyFraming, FieldList, HttpVersion } from "./message.ts";
import { quote, refuse } from "./rules.ts";

/** Bits of the fields that a request has once at most: two of them are read differently by different programs. */
const ONCE_IN_REQUESTS: number = bitsOf([
  Known.host,
  Known.contentLength,
  Known.contentRange,
  Known.authorization,
  Known.contentLocation,
  Known.contentType,
  Known.date,
  Known.from,
  Known.ifModifiedSince,
  Known.ifRange,
  Known.ifUnmodifiedSince,
  Known.maxForwards,
  Known.proxyAuthorization,
  Known.range,
  Known.referer,
  Known.userAgent,
]);

/** The same for responses: only what decides where a body ends and where a client goes next. Servers repeat others without harm. */
const ONCE_IN_RESPONSES: number = bitsOf([Known.contentLength, Known.contentRange, Known.location]);

/** Fields that have no place in trailers: they decide how a message is framed and routed (RFC 9110 §6.5.1). */
const NOT_IN_TRAILERS: number = bitsOf([
  Known.host,
  Known.contentLength,
  Known.transferEncoding,
  Known.connection,
  Known.upgrade,
]);

function bitsOf(fields: readonly number[]): number {
  return fields.reduce((bits, known) => bits | (1 << known), 0);
}

/** What the fields of a head say about the message and the connection. One object serves all heads of a parser. */
export class FieldFacts {
  readonly #once: number;
  #seen = 0;
  /** -1: not given. */
  contentLength = -1;
  /** All that `Transfer-Encoding` says; undefined: not given. */
  transferEncoding: string | undefined;
  host: string | undefined;
  /** Members of `Connection`. */
  saysClose = false;
  saysKeepAlive = false;
  saysUpgrade = false;
  upgrade = "";
  expect = "";

  constructor(role: "request" | "response") {
    this.#once = role === "request" ? ONCE_IN_REQUESTS : ONCE_IN_RESPONSES;
  }

  /** Reads what matters to the protocol from the fields of a head. */
  read(version: HttpVersion, fields: FieldList): void {
    this.#reset();
    for (let at = 0; at < fields.length; at += 2) {
      const name = fields[at] as string;
      const known = knownField(name);
      if (known === Known.none) continue;
      const bit = 1 << known;
      if ((this.#seen & this.#once & bit) !== 0) {
        refuse("repeated-field", `the field ${name.toLowerCase()} is there twice`);
      }
      this.#seen |= bit;
      if (known < Known.authorization) this.#note(known, fields[at + 1] as string);
    }
    if (this.transferEncoding !== undefined) {
      checkTransferEncoding(this.transferEncoding, version, this.contentLength);
    }
  }

  /** How the body is framed by the fields alone; undefined if they say nothing. */
  get framing(): BodyFraming | undefined {
    if (this.transferEncoding !== undefined) return "chunked";
    return this.contentLength >= 0 ? this.contentLength : undefined;
  }

  /** Whether the connection stays after the message: RFC 9112 §9.3. */
  staysOpen(version: HttpVersion): boolean {
    return !this.saysClose && (version === "1.1" || this.saysKeepAlive);
  }

  #reset(): void {
    if (this.#seen === 0) return;
    this.#seen = 0;
    this.contentLength = -1;
    this.transferEncoding = undefined;
    this.host = undefined;
    this.saysClose = false;
    this.saysKeepAlive = false;
    this.saysUpgrade = false;
    this.upgrade = "";
    this.expect = "";
  }

  #note(known: number, value: string): void {
    switch (known) {
      case Known.host:
        this.host = value;
        break;
      case Known.contentLength:
        this.contentLength = readContentLength(value);
        break;
      case Known.transferEncoding:
        this.transferEncoding = joined(this.transferEncoding ?? "", value);
        break;
      case Known.connection:
        this.#noteConnection(value);
        break;
      case Known.upgrade:
        this.upgrade = joined(this.upgrade, value);
        break;
      case Known.expect:
        this.expect = joined(this.expect, value);
        break;
      default:
    }
  }

  #noteConnection(value: string): void {
    if (value === "keep-alive") {
      this.saysKeepAlive = true;
      return;
    }
    for (const member of value.split(",")) {
      const option = trimSpace(member).toLowerCase();
      if (option === "close") this.saysClose = true;
      else if (option === "keep-alive") this.saysKeepAlive = true;
      else if (option === "upgrade") this.saysUpgrade = true;
    }
  }
}

/** Several lines of a field are one list: RFC 9110 §5.3. */
function joined(before: string, value: string): string {
  return before === "" ? value : `${before}, ${value}`;
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
function checkTransferEncoding(value: string, version: HttpVersion, contentLength: number): void {
  if (version === "1.0") {
    refuse("transfer-encoding-on-1.0", "Transfer-Encoding in an HTTP/1.0 message");
  }
  if (contentLength >= 0) {
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
    const name = trailers[at] as string;
    if (((1 << knownField(name)) & NOT_IN_TRAILERS) !== 0) {
      refuse("trailer-field", `the field ${name.toLowerCase()} in the trailers`);
    }
  }
}
