/**
 * What goes out: frames. One that was begun is written to its end by itself, so that no cancellation can leave half a frame behind. Control frames that come while
 * the wire is busy wait for it, few at a time.
 */
import { ParkingLot, type Wire } from "arborio/lowlevel";
import { applyMask } from "../protocol/websocket/apply-mask.ts";
import {
  encodeFrame,
  frameHeadBytes,
  type FrameSettings,
  writeFrameHead,
} from "../protocol/websocket/encode-frame.ts";
import { OPCODE_CLOSE, type WebSocketRole } from "../protocol/websocket/frame.ts";
import { MaskSource } from "./mask-source.ts";

/** So many pings are answered that came while nothing could be written; of more, the last ones (RFC 6455 §5.5.3). */
const CONTROLS_WAITING_MAX = 32;

/** Bytes of the longest head. */
const HEAD_BYTES_MAX = 14;
/** Payloads that may be longer are not made in the scratch memory. */
const SCRATCH_BYTES = 16_384;
/** Payloads up to here have short heads. */
const SHORT_BYTES_MAX = 125;
/** Bytes of the head of such a frame without a mask. */
const SHORT_HEAD_BYTES = 2;
/** Up to so many characters a loop copies ASCII sooner than an encoder is called. */
const COPIED_LENGTH_MAX = 64;
/** Bytes that a code unit may take in UTF-8. */
const UTF8_BYTES_MAX = 3;

/** So many bytes are handed over at a time: a peer that takes them, however slowly, is seen to live. */
const PIECE_BYTES = 65_536;

const ENCODER: TextEncoder = new TextEncoder();

/** Frames that the wire takes at once need no memory of their own; it is replaced when a wire goes on reading it. */
let scratch = new Uint8Array(SCRATCH_BYTES);
/** Views of it for a server's frames with short payloads, by the length of those: to make a view costs as much as to fill it. */
const shortFrames: (Uint8Array | null)[] = Array.from({ length: SHORT_BYTES_MAX + 1 }, () => null);

/** The sending half of a WebSocket. */
export class FrameOutlet {
  readonly #wire: Wire;
  readonly #masks: MaskSource | null;
  #isWriting = false;
  /** Frames that the wire did not take at once, and those of them that it has taken since. */
  #begun = 0;
  #taken = 0;
  #isClosed = false;
  #endWanted = false;
  /** What is left of the frame that is being written. */
  #rest: Uint8Array | null = null;
  #waiting: Uint8Array[] = [];
  readonly #lot: ParkingLot = new ParkingLot("webSocket.send");

  constructor(wire: Wire, role: WebSocketRole) {
    this.#wire = wire;
    this.#masks = role === "client" ? new MaskSource() : null;
  }

  /** Whether the wire still takes what was written before. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Writes a frame of a message; not while `isWriting`. `false`: wait with `taken`. */
  writeFrame(settings: FrameSettings, payload: Uint8Array): boolean {
    if (payload.length > SCRATCH_BYTES - HEAD_BYTES_MAX)
      return this.#write(encodeFrame({ ...settings, mask: this.#masks?.next() }, payload));
    scratch.set(payload, HEAD_BYTES_MAX);
    return this.#writeScratch(settings, payload.length);
  }

  /** The same, with text. */
  writeText(settings: FrameSettings, text: string): boolean {
    if (text.length * UTF8_BYTES_MAX > SCRATCH_BYTES - HEAD_BYTES_MAX)
      return this.writeFrame(settings, ENCODER.encode(text));
    if (text.length <= COPIED_LENGTH_MAX && copyAscii(text, scratch, HEAD_BYTES_MAX))
      return this.#writeScratch(settings, text.length);
    const { written } = ENCODER.encodeInto(text, scratch.subarray(HEAD_BYTES_MAX));
    return this.#writeScratch(settings, written);
  }

