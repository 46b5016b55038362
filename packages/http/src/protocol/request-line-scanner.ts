import { CR, LF, SPACE, TARGET_BYTES, TOKEN_BYTES } from "./characters.ts";
import type { InputBuffer } from "./input-buffer.ts";
import { refuse } from "./rules.ts";

type Phase = "begin" | "method" | "target" | "version" | "cr" | "lf" | "empty-line" | "done";

/** `#`, which a target cannot contain: RFC 9112 §3.2. */
const HASH = 35;
const DIGIT_0 = 48;
const DIGIT_9 = 57;
/** Each 0 is a digit: RFC 9112 §2.3. */
const VERSION = "HTTP/0.0";

/**
 * Looks at a request line byte by byte as it comes (RFC 9112 §3), so that what cannot be one, like a TLS hello, is refused at once and not
 * when a limit is passed. Knows where its parts end.
 */
export class RequestLineScanner {
  #phase: Phase = "begin";
  /** Bytes looked at. */
  #scanned = 0;
  #version = "";
  methodEnd = 0;
  targetEnd = 0;

  reset(): void {
    this.#phase = "begin";
    this.#scanned = 0;
    this.#version = "";
  }

  /** Looks at what came since the last time, up to the end of the line or `bytesMax` bytes with it. */
  scan(input: InputBuffer, bytesMax: number): void {
    const { bytes, start } = input;
    const end = Math.min(input.length, bytesMax);
    while (this.#scanned < end && this.#phase !== "done") {
      this.#look(bytes[start + this.#scanned] as number);
      this.#scanned++;
    }
  }

  #look(byte: number): void {
    switch (this.#phase) {
      case "begin":
        if (byte === CR) this.#phase = "empty-line";
        else if (byte === LF) refuse("bare-lf", "a line ends in LF without CR");
        else if (TOKEN_BYTES[byte] === 1) this.#phase = "method";
        else refuse("method", "the first byte cannot begin a request line");
        break;
      case "method":
        this.#lookAtMethod(byte);
        break;
      case "target":
        this.#lookAtTarget(byte);
        break;
      case "version":
        this.#lookAtVersion(byte);
        break;
      case "cr":
        if (byte === LF) refuse("bare-lf", "the request line ends in LF without CR");
        if (byte !== CR) refuse("request-line", "more than a version after the target");
        this.#phase = "lf";
        break;
      case "lf":
      case "empty-line":
        if (byte !== LF) refuse("bare-cr", "a CR that is not followed by LF");
        this.#phase = "done";
        break;
      case "done":
        break;
    }
  }

  #lookAtMethod(byte: number): void {
    if (TOKEN_BYTES[byte] === 1) return;
    if (byte === CR || byte === LF) refuse("request-line", "a request line of one word");
    if (byte !== SPACE) refuse("method", "a character in the method that no token has");
    this.methodEnd = this.#scanned;
    this.#phase = "target";
  }

  #lookAtTarget(byte: number): void {
    if (byte === SPACE && this.#scanned > this.methodEnd + 1) {
      this.targetEnd = this.#scanned;
      this.#phase = "version";
      return;
    }
    if (byte === HASH) refuse("target-fragment", "a fragment in the target");
    if (byte === CR || byte === LF) refuse("request-line", "a request line without a version");
    if (byte === SPACE) refuse("request-line", "two spaces after the method");
    if (TARGET_BYTES[byte] !== 1) {
      refuse("target-character", "a character in the target that must be percent-encoded");
    }
  }

  #lookAtVersion(byte: number): void {
    const expected = VERSION.charCodeAt(this.#version.length);
    const fits = expected === DIGIT_0 ? byte >= DIGIT_0 && byte <= DIGIT_9 : byte === expected;
    if (!fits) refuse("version", "the request line does not end in a version of HTTP");
    this.#version += String.fromCharCode(byte);
    if (this.#version.length < VERSION.length) return;
    if (this.#version !== "HTTP/1.1" && this.#version !== "HTTP/1.0") {
      refuse("version-unsupported", `${this.#version}: HTTP/1.1 and HTTP/1.0 are spoken here`);
    }
    this.#phase = "cr";
  }
}
