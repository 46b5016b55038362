/**
 * The WebSocket is closed, or broken: nothing more can be sent, and everything that came was received.
 *
 * @example Clean or not
 * ```ts
 * import { WebSocketClosedError } from "@arborio/http";
 *
 * const error = new WebSocketClosedError(1006, "", false, "WebSocket: the connection broke");
 * console.assert(!error.wasClean && error.code === 1006);
 * ```
 */
export class WebSocketClosedError extends Error {
  /** The name of the class. */
  override readonly name: string = "WebSocketClosedError";
  /**
   * Of the other side's close frame; 1005 if it held none. Without one: 1006, the connection broke; or what this side closed it
   * with, because the other broke a rule (1002, 1007) or sent too much (1009).
   */
  readonly code: number;
  /** Of the other side's close frame, for people. */
  readonly reason: string;
  /** Whether both sides have sent a close frame, so that nothing was lost under way. */
  readonly wasClean: boolean;

  /** Made by the WebSocket. */
  constructor(
    code: number,
    reason: string,
    wasClean: boolean,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.reason = reason;
    this.wasClean = wasClean;
  }
}