  /** The payload lies in the scratch memory already; the head is written right before it. */
  #writeScratch(settings: FrameSettings, payloadBytes: number): boolean {
    const mask = this.#masks?.next();
    const start = HEAD_BYTES_MAX - frameHeadBytes(payloadBytes, mask !== undefined);
    const frame = inScratch(start, payloadBytes);
    if (mask === undefined) writeFrameHead(frame, settings, payloadBytes);
    else {
      writeFrameHead(frame, { ...settings, mask }, payloadBytes);
      applyMask(frame.subarray(HEAD_BYTES_MAX - start), mask);
    }
    if (this.#write(frame)) return true;
    scratch = new Uint8Array(SCRATCH_BYTES);
    shortFrames.fill(null);
    return false;
  }

  /** Writes a control frame, now or as soon as the wire can. */
  control(opcode: number, payload: Uint8Array): void {
    if (this.#isClosed || this.#endWanted) return;
    const frame = encodeFrame({ opcode, mask: this.#masks?.next() }, payload);
    if (!this.#isWriting) {
      this.#write(frame);
      return;
    }
    if (opcode !== OPCODE_CLOSE && this.#waiting.length === CONTROLS_WAITING_MAX)
      this.#waiting.shift();
    this.#waiting.push(frame);
  }

  /** Nothing more is written after what was. */
  end(): void {
    if (this.#isClosed || this.#endWanted) return;
    this.#endWanted = true;
    if (!this.#isWriting) this.#wire.end();
  }

  /** Nothing can be written any more: whoever waits goes on, and is to look. */
  close(): void {
    this.#isClosed = true;
    this.#isWriting = false;
    this.#rest = null;
    this.#waiting = [];
    this.#lot.unparkAll();
  }

  /** Waits until something may be written, or nothing can any more. Look at `isWriting` afterwards: somebody may have been quicker. */
  async idle(): Promise<void> {
    while (this.#isWriting) await this.#lot.park();
  }

  /** Waits until the wire has taken what was written last. @returns whether it has; if not, nothing can be written any more. */
  async taken(): Promise<boolean> {
    const frame = this.#begun;
    while (this.#taken < frame && !this.#isClosed) await this.#lot.park();
    return this.#taken >= frame;
  }

  /** The wire has taken what it was given. */
  written(): void {
    if (this.#isClosed) return;
    if (this.#rest !== null && !this.#push(this.#rest)) return;
    this.#isWriting = false;
    this.#taken = this.#begun;
    // Whoever waits looks when it goes on, which is later.
    this.#lot.unparkAll();
    for (let frame = this.#waiting.shift(); frame !== undefined; frame = this.#waiting.shift())
      if (!this.#write(frame)) return;
    if (this.#endWanted) this.#wire.end();
  }

  #write(frame: Uint8Array): boolean {
    if (this.#push(frame)) return true;
    this.#isWriting = true;
    this.#begun += 1;
    return false;
  }

  #push(frame: Uint8Array): boolean {
    for (let at = 0; at < frame.length; at += PIECE_BYTES) {
      const end = at + PIECE_BYTES;
      if (this.#wire.write(frame.length <= PIECE_BYTES ? frame : frame.subarray(at, end))) continue;
      this.#rest = end < frame.length ? frame.subarray(end) : null;
      return false;
    }
    this.#rest = null;
    return true;
  }
}

/** The frame that lies in the scratch memory from `start` on. */
function inScratch(start: number, payloadBytes: number): Uint8Array {
  const end = HEAD_BYTES_MAX + payloadBytes;
  const isShort = payloadBytes <= SHORT_BYTES_MAX && start === HEAD_BYTES_MAX - SHORT_HEAD_BYTES;
  if (!isShort) return scratch.subarray(start, end);
  return (shortFrames[payloadBytes] ??= scratch.subarray(start, end));
}

/** @returns whether all of it is ASCII; if not, what was copied means nothing. */
function copyAscii(text: string, target: Uint8Array, at: number): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return false;
    target[at + index] = code;
  }
  return true;
}
