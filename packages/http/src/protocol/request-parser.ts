import { isAuthority, isAuthorityWithPort } from "./authority.ts";
import { type FieldFacts, fieldFacts, framingOf, staysOpen } from "./field-facts.ts";
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
  #method = "";
  #target = "";
  #version: HttpVersion = "1.1";

  protected override checkStartLine(): void {
    this.#scanner.scan(this.input, this.limits.startLineBytesMax);
  }

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

  protected override finishHead(fields: FieldList): RequestHead {
    const version = this.#version;
    const method = this.#method;
    const facts = fieldFacts("request", version, fields);
    const framing = framingOf(facts) ?? 0;
    if (method === "CONNECT" && framing !== 0) refuse("connect-with-body", "CONNECT with a body");
    return {
      version,
      method,
      target: this.#target,
      authority: authorityOf(method, this.#target, version, facts),
      fields,
      framing,
      keepAlive: staysOpen(version, facts),
      expectsContinue: framing !== 0 && expectsContinue(version, facts),
      upgrade: version === "1.1" && facts.saysUpgrade ? facts.upgrade : "",
    };
  }

  protected override refuseLongStartLine(): never {
    const { startLineBytesMax } = this.limits;
    refuse("start-line-too-long", `the request line is longer than ${startLineBytesMax} bytes`);
  }
}

/** RFC 9112 §3.2, §3.3: the form of the target must fit the method, and it or `Host` names whom the request is for. */
function authorityOf(
  method: string,
  target: string,
  version: HttpVersion,
  facts: FieldFacts,
): string {
  if (facts.host === undefined) {
    if (version === "1.1") refuse("host-missing", "an HTTP/1.1 request without Host");
  } else if (!isAuthority(facts.host)) refuse("host-invalid", `Host is ${quote(facts.host)}`);
  const host = facts.host ?? "";
  if (method === "CONNECT") {
    if (isAuthorityWithPort(target)) return target;
    refuse(
      "target-form",
      `the target of CONNECT is ${quote(target)}: a host and port were expected`,
    );
  }
  if (target.startsWith("/")) return host;
  if (target === "*" && method === "OPTIONS") return host;
  const absolute = /^https?:\/\/([^/?]*)/i.exec(target);
  if (absolute === null) {
    refuse("target-form", `the target is ${quote(target)}: a path or an http URL was expected`);
  }
  const authority = absolute[1] as string;
  if (!isAuthority(authority))
    refuse("target-authority", `the target's host is ${quote(authority)}`);
  return authority;
}

/** RFC 9110 §10.1.1. HTTP/1.0 knows no expectations: they are ignored. */
function expectsContinue(version: HttpVersion, facts: FieldFacts): boolean {
  if (facts.expect === "" || version === "1.0") return false;
  if (facts.expect.toLowerCase() === "100-continue") return true;
  refuse("expectation", `Expect is ${quote(facts.expect)}: only 100-continue is known`);
}
