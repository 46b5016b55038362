import { CONTROL_BYTES_MAX } from "./frame.ts";
import { Utf8Validator } from "./utf8-validator.ts";
import { WebSocketProtocolError } from "./websocket-protocol-error.ts";

/** Stands for a close frame without a code; never on the wire (RFC 6455 §7.4.1). */
export const CODE_NONE = 1005;
/** Stands for a connection that broke without a close frame; never on the wire. */
export const CODE_BROKEN = 1006;

const REASON_BYTES_MAX = CONTROL_BYTES_MAX - 2;
/** 1012 to 1014 are registered with IANA, later than the RFC; 1004 is reserved, 1005 and 1006 are never sent. */
const CODES: ReadonlySet<number> = new Set([
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
]);

/** Why a connection is closed. */
export interface CloseReason {
  /** 1005 if none was given. */
  readonly code: number;
  /** For people; at most 123 bytes of UTF-8. */
  readonly reason: string;
}

/** Whether a close frame may hold this code: one with a meaning (RFC 6455 §7.4.1, IANA), or 3000 to 4999. */
export function isCloseCode(code: number): boolean {
  return CODES.has(code) || (Number.isInteger(code) && code >= 3000 && code <= 4999);
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
      1002,
      "close-payload",
      "WebSocket: a close frame has half a code (RFC 6455 §5.5.1)",
    );
  }
  const code = ((payload[0] as number) << 8) | (payload[1] as number);
  if (!isCloseCode(code)) {
    throw new WebSocketProtocolError(
      1002,
      "close-code",
      `WebSocket: a close frame has the code ${code}, which may not be sent (RFC 6455 §7.4)`,
    );
  }
  const text = payload.subarray(2);
  const validator = new Utf8Validator();
  if (!(validator.push(text) && validator.isWhole)) {
    throw new WebSocketProtocolError(
      1007,
      "invalid-utf8",
      "WebSocket: the reason of a close frame is not UTF-8 (RFC 6455 §8.1)",
    );
  }
  return { code, reason: new TextDecoder("utf-8", { ignoreBOM: true }).decode(text) };
}
