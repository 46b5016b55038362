import { InputBuffer } from "../input-buffer.ts";
import { applyMask } from "./apply-mask.ts";
import { CODE_BROKEN_RULE, CODE_TOO_LARGE } from "./close-codes.ts";
import {
  CONTROL_BYTES_MAX,
  FIN_BIT,
  type MessageType,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_CONTROL_BIT,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
  RSV1_BIT,
  RSV2_BIT,
  RSV3_BIT,
  type WebSocketRole,
} from "./frame.ts";
import { WebSocketProtocolError } from "./websocket-protocol-error.ts";

/** How a parser reads. */
export interface FrameParserOptions {
  /** Which end reads. A server takes frames only with a mask, and a client only without. */
  readonly role: WebSocketRole;
  /** Bytes of a message, all its frames together, as they are on the wire. More is 1009, before they came. Default `Infinity`. */
  readonly messageBytesMax?: number;
  /** Bytes of a message that is compressed, as they are on the wire. Default: `messageBytesMax`. */
  readonly compressedBytesMax?: number;
  /** Whether messages may be compressed: was agreed upon (RFC 7692). Default `false`. */
  readonly allowsCompressed?: boolean;
}

/** A control frame, or a piece of a message. */
export interface FrameEvent {
  /** What the frame is, or the message that it belongs to. */
  readonly kind: MessageType | "close" | "ping" | "pong";
  /** Whether it is the first piece of its message. */
  readonly isFirst: boolean;
  /** Whether it is the last piece. Only that one may be empty. */
  readonly isLast: boolean;
  /** Whether the message is compressed. */
  readonly isCompressed: boolean;
  /** Without the mask. A view of what was pushed. */
  readonly bytes: Uint8Array;
}

const CONTROL_KINDS: Readonly<Record<number, FrameEvent["kind"]>> = {
  [OPCODE_CLOSE]: "close",
  [OPCODE_PING]: "ping",
  [OPCODE_PONG]: "pong",
};

/** The two high bytes of a length of 64 bits, and the sign, hold nothing that could be counted exactly: 2⁵³. */
const LENGTH_HIGH_MAX = 0x1f_ffff;
const TWO_TO_32 = 2 ** 32;

/** Lengths up to here are in the second byte of a frame. */
const SHORT_BYTES_MAX = 125;
/** A short text without its mask. One for all: a view of what came costs more than the copy (Bun 1.4.5: 0.9 µs until it is decoded). */
const SHORT: Uint8Array = new Uint8Array(SHORT_BYTES_MAX);
/** Its beginnings, by their length: to make a view costs as much as to fill it. */
const SHORT_VIEWS: (Uint8Array | null)[] = Array.from({ length: SHORT_BYTES_MAX + 1 }, () => null);
const DECODER: TextDecoder = new TextDecoder();

/**
 * Bytes to frames (RFC 6455 §5), without I/O, strictly: whatever is wrong is a `WebSocketProtocolError`. Frames of messages are handed out as
 * their bytes come; what it keeps is the beginning of a head or of a control frame, at most 139 bytes. Each byte costs the same, however the
 * input is cut.
 *
 * @example
 * ```ts
 * import { FrameParser } from "@arborio/http/protocol";
 *
 * const parser = new FrameParser({ role: "client" });
 * parser.push(Uint8Array.of(0x81, 2, 0x68, 0x69));
 * const piece = parser.next();
 * console.assert(piece?.kind === "text" && piece.isLast && new TextDecoder().decode(piece.bytes) === "hi");
 * console.assert(parser.next() === undefined);
 * ```
 */
export class FrameParser {
  readonly #input: InputBuffer = new InputBuffer();
  readonly #isServer: boolean;
  readonly #allowsCompressed: boolean;
  readonly #messageBytesMax: number;
  readonly #compressedBytesMax: number;
  #failure: WebSocketProtocolError | null = null;

  // The frame that is being read; of control frames nothing of this is set before they are whole.
  #isFinal = false;
  #length = 0;
  readonly #mask: Uint8Array = new Uint8Array(4);
  /** Bytes of the payload that are still to come; -1 between frames. */
  #remaining = -1;

  // The message that is being read.
  #kind: MessageType | null = null;
  #isCompressed = false;
  #messageBytes = 0;
  /** Whether a piece of it was handed out. */
  #isBegun = false;

  /** Makes a parser for one connection, behind its handshake. */
  constructor(options: FrameParserOptions) {
    const { role, messageBytesMax = Infinity, allowsCompressed = false } = options;
    this.#isServer = role === "server";
    this.#messageBytesMax = messageBytesMax;
    this.#compressedBytesMax = options.compressedBytesMax ?? messageBytesMax;
    this.#allowsCompressed = allowsCompressed;
  }

