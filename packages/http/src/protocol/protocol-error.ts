/**
 * The peer broke a rule of the protocol, or passed a limit. Nothing that follows on the connection can be trusted.
 *
 * @example What a server answers to it
 * ```ts
 * import { ProtocolError } from "@arborio/http/protocol";
 *
 * const error = new ProtocolError(400, "bare-lf", "a line ends in LF without CR");
 * console.assert(error.status === 400 && error.rule === "bare-lf");
 * ```
 */
export class ProtocolError extends Error {
  /** `"ProtocolError"`. */
  override readonly name: string = "ProtocolError";
  /** Status of the response that a server gives: 400, 408, 413, 414, 417, 431, 501 or 505. */
  readonly status: number;
  /** Which rule, in a few words that stay the same: `"bare-lf"`. Listed in the guide to the parser. */
  readonly rule: string;

  /**
   * Made by the parsers.
   *
   * @param message What was wrong, with a short and escaped piece of the input at most.
   */
  constructor(status: number, rule: string, message: string) {
    super(message);
    this.status = status;
    this.rule = rule;
  }
}
