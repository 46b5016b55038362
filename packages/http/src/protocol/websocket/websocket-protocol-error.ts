/**
 * The other side broke a rule of the WebSocket protocol, or passed a limit. The connection is to be closed with `closeCode`
 * (RFC 6455 §7.1.7).
 *
 * @example A frame of a client that is not masked
 * ```ts
 * import { FrameParser, WebSocketProtocolError } from "@arborio/http/protocol";
 *
 * const parser = new FrameParser({ role: "server" });
 * parser.push(Uint8Array.of(0x82, 0x00));
 * try {
 *   parser.next();
 * } catch (error) {
 *   console.assert(error instanceof WebSocketProtocolError && error.closeCode === 1002);
 * }
 * ```
 */
export class WebSocketProtocolError extends Error {
  /** The name of the class. */
  override readonly name: string = "WebSocketProtocolError";
  /** 1002, a broken rule; 1007, text that is none; 1009, too large. */
  readonly closeCode: number;
  /** Which rule, in a few words that stay the same: `"unmasked-frame"`. */
  readonly rule: string;

  /** Made by the parsers. */
  constructor(closeCode: number, rule: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.closeCode = closeCode;
    this.rule = rule;
  }
}
