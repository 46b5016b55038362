import type { Completion, Withdraw } from "../platform/network.ts";
import type { ByteSource } from "../platform/standard-streams.ts";
import { type PositionedFile, READ_BYTES_MAX } from "./positioned.ts";

/** So many reads run ahead of the one that is waited for: with them the disk and the runtime's threads work while a chunk is used. */
const READS_AHEAD_MAX = 3;

/** Nothing is read ahead in smaller chunks, in bytes: who asks for so little does not read on in the same way. */
const CHUNK_BYTES_MIN: number = 16 * 1024;

/** So many bytes are read at most that nobody has asked for, but for one chunk, which may be larger. */
const AHEAD_BYTES_MAX: number = 256 * 1024;

/** A read that the system does, or has done. */
interface Reading {
  readonly position: number;
  readonly view: Uint8Array;
  /** Somebody waited for it when it began: what it says about the end is no older than the question. */
  readonly wasAskedFor: boolean;
  withdraw: Withdraw;
  /** How many bytes came; `null` until then. */
  count: number | null;
  error: Error | null;
  /** So many of them were given already. */
  given: number;
}

interface Request {
  readonly bytes: number;
  readonly completion: Completion<Uint8Array | null>;
}

/**
 * Gives the bytes of a part of a file, one chunk after the other, and reads the next ones meanwhile, once a chunk came whole. A read
 * that is withdrawn loses nothing: what comes is kept for the next one.
 */
export class ReadAhead implements ByteSource {
  readonly #file: PositionedFile;
  readonly #end: number;
  /** Of the next byte to give. */
  #position: number;
  /** Reads in the order of their positions, without gaps. Those behind one that came short are thrown away. */
  #readings: Reading[] = [];
  #request: Request | null = null;
  /** What of the file's own writes is seen in `#readings`. */
  #changes: number;

  constructor(file: PositionedFile, start: number, end: number) {
    this.#file = file;
    this.#position = start;
    this.#end = end;
    this.#changes = file.changes;
  }

  read(maxBytes: number, completion: Completion<Uint8Array | null>): Withdraw {
    this.#file.requireOpen("read");
    if (this.#changes !== this.#file.changes) this.#forget();
    const bytes = Math.min(maxBytes, READ_BYTES_MAX, this.#end - this.#position);
    if (bytes === 0) {
      completion.succeed(null);
      return () => {};
    }
    const request = { bytes, completion };
    this.#request = request;
    const [first] = this.#readings;
    if (first === undefined) this.#begin(this.#position, bytes);
    else if (first.count !== null || first.error !== null) this.#give(first);
    return () => {
      if (this.#request === request) this.#request = null;
    };
  }

  /** Goes on from another position. */
  seek(position: number): void {
    if (position === this.#position) return;
    this.#forget();
    this.#position = position;
  }

  /** Forgets what was read ahead. The file stays open: it is somebody else's. */
  close(): void {
    this.#request = null;
    this.#forget();
  }

  #forget(): void {
    this.#changes = this.#file.changes;
    this.#forgetFrom(0);
  }

  #forgetFrom(index: number): void {
    for (const reading of this.#readings.splice(index)) reading.withdraw();
  }

  #begin(position: number, bytes: number): void {
    const reading: Reading = {
      position,
      view: this.#file.allocate(bytes),
      wasAskedFor: this.#request !== null,
      withdraw: () => {},
      count: null,
      error: null,
      given: 0,
    };
    this.#readings.push(reading);
    const completion: Completion<number> = {
      succeed: (count) => {
        reading.count = count;
        // Nobody gets to see what else this memory was used for.
        if (count < bytes) reading.view.fill(0, count);
        this.#ended(reading);
      },
      fail: (error) => {
        reading.error = error;
        this.#ended(reading);
      },
    };
    try {
      reading.withdraw = this.#file.readOwned(reading.view, position, completion);
    } catch (error) {
      completion.fail(error as Error);
    }
  }

  #ended(reading: Reading): void {
    const index = this.#readings.indexOf(reading);
    if (index < 0) return;
    if (reading.count !== reading.view.length) this.#forgetFrom(index + 1);
    if (index > 0) return;
    if (this.#request !== null) this.#give(reading);
  }

  /** Answers the request with what the first read has brought. */
  #give(first: Reading): void {
    const { bytes, completion } = this.#request as Request;
    if (first.error !== null) {
      this.#request = null;
      this.#forgetFrom(0);
      completion.fail(first.error);
    } else if (first.count === 0) {
      this.#forgetFrom(0);
      this.#tellEnd(first, bytes, completion);
    } else {
      const chunk = this.#take(first, bytes);
      this.#request = null;
      this.#position += chunk.length;
      if (first.count === first.view.length && bytes >= CHUNK_BYTES_MIN) this.#readOn(bytes);
      completion.succeed(chunk);
    }
  }

  /** Unless it is old news: the file may have grown since. */
  #tellEnd(first: Reading, bytes: number, completion: Completion<Uint8Array | null>): void {
    if (!first.wasAskedFor) return this.#begin(this.#position, bytes);
    this.#request = null;
    completion.succeed(null);
  }

  #take(first: Reading, bytes: number): Uint8Array {
    const { view, given } = first;
    const count = first.count as number;
    const taken = Math.min(bytes, count - given);
    first.given += taken;
    const isAllGiven = first.given === count;
    if (isAllGiven) this.#readings.shift();
    const chunk = view.subarray(given, given + taken);
    // Each chunk belongs to who gets it, with its memory; and a few bytes do not keep much of it.
    return given > 0 || !isAllGiven || taken < view.length / 2 ? chunk.slice() : chunk;
  }

  /** Begins the reads behind those that are there, if the last one came whole. */
  #readOn(chunkBytes: number): void {
    for (;;) {
      const last = this.#readings.at(-1);
      const next = last === undefined ? this.#position : last.position + last.view.length;
      const ahead = next - this.#position;
      const bytes = Math.min(chunkBytes, this.#end - next);
      const isEnough =
        this.#readings.length >= READS_AHEAD_MAX ||
        (ahead > 0 && ahead + bytes > AHEAD_BYTES_MAX) ||
        (last !== undefined && last.count !== null && last.count < last.view.length);
      if (isEnough || bytes === 0) return;
      this.#begin(next, bytes);
    }
  }
}
