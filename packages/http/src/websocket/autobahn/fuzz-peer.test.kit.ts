/**
 * A peer that sends any frames in any pieces, and writes down what comes: what the Autobahn test suite's fuzzing client and server are. It shares
 * no code with what it judges but the compression of the runtime.
 */
import {
  BrokenResourceError,
  CompressionError,
  EndOfStream,
  Event,
  moveOnAfter,
  type TaskGroup,
} from "arborio";
import {
  type Compressor,
  createCompressor,
  createDecompressor,
  type Decompressor,
} from "arborio/lowlevel";
import { BufferedByteStream, type ByteStream } from "arborio/streams";

/** What a frame may be beside its payload. */
export interface FuzzFrame {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  readonly fin?: boolean;
  /** 0 to 7. */
  readonly rsv?: number;
}

/** How one side compresses: what its window is at most, and whether it begins anew with each message. */
export interface FuzzDeflate {
  readonly windowBits: number;
  readonly noContextTakeover: boolean;
}

/** What was agreed upon in the handshake: of the peer, and of who is judged. */
export interface FuzzAgreement {
  readonly own: FuzzDeflate;
  readonly other: FuzzDeflate;
}

const MASK = [0x12, 0x9a, 0x5c, 0xe7] as const;
const TAIL = Uint8Array.of(0, 0, 0xff, 0xff);
/** How hard is tried to compress changes nothing for who decompresses. */
export const QUICK_LEVEL = 1;
/** So long a peer waits for what should come, in milliseconds; in virtual time, or when something is wrong. */
const WAIT_MS = 10_000;

export class FuzzPeer {
  /** Messages and pongs in their order, as `eventOf` writes them; and what they may not be. */
  readonly events: string[] = [];
  /** The close frame: its code, or 0 if it had none; `undefined` if none came. */
  closeCode: number | undefined;
  readonly ended: Event = new Event();
  readonly #stream: BufferedByteStream;
  readonly #isClient: boolean;
  #changed: Event = new Event();
  /** Messages that came compressed. */
  compressed = 0;
  #agreement: FuzzAgreement | null = null;
  #compressor: Compressor | null = null;
  #decompressor: Decompressor | null = null;
  #message: Uint8Array[] = [];
  #messageOpcode = 0;
  #isCompressed = false;

  constructor(stream: ByteStream, role: "client" | "server") {
    this.#stream = new BufferedByteStream(stream);
    this.#isClient = role === "client";
  }

