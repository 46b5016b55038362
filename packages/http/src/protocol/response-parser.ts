import { CR, forbiddenInValue, LF, SPACE, VALUE_BYTES } from "./characters.ts";
import { FieldFacts } from "./field-facts.ts";
import type { BodyFraming, FieldList, HttpVersion, ResponseHead } from "./message.ts";
import { MessageParser } from "./message-parser.ts";
import { REASONS } from "./reasons.ts";
import { quote, refuse } from "./rules.ts";

/** What a response begins with. */
const PROTOCOL = "HTTP/";
const VERSION_1_1 = Uint8Array.from("HTTP/1.1 ", (character) => character.charCodeAt(0));
const DIGIT_0 = 48;
const STATUS_DIGITS = 3;
const STATUS_MIN = 100;

/**
 * Reads responses: RFC 9110, RFC 9112, strictly. 1xx responses are heads like others, each followed by the next; 101 is followed by
 * `takeRest`.
 *
 * @example
 * ```ts
 * import { ResponseParser } from "@arborio/http/protocol";
 *
 * const parser = new ResponseParser();
 * parser.expect("GET");
 * parser.push(new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"));
 * console.assert(parser.readHead()?.status === 200);
 * console.assert(parser.readBody(100)?.length === 2 && parser.bodyDone);
 * ```
 */
export class ResponseParser extends MessageParser<ResponseHead> {
  readonly #facts = new FieldFacts("response");
  #lineEnd = 0;
  #method = "GET";
  #version: HttpVersion = "1.1";
  #status = 0;
  #reason = "";

  /** Tells what the next response answers: it decides whether there is a body. */
  expect(method: string): void {
    this.#method = method;
  }

  /** @internal */
  protected override scanStartLine(bytes: Uint8Array, start: number): number {
    for (let index = 0; index < VERSION_1_1.length; index++) {
      if (bytes[start + index] !== VERSION_1_1[index]) return -1;
    }
    let at = start + VERSION_1_1.length;
    this.#status = 0;
    for (const end = at + STATUS_DIGITS; at < end; at++) {
      const digit = (bytes[at] as number) - DIGIT_0;
      if (!(digit >= 0 && digit <= 9)) return -1;
      this.#status = this.#status * 10 + digit;
    }
    if (this.#status < STATUS_MIN || bytes[at] !== SPACE) return -1;
    while (VALUE_BYTES[bytes[at] as number] === 1) at++;
    this.#lineEnd = at - start;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return -1;
    return this.#lineEnd > this.limits.startLineBytesMax ? -1 : at + 2;
  }

  /** @internal */
  protected override takeScannedStartLine(text: string): void {
    const reason = REASONS[this.#status];
    const start = VERSION_1_1.length + STATUS_DIGITS + 1;
    // Almost always the phrase of the registry: then it need not be copied.
    const isUsual = this.#lineEnd - start === reason?.length && text.startsWith(reason, start);
    this.#reason = isUsual ? reason : text.slice(start, this.#lineEnd);
    this.#version = "1.1";
  }

  /** @internal */
  protected override checkStartLine(): void {
    const { bytes, start, length } = this.input;
    for (let at = 0; at < length && at < PROTOCOL.length; at++) {
      if (bytes[start + at] !== PROTOCOL.charCodeAt(at)) {
        refuse("status-line", "the first bytes are not those of an HTTP response");
      }
    }
  }

  /** @internal */
  protected override takeStartLine(line: string): boolean {
    const bad = forbiddenInValue(line);
    if (bad >= 0) {
      if (line[bad] === "\r") refuse("bare-cr", "a CR inside the status line");
      refuse("control-character", `a control character in the status line: ${quote(line)}`);
    }
    const match = /^HTTP\/([0-9]\.[0-9])(?: ([0-9]+)(?: (.*))?)?$/.exec(line);
    if (match === null) refuse("status-line", `not a status line: ${quote(line)}`);
    const [, version, status, reason = ""] = match;
    if (version !== "1.1" && version !== "1.0") {
      refuse("version-unsupported", `HTTP/${version}: HTTP/1.1 and HTTP/1.0 are spoken here`);
    }
    if (status === undefined || !/^[1-9][0-9]{2}$/.test(status)) {
      refuse("status-code", `a status code of three digits was expected: ${quote(line)}`);
    }
    this.#version = version;
    this.#status = Number(status);
    this.#reason = reason;
    return true;
  }

  /** @internal */
  protected override finishHead(fields: FieldList): ResponseHead {
    const version = this.#version;
    const facts = this.#facts;
    facts.read(version, fields);
    const status = this.#status;
    if (status < 200 && facts.framing !== undefined) {
      refuse("informational-with-body", `a ${status} response that says how long its body is`);
    }
    const framing: BodyFraming = this.#hasBody() ? (facts.framing ?? "close") : 0;
    // Whoever says that a 204 has a body, which it has not, may send one: it would be taken for what answers the next request.
    const isSound = status !== 204 || (facts.framing ?? 0) === 0;
    const keepAlive = framing !== "close" && isSound && facts.staysOpen(version);
    return { version, status, reason: this.#reason, fields, framing, keepAlive };
  }

  /** @internal */
  protected override refuseLongStartLine(): never {
    const { startLineBytesMax } = this.limits;
    refuse("start-line-too-long", `the status line is longer than ${startLineBytesMax} bytes`);
  }

  /** RFC 9112 §6.3, rules 1 and 2. */
  #hasBody(): boolean {
    const status = this.#status;
    if (this.#method === "HEAD" || status < 200 || status === 204 || status === 304) return false;
    return !(this.#method === "CONNECT" && status < 300);
  }
}
