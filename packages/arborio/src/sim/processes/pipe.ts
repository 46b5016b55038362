/**
 * A pipe between two simulated processes: bytes in order, bounded, with the end when nobody can write any more, and EPIPE when nobody can
 * read. How long bytes take, and into which pieces they fall, is the seed's.
 *
 * An end is held by each process that has it, as descriptors are: a child that inherits its parent's output keeps the pipe open.
 */
import type { Completion, Withdraw } from "../../platform/network.ts";
import type { ByteSource } from "../../platform/standard-streams.ts";
import type { Wire, WireDetails, WireReceiver } from "../../platform/wire.ts";
import type { Chooser } from "../chooser.ts";
import type { VirtualClock } from "../clock.ts";
import { systemError } from "../system-errors.ts";

/** So much a pipe holds that nobody has read, as on Linux. */
const CAPACITY_BYTES = 65_536;

/** A pipe is as quick as the memory; a reader still needs to be woken: at most so many microseconds. */
const LATENCY_MAX_US = 50;

/** How much of what is there a read gives, one of these: mostly all. At least one byte. */
const SHARES: readonly number[] = [1, 1, 1, 1, 1, 1, 0.5, 0];

/** What a process has as one of its standard streams, together with others that inherited it. */
interface Held {
  /** One more process has it. */
  hold(): void;
  /** One process less has it. */
  release(): void;
}

/** What a process reads. */
export interface InputEnd extends Held {
  openSource(): ByteSource;
}

/** What a process writes to. */
export interface OutputEnd extends Held {
  openWire(): Wire;
}

const NOTHING_HELD: Held = { hold: () => {}, release: () => {} };

const NO_DETAILS: WireDetails = {
  localAddress: undefined,
  remoteAddress: undefined,
  tls: undefined,
  securing: false,
  descriptor: undefined,
  setOptions: () => {},
};

/** `/dev/null` to read from. */
export function noInput(clock: VirtualClock): InputEnd {
  const read = (_maxBytes: number, completion: Completion<Uint8Array | null>): Withdraw => {
    const timer = clock.after(1, () => completion.succeed(null));
    return () => timer.clear();
  };
  return { ...NOTHING_HELD, openSource: () => ({ read, close: () => {} }) };
}

/** `/dev/null` to write to. */
export const NO_OUTPUT: OutputEnd = {
  ...NOTHING_HELD,
  openWire: () => ({
    details: NO_DETAILS,
    open: () => {},
    pause: () => {},
    resume: () => {},
    write: () => true,
    end: () => {},
    close: () => {},
  }),
};

/** Both ends, of which each is held once at first. */
export class Pipe {
  readonly #clock: VirtualClock;
  readonly #chooser: Chooser;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #writersLeft = 1;
  #readersLeft = 1;
  /** Who wants to know that there are bytes, or the end. Each asks again when it wants more. */
  readonly #readers: Set<() => void> = new Set();
  readonly #writers: Set<PipeWriter> = new Set();

  constructor(clock: VirtualClock, chooser: Chooser) {
    this.#clock = clock;
    this.#chooser = chooser;
  }