  /** Compresses from now on, and understands what is compressed as it was agreed upon, and nothing else. */
  compress(agreement: FuzzAgreement): void {
    this.#agreement = agreement;
    this.#compressor = createCompressor("deflate-raw", {
      windowBits: agreement.own.windowBits,
      level: QUICK_LEVEL,
    });
    this.#decompressor = createDecompressor("deflate-raw", {
      windowBits: agreement.other.windowBits,
    });
  }

  /** A frame as bytes. */
  frame({ opcode, payload = "", fin = true, rsv = 0 }: FuzzFrame): Uint8Array {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    const { length } = bytes;
    const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
    const maskBit = this.#isClient ? 0x80 : 0;
    if (length < 126) head.push(maskBit | length);
    else if (length < 65_536) head.push(maskBit | 126, length >> 8, length & 0xff);
    else
      head.push(
        maskBit | 127,
        0,
        0,
        0,
        0,
        length >>> 24,
        (length >>> 16) & 0xff,
        (length >>> 8) & 0xff,
        length & 0xff,
      );
    if (!this.#isClient) return joined([Uint8Array.from(head), bytes]);
    return joined([Uint8Array.from(head), Uint8Array.from(MASK), masked(bytes, MASK)]);
  }

  /** Sends frames in pieces of so many bytes; what cannot be sent any more is not. */
  async send(frames: readonly FuzzFrame[], chopBytes: number = Infinity): Promise<void> {
    const bytes = joined(frames.map((frame) => this.frame(frame)));
    try {
      for (let at = 0; at < bytes.length; at += chopBytes)
        await this.#stream.send(bytes.subarray(at, at + chopBytes));
    } catch (error) {
      if (!(error instanceof BrokenResourceError)) throw error;
    }
  }

  /** Sends bytes of a frame that was cut. */
  async sendBytes(bytes: Uint8Array): Promise<void> {
    await this.#stream.send(bytes).catch(() => {});
  }

  /** Sends a message, compressed if that was agreed upon, in fragments of so many bytes; 0: whole. */
  async sendMessage(opcode: number, message: Uint8Array, fragmentBytes: number = 0): Promise<void> {
    let payload = message;
    if (this.#compressor !== null) {
      payload = joined(await this.#compressor.transform(message, { flush: true })).subarray(0, -4);
      if (this.#agreement?.own.noContextTakeover === true) this.#compressor.reset();
    }
    const size = fragmentBytes === 0 ? Math.max(payload.length, 1) : fragmentBytes;
    const frames: FuzzFrame[] = [];
    for (let at = 0; at === 0 || at < payload.length; at += size) {
      const rsv = at === 0 && this.#compressor !== null ? 4 : 0;
      const isLast = at + size >= payload.length;
      frames.push({
        opcode: at === 0 ? opcode : 0,
        payload: payload.subarray(at, at + size),
        fin: isLast,
        rsv,
      });
    }
    await this.send(frames);
  }

  async sendClose(code: number | null, reason: string = ""): Promise<void> {
    await this.send([{ opcode: 8, payload: closePayload(code, reason) }]);
  }

  /** Waits until so many events have come, or the end. */
  until(count: number, waitMs: number = WAIT_MS): Promise<void> {
    return this.#untilTrue(() => this.events.length >= count, waitMs);
  }

  /** Waits for a close frame, or the end. */
  untilClosed(waitMs: number = WAIT_MS): Promise<void> {
    return this.#untilTrue(() => this.closeCode !== undefined, waitMs);
  }

  async #untilTrue(isTrue: () => boolean, waitMs: number): Promise<void> {
    await moveOnAfter(waitMs, async () => {
      while (!isTrue() && !this.ended.isSet) {
        this.#changed = new Event();
        await this.#changed.wait();
      }
    });
  }

  /** Waits until the connection has ended. @returns whether it has. */
  async untilEnd(waitMs: number = WAIT_MS): Promise<boolean> {
    await moveOnAfter(waitMs, () => this.ended.wait());
    return this.ended.isSet;
  }

  /** Reads in the background. */
  start(group: TaskGroup): void {
    group.startSoon(() => this.#read(), { daemon: true, name: "fuzz peer" });
  }

  close(): void {
    this.#stream.close();
    this.#compressor?.close();
    this.#decompressor?.close();
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        await this.#readFrame();
        this.#changed.set();
      }
    } catch (error) {
      if (!(error instanceof EndOfStream || error instanceof BrokenResourceError || isEof(error)))
        throw error;
      this.ended.set();
      this.#changed.set();
    }
  }

  async #readFrame(): Promise<void> {
    const [first = 0, second = 0] = await this.#stream.receiveExactly(2);
    let length = second & 0x7f;
    if (length >= 126) {
      const bytes = await this.#stream.receiveExactly(length === 126 ? 2 : 8);
      const least = length === 126 ? 126 : 65_536;
      length = bytes.reduce((value, byte) => value * 256 + byte, 0);
      if (length < least)
        this.events.push(`wrong: the length ${length} is not as short as it can be`);
    }
    const isMasked = (second & 0x80) !== 0;
    if (isMasked === this.#isClient) this.events.push(`wrong: mask ${isMasked}`);
    const mask = isMasked ? await this.#stream.receiveExactly(4) : null;
    let payload = length === 0 ? new Uint8Array(0) : await this.#stream.receiveExactly(length);
    if (mask !== null) payload = masked(payload, mask);
    await this.#take(first, payload);
  }

  async #take(first: number, payload: Uint8Array): Promise<void> {
    const opcode = first & 0x0f;
    const rsv = (first >> 4) & 7;
    const fin = first >= 0x80;
    if (this.closeCode !== undefined) this.events.push("wrong: a frame behind the close frame");
    if (opcode >= 8) return this.#control(opcode, rsv, fin, payload);
    const isFirst = opcode !== 0;
    if (isFirst !== (this.#messageOpcode === 0)) this.events.push("wrong: fragments out of order");
    if (rsv !== 0 && !(rsv === 4 && isFirst && this.#decompressor !== null))
      this.events.push(`wrong: RSV ${rsv}`);
    if (isFirst) {
      this.#messageOpcode = opcode;
      this.#isCompressed = rsv === 4;
    }
    this.#message.push(payload);
    if (!fin) return;
    const whole = joined(this.#message);
    const messageOpcode = this.#messageOpcode;
    this.#message = [];
    this.#messageOpcode = 0;
    const message = this.#isCompressed ? await this.#decompressed(whole) : whole;
    if (message !== null) this.events.push(eventOf(messageOpcode, message));
  }

  /** `null` if it is not what was agreed upon. */
  async #decompressed(bytes: Uint8Array): Promise<Uint8Array | null> {
    this.compressed += 1;
    try {
      const pieces = await this.#decompressor?.transform(joined([bytes, TAIL]));
      if (this.#agreement?.other.noContextTakeover === true) this.#decompressor?.reset();
      return joined(pieces ?? []);
    } catch (error) {
      if (!(error instanceof CompressionError)) throw error;
      this.events.push(`wrong: ${error.message}`);
      return null;
    }
  }

  #control(opcode: number, rsv: number, fin: boolean, payload: Uint8Array): void {
    if (rsv !== 0 || !fin || payload.length > 125) this.events.push("wrong: a control frame");
    if (opcode !== 8) {
      this.events.push(eventOf(opcode, payload));
      return;
    }
    this.closeCode =
      payload.length === 0 ? 0 : ((payload[0] as number) << 8) | (payload[1] as number);
  }
}

function masked(bytes: Uint8Array, mask: ArrayLike<number>): Uint8Array {
  const result = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at++)
    result[at] = (bytes[at] as number) ^ (mask[at & 3] as number);
  return result;
}

function isEof(error: unknown): boolean {
  return error instanceof Error && error.name === "IncompleteReadError";
}

/** What stands for a frame or message in a list of events: long ones by their length and a sum. */
export function eventOf(opcode: number, payload: Uint8Array | string): string {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  if (bytes.length <= 128) return `${opcode}:${bytes.join()}`;
  let sum = 0;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  return `${opcode}:${bytes.length} bytes, ${sum}`;
}

export function closePayload(code: number | null, reason: string | Uint8Array = ""): Uint8Array {
  if (code === null) return new Uint8Array(0);
  const text = typeof reason === "string" ? new TextEncoder().encode(reason) : reason;
  return joined([Uint8Array.of(code >> 8, code), text]);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
