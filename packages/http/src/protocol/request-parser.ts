import { isAuthority, isAuthorityWithPort } from "./authority.ts";
import { SPACE, TARGET_BYTES, TOKEN_BYTES } from "./characters.ts";
import { FieldFacts } from "./field-facts.ts";
import type { FieldList, HttpVersion, RequestHead } from "./message.ts";
import { MessageParser } from "./message-parser.ts";
import { RequestLineScanner } from "./request-line-scanner.ts";
import { quote, refuse } from "./rules.ts";

/**
 * Reads requests: RFC 9110, RFC 9112, strictly. The guide to the parser lists each rule.
 *
 * @example
 * ```ts
 * import { RequestParser } from "@arborio/http/protocol";
 *
 * const parser = new RequestParser();
 * parser.push(new TextEncoder().encode("GET /a HTTP/1.1\r\nHost: example.org\r\n\r\n"));
 * const head = parser.readHead();
 * console.assert(head?.target === "/a" && head.authority === "example.org");
 * console.assert(parser.bodyDone && parser.readHead() === null);
 * ```
 */
export class RequestParser extends MessageParser<RequestHead> {
  readonly #scanner = new RequestLineScanner();
  #hasIgnoredLine = false;
  readonly #facts = new FieldFacts("request");
  /** The last `Host` that was found to be one: it rarely changes on a connection. */
  #validHost: string | undefined;
  #methodEnd = 0;
  #targetEnd = 0;
  #method = "";
  #target = "";
  #version: HttpVersion = "1.1";

  /** @internal */
  protected override scanStartLine(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (TOKEN_BYTES[bytes[at] as number] === 1) at++;
    this.#methodEnd = at - start;
    if (at === start || bytes[at] !== SPACE) return -1;
    at++;
    while (TARGET_BYTES[bytes[at] as number] === 1) at++;
    this.#targetEnd = at - start;
    const lineEnd = at + VERSION_AND_END_BYTES;
    if (this.#targetEnd === this.#methodEnd + 1 || lineEnd > end) return -1;
    if (lineEnd - start - 2 > this.limits.startLineBytesMax || !isVersion11(bytes, at)) return -1;
    return lineEnd;
  }

  /** @internal */
  protected override takeScannedStartLine(text: string): void {
    this.#method = methodOf(text, this.#methodEnd);
    this.#target = text.slice(this.#methodEnd + 1, this.#targetEnd);
    this.#version = "1.1";
  }

  /** @internal */
  protected override checkStartLine(bytesMax: number): void {
    this.#scanner.scan(this.input, bytesMax);
  }

  /** @internal */
  protected override takeStartLine(line: string): boolean {
    const { methodEnd, targetEnd } = this.#scanner;
    this.#scanner.reset();
    if (line === "") {
      // RFC 9112 §2.2: one empty line before a request line is ignored.
      if (this.#hasIgnoredLine) refuse("empty-line", "two empty lines before a request line");
      this.#hasIgnoredLine = true;
      return false;
    }
    this.#hasIgnoredLine = false;
    this.#method = line.slice(0, methodEnd);
    this.#target = line.slice(methodEnd + 1, targetEnd);
    this.#version = line.endsWith("1") ? "1.1" : "1.0";
    return true;
  }

  /** @internal */
  protected override finishHead(fields: FieldList): RequestHead {
    const version = this.#version;
    const method = this.#method;
    const facts = this.#facts;
    facts.read(version, fields);
    const framing = facts.framing ?? 0;
    if (method === "CONNECT" && framing !== 0) refuse("connect-with-body", "CONNECT with a body");
    return {
      version,
      method,
      target: this.#target,
      authority: this.#authorityOf(method, this.#target, version),
      fields,
      framing,
      keepAlive: facts.staysOpen(version),
      expectsContinue: framing !== 0 && expectsContinue(version, facts),
      upgrade: version === "1.1" && facts.saysUpgrade ? facts.upgrade : "",
    };
  }

  /** RFC 9112 §3.3: the target or `Host` names whom the request is for. */
  #authorityOf(method: string, target: string, version: HttpVersion): string {
    const { host } = this.#facts;
    if (host === undefined) {
      if (version === "1.1") refuse("host-missing", "an HTTP/1.1 request without Host");
    } else if (host !== this.#validHost) {
      if (!isAuthority(host)) refuse("host-invalid", `Host is ${quote(host)}`);
      this.#validHost = host;
    }
    const ofTarget =
      target.startsWith("/") && method !== "CONNECT" ? "" : authorityOfTarget(method, target);
    return ofTarget === "" ? (host ?? "") : ofTarget;
  }

  /** @internal */
  protected override refuseLongStartLine(): never {
    const { startLineBytesMax } = this.limits;
    refuse("start-line-too-long", `the request line is longer than ${startLineBytesMax} bytes`);
  }
}

/** RFC 9112 §3.2: the form of the target must fit the method. Gives the authority it has, or "". */
function authorityOfTarget(method: string, target: string): string {
  if (method === "CONNECT") {
    if (isAuthorityWithPort(target)) return target;
    refuse(
      "target-form",
      `the target of CONNECT is ${quote(target)}: a host and port were expected`,
    );
  }
  if (target === "*" && method === "OPTIONS") return "";
  const absolute = /^https?:\/\/([^/?]*)/i.exec(target);
  if (absolute === null) {
    refuse("target-form", `the target is ${quote(target)}: a path or an http URL was expected`);
  }
  const authority = absolute[1] as string;
  if (!isAuthority(authority))
    refuse("target-authority", `the target's host is ${quote(authority)}`);
  return authority;
}

/** Bytes of ` HTTP/1.1` and CRLF. */
const VERSION_AND_END_BYTES = 11;
const VERSION_AND_END = Uint8Array.from(" HTTP/1.1\r\n", (character) => character.charCodeAt(0));

function isVersion11(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < VERSION_AND_END_BYTES; index++) {
    if (bytes[at + index] !== VERSION_AND_END[index]) return false;
  }
  return true;
}

/** Methods that are compared often are always the same string. */
function methodOf(text: string, end: number): string {
  if (end === 3 && text.startsWith("GET")) return "GET";
  if (end === 4 && text.startsWith("POST")) return "POST";
  return text.slice(0, end);
}

/** RFC 9110 §10.1.1. HTTP/1.0 knows no expectations: they are ignored. */
function expectsContinue(version: HttpVersion, facts: FieldFacts): boolean {
  if (facts.expect === "" || version === "1.0") return false;
  if (facts.expect.toLowerCase() === "100-continue") return true;
  refuse("expectation", `Expect is ${quote(facts.expect)}: only 100-continue is known`);
}