  /** For who reads. */
  get input(): InputEnd {
    return {
      hold: () => void (this.#readersLeft += 1),
      release: () => this.#releaseReader(),
      openSource: () => new PipeSource(this),
    };
  }

  /** For who writes. */
  get output(): OutputEnd {
    return {
      hold: () => void (this.#writersLeft += 1),
      release: () => this.#releaseWriter(),
      openWire: () => this.openWriter(() => {}),
    };
  }

  /** A wire that writes; `closed` is called when it is closed. */
  openWriter(closed: () => void): PipeWriter {
    const writer = new PipeWriter(this, closed);
    this.#writers.add(writer);
    return writer;
  }

  get isBroken(): boolean {
    return this.#readersLeft === 0;
  }

  get isEnded(): boolean {
    return this.#writersLeft === 0 && this.#bytes === 0;
  }

  get isReadable(): boolean {
    return this.#bytes > 0 || this.isEnded;
  }

  #releaseReader(): void {
    this.#readersLeft -= 1;
    if (this.#readersLeft > 0) return;
    this.#chunks.length = 0;
    this.#bytes = 0;
    for (const writer of this.#writers) writer.breakSoon();
  }

  #releaseWriter(): void {
    this.#writersLeft -= 1;
    if (this.isReadable) this.#wakeReaders();
  }

  forget(writer: PipeWriter): void {
    this.#writers.delete(writer);
  }

  /** Takes as much as there is room for; how much that was. */
  push(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, CAPACITY_BYTES - this.#bytes);
    if (count === 0) return 0;
    this.#chunks.push(bytes.slice(0, count));
    this.#bytes += count;
    this.#wakeReaders();
    return count;
  }

  /** Some of what is there; `null` at the end. Only while `isReadable`. */
  take(maxBytes: number): Uint8Array | null {
    const [first] = this.#chunks;
    if (first === undefined) return null;
    const there = Math.min(first.length, maxBytes);
    const share = SHARES[this.#chooser.pick("chunk", SHARES.length)] as number;
    const count = Math.max(1, Math.floor(there * share));
    if (count === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    this.#bytes -= count;
    for (const writer of this.#writers) writer.goOn();
    return first.slice(0, count);
  }

  /** Calls `readable` once, when there is something to take. */
  whenReadable(readable: () => void): Withdraw {
    let timer: { clear(): void } | null = null;
    const wake = (): void => {
      this.#readers.delete(wake);
      timer = this.after(() => {
        // Another reader may have been quicker.
        if (this.isReadable) readable();
        else this.#readers.add(wake);
      });
    };
    if (this.isReadable) wake();
    else this.#readers.add(wake);
    return () => {
      this.#readers.delete(wake);
      timer?.clear();
    };
  }

  #wakeReaders(): void {
    for (const wake of this.#readers) wake();
  }

  after(done: () => void): { clear(): void } {
    return this.#clock.after(1 + this.#chooser.pick("latency", LATENCY_MAX_US), done);
  }
}

/** A wire into a pipe. */
export class PipeWriter implements Wire {
  readonly details: WireDetails = NO_DETAILS;
  readonly #pipe: Pipe;
  readonly #closed: () => void;
  #receiver: WireReceiver | null = null;
  /** What is left of a `write` that waits. */
  #rest: Uint8Array | null = null;
  #isClosed = false;
  #isOver = false;

  constructor(pipe: Pipe, closed: () => void) {
    this.#pipe = pipe;
    this.#closed = closed;
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    if (this.#pipe.isBroken) this.breakSoon();
  }

  /** Closed, it drops them: a program that was ended may still try. */
  write(bytes: Uint8Array): boolean {
    if (this.#isClosed) return true;
    if (this.#pipe.isBroken) {
      this.breakSoon();
      return false;
    }
    const count = this.#pipe.push(bytes);
    if (count === bytes.length) return true;
    this.#rest = bytes.subarray(count);
    return false;
  }

  /** There is room. */
  goOn(): void {
    if (this.#rest === null) return;
    const count = this.#pipe.push(this.#rest);
    this.#rest = count === this.#rest.length ? null : this.#rest.subarray(count);
    if (this.#rest === null) this.#pipe.after(() => this.#receiver?.written());
  }

  /** Nobody reads any more. */
  breakSoon(): void {
    this.#rest = null;
    this.#pipe.after(() => {
      const receiver = this.#receiver;
      this.#receiver = null;
      receiver?.failed(systemError("write to the process", "EPIPE"));
    });
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#closed();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#receiver = null;
    this.#rest = null;
    this.#pipe.forget(this);
    this.end();
  }

  pause(): void {}
  resume(): void {}
}

/** A wire out of a pipe: it flows, and holds the pipe's reading end. */
export class PipeReader implements Wire {
  readonly details: WireDetails = NO_DETAILS;
  readonly #pipe: Pipe;
  readonly #end: InputEnd;
  readonly #bytesMax: number;
  #receiver: WireReceiver | null = null;
  #withdraw: Withdraw | null = null;
  #isClosed = false;

  /** @param bytesMax at most so many at once. */
  constructor(pipe: Pipe, bytesMax: number = CAPACITY_BYTES) {
    this.#pipe = pipe;
    this.#end = pipe.input;
    this.#bytesMax = bytesMax;
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    this.resume();
  }

  pause(): void {
    this.#withdraw?.();
    this.#withdraw = null;
  }

  resume(): void {
    if (this.#withdraw !== null || this.#receiver === null) return;
    this.#withdraw = this.#pipe.whenReadable(() => {
      this.#withdraw = null;
      this.#read();
    });
  }

  #read(): void {
    const bytes = this.#pipe.take(this.#bytesMax);
    if (bytes === null) {
      const receiver = this.#receiver;
      this.#receiver = null;
      receiver?.ended();
      return;
    }
    // Asked before it is told, so that whoever is told can pause it.
    this.resume();
    this.#receiver?.received(bytes);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.pause();
    this.#receiver = null;
    this.#end.release();
  }

  write(): boolean {
    return true;
  }

  end(): void {}
}

/** What a program reads from a pipe. */
class PipeSource implements ByteSource {
  readonly #pipe: Pipe;

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  read(maxBytes: number, completion: Completion<Uint8Array | null>): Withdraw {
    return this.#pipe.whenReadable(() => completion.succeed(this.#pipe.take(maxBytes)));
  }

  close(): void {}
}
