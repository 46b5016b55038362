/**
 * The other side sent a message that is not what was to come: bytes for a text, a text for bytes, a text that is no JSON. It was received, and is
 * gone; the WebSocket is open. Thrown by the function of `upgradeWebSocket`, it closes the WebSocket with its code, and is no error of the server.
 *
 * Counterpart: `aiohttp.WSMessageTypeError`.
 *
 * @example
 * ```ts
 * import { WebSocketMessageError } from "@arborio/http";
 *
 * const error = new WebSocketMessageError(1003, "WebSocket.receiveText: got 3 bytes, needs a text");
 * console.assert(error.closeCode === 1003);
 * ```
 */
export class WebSocketMessageError extends Error {
  /** The name of the class. */
  override readonly name: string = "WebSocketMessageError";
  /** What the WebSocket may be closed with: 1003, a message of the wrong kind; 1007, one that is damaged. */
  readonly closeCode: number;

  /** Made by the WebSocket. */
  constructor(closeCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.closeCode = closeCode;
  }
}
