import { applyMask } from "./apply-mask.ts";
import { CONTROL_BYTES_MAX, FIN_BIT, OPCODE_CONTROL_BIT, RSV1_BIT } from "./frame.ts";

/** Payloads up to here have their length in the second byte of the frame. */
const LENGTH_7_MAX = 125;
/** Payloads up to here have their length in two more bytes. */
const LENGTH_16_MAX = 0xffff;

const MASK_BIT = 0x80;
const TWO_TO_32 = 2 ** 32;

/** What a frame is beside its payload. */
export interface FrameSettings {
  /** 0 to 15. */
  readonly opcode: number;
  /** Whether it is the last frame of its message. Default `true`. */
  readonly isFinal?: boolean;
  /** Whether it begins a message that is compressed (RFC 7692 §6). Default `false`. */
  readonly isCompressed?: boolean;
  /** Four bytes that nobody can guess, of a client; nothing of a server. */
  readonly mask?: Uint8Array | undefined;
}

/**
 * Makes a frame (RFC 6455 §5.2).
 *
 * @param payload copied; it is not changed.
 * @throws RangeError if a control frame is fragmented, or its payload longer than 125 bytes.
 *
 * @example A message of a server
 * ```ts
 * import { encodeFrame } from "@arborio/http/protocol";
 *
 * const frame = encodeFrame({ opcode: 1 }, new TextEncoder().encode("Hello"));
 * console.assert(frame[0] === 0x81 && frame[1] === 5 && frame.length === 7);
 * ```
 */
export function encodeFrame(settings: FrameSettings, payload: Uint8Array): Uint8Array {
  const { mask } = settings;
  if ((settings.opcode & OPCODE_CONTROL_BIT) !== 0) requireControl(settings, payload);
  const headBytes = frameHeadBytes(payload.length, mask !== undefined);
  const frame = new Uint8Array(headBytes + payload.length);
  writeFrameHead(frame, settings, payload.length);
  frame.set(payload, headBytes);
  if (mask !== undefined) applyMask(frame.subarray(headBytes), mask);
  return frame;
}

function requireControl({ isFinal }: FrameSettings, payload: Uint8Array): void {
  if (isFinal === false)
    throw new RangeError("encodeFrame: got a control frame that is not final, needs a whole one");
  if (payload.length > CONTROL_BYTES_MAX) {
    throw new RangeError(
      `encodeFrame: got ${payload.length} bytes for a control frame, needs at most ${CONTROL_BYTES_MAX}`,
    );
  }
}

/** Bytes of the head of a frame with a payload of so many bytes: 2 to 14. */
export function frameHeadBytes(payloadBytes: number, isMasked: boolean): number {
  const lengthBytes = payloadBytes <= LENGTH_7_MAX ? 0 : payloadBytes <= LENGTH_16_MAX ? 2 : 8;
  return 2 + lengthBytes + (isMasked ? 4 : 0);
}

/** Writes the head of a frame, as long as `frameHeadBytes` says, to the beginning of `target`. */
export function writeFrameHead(
  target: Uint8Array,
  { opcode, isFinal, isCompressed, mask }: FrameSettings,
  payloadBytes: number,
): void {
  target[0] = opcode | (isFinal === false ? 0 : FIN_BIT) | (isCompressed === true ? RSV1_BIT : 0);
  const maskBit = mask === undefined ? 0 : MASK_BIT;
  let at = 2;
  if (payloadBytes <= LENGTH_7_MAX) {
    target[1] = maskBit | payloadBytes;
  } else if (payloadBytes <= LENGTH_16_MAX) {
    target[1] = maskBit | 126;
    target[2] = payloadBytes >>> 8;
    target[3] = payloadBytes;
    at = 4;
  } else {
    target[1] = maskBit | 127;
    writeUint32(target, 2, Math.floor(payloadBytes / TWO_TO_32));
    writeUint32(target, 6, payloadBytes % TWO_TO_32);
    at = 10;
  }
  if (mask !== undefined) target.set(mask, at);
}

function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}
