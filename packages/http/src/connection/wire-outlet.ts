/**
 * What goes out on a wire: text and bytes are collected in a borrowed buffer and written at once when the connection has nothing
 * more to add, so that a head and its body, and the answers to pipelined requests, are one write.
 *
 * Invariant: a buffer is borrowed only while it holds bytes that are not handed over yet, or that the wire still reads.
 */
import { BrokenResourceError, InvalidStateError } from "arborio";
import { ParkingLot, type Wire } from "arborio/lowlevel";
import type { BufferPool } from "./buffer-pool.ts";

const ENCODER: TextEncoder = new TextEncoder();

/** Up to so many bytes a loop copies text sooner than an encoder is called, on all runtimes. */
const COPIED_BYTES_MAX = 64;

/** So many bytes are handed over at a time: a peer that takes them within the deadline of a write makes progress. */
const PIECE_BYTES = 65_536;

const HEAD_END = "\r\n\r\n";

/** The sending half of a connection. */
export class WireOutlet {
  readonly #wire: Wire;
  readonly #pool: BufferPool;
  /** For messages: `"client"`. */
  readonly #peer: string;
  #buffer: Uint8Array | null = null;
  #used = 0;
  /** The wire has a write that is not done; whoever waits for it. */
  #writing = false;
  #lot: ParkingLot | null = null;
  /** Writes that the wire did not do at once. */
  #writes = 0;
  #waiters = 0;
  #failure: Error | null = null;
  /** When the peer, for whom somebody waits, is overdue with the write of now. */
  overdueAt: number = Infinity;
  /** Whether what was collected is sent soon by itself; the flusher's. */
  isLate = false;
  /** What is collected was seen by `flushLate` before. */
  #wasPending = false;
  /** Bytes handed to the wire, for statistics and for seeing progress. */
  bytesWritten = 0;

  constructor(wire: Wire, pool: BufferPool, peer: "client" | "server") {
    this.#wire = wire;
    this.#pool = pool;
    this.#peer = peer;
  }

  /** Whether a write waits for the peer. */
  get isWriting(): boolean {
    return this.#writing;
  }

  /** Adds text of characters up to U+00FF, each one byte: heads, chunk sizes. */
  addLatin1(text: string): void {
    const at = this.#used;
    const room = this.#room(text.length * 2);
    const { read, written } = ENCODER.encodeInto(text, at === 0 ? room : room.subarray(at));
    if (read === written) {
      this.#used = at + written;
      return;
    }
    // Characters beyond ASCII took two bytes each.
    copyAscii(text, room, at);
    this.#used = at + text.length;
  }

  /** Adds bytes; a copy is taken. */
  addBytes(bytes: Uint8Array): void {
    const at = this.#used;
    this.#room(bytes.length).set(bytes, at);
    this.#used = at + bytes.length;
  }

  /** Adds text as UTF-8, of which the caller knows that it is so many bytes. */
  addUtf8(text: string, bytes: number): void {
    const at = this.#used;
    const room = this.#room(bytes);
    if (bytes === text.length && bytes <= COPIED_BYTES_MAX) copyAscii(text, room, at);
    else ENCODER.encodeInto(text, at === 0 ? room : room.subarray(at));
    this.#used = at + bytes;
  }

  /** Adds a head that ends where the value of its last field, `Content-Length`, begins; and that value. */
  addReadyHead(start: Uint8Array, bodyBytes: number): void {
    const length = String(bodyBytes);
    let at = this.#used;
    const room = this.#room(start.length + length.length + HEAD_END.length);
    room.set(start, at);
    at += start.length;
    copyAscii(length, room, at);
    at += length.length;
    copyAscii(HEAD_END, room, at);
    this.#used = at + HEAD_END.length;
  }

  /** Bytes collected and not written. */
  get pending(): number {
    return this.#used;
  }

