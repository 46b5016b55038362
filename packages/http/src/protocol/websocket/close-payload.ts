import { CODE_BAD_DATA, CODE_BROKEN_RULE, CODE_NONE, isCloseCode } from "./close-codes.ts";
import { CONTROL_BYTES_MAX } from "./frame.ts";
import { Utf8Validator } from "./utf8-validator.ts";
import { WebSocketProtocolError } from "./websocket-protocol-error.ts";

const REASON_BYTES_MAX = CONTROL_BYTES_MAX - 2;

/** Why a connection is closed. */
export interface CloseReason {
  /** 1005 if none was given. */
  readonly code: number;
  /** For people; at most 123 bytes of UTF-8. */
  readonly reason: string;
}

/**
 * The payload of a close frame.
 *
 * @throws RangeError if `code` may not be sent, or `reason` is longer than 123 bytes of UTF-8.
 */
export function encodeClose(code: number, reason: string): Uint8Array {
  if (!isCloseCode(code)) {
    throw new RangeError(
      `close: got the code ${code}, needs 1000 to 1003, 1007 to 1014, or 3000 to 4999 (RFC 6455 §7.4)`,
    );
  }
  const text = new TextEncoder().encode(reason);
  if (text.length > REASON_BYTES_MAX) {
    throw new RangeError(
      `close: got a reason of ${text.length} bytes, needs at most ${REASON_BYTES_MAX}`,
    );
  }
  const payload = new Uint8Array(2 + text.length);
  payload[0] = code >>> 8;
  payload[1] = code;
  payload.set(text, 2);
  return payload;
}

/**
 * What the payload of a close frame says.
 *
 * @throws WebSocketProtocolError if it is one byte long, has a code that may not be sent (1002), or a reason that is not UTF-8 (1007).
 */
export function parseClose(payload: Uint8Array): CloseReason {
  if (payload.length === 0) return { code: CODE_NONE, reason: "" };
  if (payload.length === 1) {
    throw new WebSocketProtocolError(
      CODE_BROKEN_RULE,
      "close-payload",
      "WebSocket: a close frame has half a code (RFC 6455 §5.5.1)",
    );
  }
  const code = ((payload[0] as number) << 8) | (payload[1] as number);
  if (!isCloseCode(code)) {
    throw new WebSocketProtocolError(
      CODE_BROKEN_RULE,
      "close-code",
      `WebSocket: a close frame has the code ${code}, which may not be sent (RFC 6455 §7.4)`,
    );
  }
  const text = payload.subarray(2);
  const validator = new Utf8Validator();
  if (!(validator.push(text) && validator.isWhole)) {
    throw new WebSocketProtocolError(
      CODE_BAD_DATA,
      "invalid-utf8",
      "WebSocket: the reason of a close frame is not UTF-8 (RFC 6455 §8.1)",
    );
  }
  return { code, reason: new TextDecoder("utf-8", { ignoreBOM: true }).decode(text) };
}