  /** Whether there are bytes that `next` has not used up. */
  get hasInput(): boolean {
    return this.#input.length > 0;
  }

  /** Takes bytes. They belong to the parser: it takes masks off in place. */
  push(bytes: Uint8Array): void {
    this.#input.push(bytes, Math.max(this.#remaining, 0));
  }

  /**
   * The next control frame or piece of a message; `undefined` if more bytes are needed.
   *
   * @throws WebSocketProtocolError when the other side broke a rule; also when called again.
   */
  next(): FrameEvent | undefined {
    if (this.#failure !== null) throw this.#failure;
    for (;;) {
      if (this.#remaining < 0) {
        const head = this.#readHead();
        if (head !== null) return head;
        if (this.#remaining < 0) {
          this.#input.settle();
          return undefined;
        }
      }
      const available = Math.min(this.#input.pieceLength, this.#remaining);
      if (available === 0 && this.#remaining > 0) return undefined;
      const piece = this.#readPiece(available);
      if (piece !== null) return piece;
    }
  }

  /**
   * The next message, if it is a text of ASCII in one frame of at most 125 bytes, and all there, as most are; `undefined` if not: then `next` tells
   * what comes, and nothing was used up. Costs much less than `next`, the check of the text, and a decoder: it makes nothing but the text.
   */
  shortText(): string | undefined {
    if (this.#remaining >= 0 || this.#kind !== null || this.#failure !== null) return undefined;
    const { bytes, start, length: available } = this.#input;
    if (available < 2 || bytes[start] !== (FIN_BIT | OPCODE_TEXT)) return undefined;
    const second = bytes[start + 1] as number;
    const count = second & 0x7f;
    const isMasked = (second & 0x80) !== 0;
    const headBytes = isMasked ? 6 : 2;
    if (isMasked !== this.#isServer || count > Math.min(SHORT_BYTES_MAX, this.#messageBytesMax))
      return undefined;
    if (available < headBytes + count) return undefined;
    const at = start + headBytes;
    let every = 0;
    for (let index = 0; index < count; index++) {
      let byte = bytes[at + index] as number;
      if (isMasked) byte ^= bytes[at - 4 + (index & 3)] as number;
      every |= byte;
      SHORT[index] = byte;
    }
    if (every > 0x7f) return undefined;
    this.#input.skip(headBytes + count);
    return DECODER.decode((SHORT_VIEWS[count] ??= SHORT.subarray(0, count)));
  }

  #readPiece(count: number): FrameEvent | null {
    const bytes = this.#input.take(count);
    if (this.#isServer) applyMask(bytes, this.#mask, this.#length - this.#remaining);
    this.#remaining -= count;
    const isFrameEnd = this.#remaining === 0;
    const isLast = isFrameEnd && this.#isFinal;
    if (isFrameEnd) this.#remaining = -1;
    if (count === 0 && !isLast) return null;
    const piece: FrameEvent = {
      kind: this.#kind as MessageType,
      isFirst: !this.#isBegun,
      isLast,
      isCompressed: this.#isCompressed,
      bytes,
    };
    this.#isBegun = true;
    if (isLast) this.#kind = null;
    return piece;
  }

  /** Reads the head of a frame, if it is there; of a control frame all, which is returned. */
  #readHead(): FrameEvent | null {
    const { bytes, start, length: available } = this.#input;
    if (available < 2) return null;
    const first = bytes[start] as number;
    const second = bytes[start + 1] as number;
    const opcode = first & 0x0f;
    this.#checkFirst(first, opcode);
    const isMasked = (second & 0x80) !== 0;
    if (isMasked !== this.#isServer) this.#failMasking();
    const short = second & 0x7f;
    const isControl = (opcode & OPCODE_CONTROL_BIT) !== 0;
    if (isControl && short > CONTROL_BYTES_MAX)
      this.#fail("long-control-frame", "a control frame is longer than 125 bytes (RFC 6455 §5.5)");
    const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
    const headBytes = 2 + lengthBytes + (isMasked ? 4 : 0);
    // The length is looked at before the mask has come: what is too large is refused as early as can be.
    if (available < 2 + lengthBytes) return null;
    const length = lengthBytes === 0 ? short : this.#readLength(bytes, start + 2, lengthBytes);
    if (!isControl) this.#checkSize(first, opcode, length);
    if (available < headBytes + (isControl ? length : 0)) return null;
    if (isMasked) {
      const at = start + headBytes - this.#mask.length;
      for (let index = 0; index < this.#mask.length; index++)
        this.#mask[index] = bytes[at + index] as number;
    }
    this.#input.skip(headBytes);
    if (isControl) return this.#takeControl(opcode, length);
    this.#beginFrame(first, opcode, length);
    return null;
  }

  #takeControl(opcode: number, length: number): FrameEvent {
    const bytes = this.#input.take(length);
    if (this.#isServer) applyMask(bytes, this.#mask);
    const kind = CONTROL_KINDS[opcode] as FrameEvent["kind"];
    return { kind, isFirst: true, isLast: true, isCompressed: false, bytes };
  }

  #beginFrame(first: number, opcode: number, length: number): void {
    if (opcode !== OPCODE_CONTINUATION) {
      this.#kind = opcode === OPCODE_TEXT ? "text" : "binary";
      this.#isCompressed = (first & RSV1_BIT) !== 0;
      this.#messageBytes = 0;
      this.#isBegun = false;
    }
    this.#isFinal = (first & FIN_BIT) !== 0;
    this.#length = length;
    this.#messageBytes += length;
    this.#remaining = length;
  }

  /** Everything that the first byte can have wrong. */
  #checkFirst(first: number, opcode: number): void {
    if ((first & (RSV2_BIT | RSV3_BIT)) !== 0)
      this.#fail("reserved-bits", "RSV2 or RSV3 is set, which means nothing (RFC 6455 §5.2)");
    const isControl = (opcode & OPCODE_CONTROL_BIT) !== 0;
    if ((first & RSV1_BIT) !== 0) this.#checkRsv1(opcode, isControl);
    if (isControl) {
      if (CONTROL_KINDS[opcode] === undefined) this.#failOpcode(opcode);
      if ((first & FIN_BIT) === 0)
        this.#fail("fragmented-control-frame", "a control frame is fragmented (RFC 6455 §5.5)");
      return;
    }
    if (opcode > OPCODE_BINARY) this.#failOpcode(opcode);
    if (opcode === OPCODE_CONTINUATION && this.#kind === null) {
      this.#fail("stray-continuation", "a frame continues a message, and there is none (§5.4)");
    }
    if (opcode !== OPCODE_CONTINUATION && this.#kind !== null) {
      this.#fail("interleaved-message", "a message begins inside another one (RFC 6455 §5.4)");
    }
  }

  #checkRsv1(opcode: number, isControl: boolean): void {
    if (!this.#allowsCompressed)
      this.#fail("reserved-bits", "RSV1 is set, and no extension was agreed upon (RFC 6455 §5.2)");
    if (isControl || opcode === OPCODE_CONTINUATION) {
      this.#fail(
        "reserved-bits",
        "RSV1 is set on a frame that does not begin a message (RFC 7692 §6.1)",
      );
    }
  }

  #readLength(bytes: Uint8Array, at: number, lengthBytes: number): number {
    if (lengthBytes === 2) {
      const length = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      if (length < 126) this.#failLength(length);
      return length;
    }
    const high = readUint32(bytes, at);
    const low = readUint32(bytes, at + 4);
    if (high >= 0x8000_0000)
      this.#fail("negative-length", "the highest bit of a length is set (RFC 6455 §5.2)");
    if (high > LENGTH_HIGH_MAX) this.#failSize(Infinity, 2 ** 53);
    const length = high * TWO_TO_32 + low;
    if (length < 0x1_0000) this.#failLength(length);
    return length;
  }

  #checkSize(first: number, opcode: number, length: number): void {
    const isNew = opcode !== OPCODE_CONTINUATION;
    const isCompressed = isNew ? (first & RSV1_BIT) !== 0 : this.#isCompressed;
    const max = isCompressed ? this.#compressedBytesMax : this.#messageBytesMax;
    const total = (isNew ? 0 : this.#messageBytes) + length;
    if (total > max) this.#failSize(total, max);
  }

  #failSize(bytes: number, max: number): never {
    this.#fail(
      "message-too-large",
      `a message has ${bytes} bytes or more, and ${max} are allowed`,
      CODE_TOO_LARGE,
    );
  }

  #failLength(length: number): never {
    this.#fail("long-length", `the length ${length} is not written as short as it can be (§5.2)`);
  }

  #failOpcode(opcode: number): never {
    this.#fail("reserved-opcode", `the opcode ${opcode} means nothing (RFC 6455 §5.2)`);
  }

  #failMasking(): never {
    if (this.#isServer) {
      this.#fail("unmasked-frame", "a frame of the client is not masked (RFC 6455 §5.1)");
    }
    this.#fail("masked-frame", "a frame of the server is masked (RFC 6455 §5.1)");
  }

  #fail(rule: string, message: string, closeCode = CODE_BROKEN_RULE): never {
    this.#failure = new WebSocketProtocolError(closeCode, rule, `WebSocket: ${message}`);
    throw this.#failure;
  }
}

function readUint32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  const low = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  return high * 0x1_0000 + low;
}