  #room(bytes: number): Uint8Array {
    const needed = this.#used + bytes;
    const buffer = this.#buffer;
    if (buffer !== null && buffer.length >= needed) return buffer;
    const larger = this.#pool.take(needed);
    if (buffer !== null) {
      larger.set(buffer.subarray(0, this.#used));
      this.#pool.give(buffer);
    }
    return (this.#buffer = larger);
  }

  /**
   * Hands everything over. `true`: the system has it. `false`: wait with `drained()` before anything is added; while the wire has a write
   * nothing is handed over, but kept for the next call.
   *
   * @throws BrokenResourceError if the connection is broken.
   */
  flush(): boolean {
    const buffer = this.#buffer;
    if (this.#failure !== null) throw this.#broken();
    if (this.#writing) return false;
    if (buffer === null) return true;
    this.#buffer = null;
    this.#wasPending = false;
    const bytes = this.#used === buffer.length ? buffer : buffer.subarray(0, this.#used);
    this.#used = 0;
    this.bytesWritten += bytes.length;
    if (this.#wire.write(bytes)) {
      this.#pool.give(buffer);
      return true;
    }
    // The wire reads the buffer still; it is not borrowed any more but gone.
    this.#begin();
    return false;
  }

  /** Hands over what is still there and was there the last time, if that can be now. `false`: to be called again. */
  flushLate(): boolean {
    const isPending = this.#buffer !== null && !this.#writing && this.#failure === null;
    if (isPending && !this.#wasPending) {
      // It may have been collected just now, by who is about to add to it: a write more for each of its batches.
      this.#wasPending = true;
      return false;
    }
    this.isLate = false;
    if (isPending) this.flush();
    return true;
  }

  /**
   * Hands over bytes of somebody else's, without a copy; they must not change until `true`, or `drained()`, says so.
   *
   * @throws InvalidStateError while the wire has a write: the caller has not waited.
   */
  write(bytes: Uint8Array): boolean {
    if (this.#failure !== null) throw this.#broken();
    if (this.#writing)
      throw new InvalidStateError("WireOutlet.write: called before drained() has ended");
    this.bytesWritten += bytes.length;
    if (bytes.length === 0 || this.#wire.write(bytes)) return true;
    this.#begin();
    return false;
  }

  #begin(): void {
    this.#writing = true;
    this.#writes += 1;
  }

  /** `write` of what may be much, so that the peer's progress is seen; `drained` waits where there is need. */
  async writeInPieces(bytes: Uint8Array, drained: () => Promise<void>): Promise<void> {
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      const piece =
        bytes.length <= PIECE_BYTES ? bytes : bytes.subarray(start, start + PIECE_BYTES);
      if (!this.write(piece)) await drained();
    }
  }

  /**
   * Waits until the system has what was handed over; by then somebody else may have written again. Only after a `false`. From `until`
   * on, the peer is overdue; it is for the caller to look at `overdueAt`. If several wait, the first one's moment counts: it is the same write.
   *
   * @throws BrokenResourceError if the connection breaks.
   */
  async drained(until: number): Promise<void> {
    const write = this.#writes;
    this.overdueAt = Math.min(this.overdueAt, until);
    this.#waiters += 1;
    try {
      while (this.#writing && this.#writes === write && this.#failure === null) {
        this.#lot ??= new ParkingLot("http.send");
        await this.#lot.park();
      }
      if (this.#failure !== null) throw this.#broken();
    } finally {
      this.#waiters -= 1;
      if (this.#waiters === 0) this.overdueAt = Infinity;
    }
  }

  /** The wire has handed everything over. */
  written(): void {
    this.#writing = false;
    this.overdueAt = Infinity;
    this.#lot?.unparkAll();
  }

  /** The connection is broken: whoever waits learns it. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#lot?.unparkAll();
  }

  /** Gives the buffer back: nothing more will be written. */
  release(): void {
    if (this.#buffer !== null) this.#pool.give(this.#buffer);
    this.#buffer = null;
    this.#used = 0;
    this.#failure ??= new Error("the connection was closed");
  }

  #broken(): BrokenResourceError {
    return new BrokenResourceError(
      `HTTP: the ${this.#peer} has gone, so nothing can be sent to it`,
      {
        cause: this.#failure,
      },
    );
  }
}

function copyAscii(text: string, room: Uint8Array, at: number): void {
  for (let index = 0; index < text.length; index++) room[at + index] = text.charCodeAt(index);
}

/** Bytes of the text in UTF-8; lone surrogates count as U+FFFD, which is what they become. */
export function utf8Length(text: string): number {
  for (let index = 0; index < text.length; index++)
    if (text.charCodeAt(index) > 0x7f) return ENCODER.encode(text).length;
  return text.length;
}
