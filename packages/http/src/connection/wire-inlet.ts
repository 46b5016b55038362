/**
 * What comes in on a wire: bytes go to the parser at once; whoever needs more than it has waits here. Reading stops while more is
 * buffered than anybody asked for, so that the system's own buffers press back on the peer.
 */
import { ParkingLot, type Wire } from "arborio/lowlevel";

/** So many bytes are read that nobody has asked for: a pipeline of requests, or a body. Then the wire is paused. */
const READ_AHEAD_BYTES = 65_536;

/** The part of a parser that an inlet needs. */
export interface InputParser {
  push(bytes: Uint8Array): void;
  end(): void;
  readonly bufferedBytes: number;
}

/** The receiving half of a connection. */
export class WireInlet {
  readonly #wire: Wire;
  readonly #parser: InputParser;
  readonly #lot: ParkingLot = new ParkingLot("http.receive");
  #paused = false;
  #ignored = false;
  /** Set when nothing more will come. */
  ended = false;
  /** Why the connection broke. */
  failure: Error | null = null;
  /** Bytes that came, for statistics and for seeing progress. */
  bytesReceived = 0;

  constructor(wire: Wire, parser: InputParser) {
    this.#wire = wire;
    this.#parser = parser;
  }

  received(bytes: Uint8Array): void {
    this.bytesReceived += bytes.length;
    if (this.#ignored) return void this.#lot.unparkAll();
    this.#parser.push(bytes);
    // Who waits takes it before more can come, or the next that comes finds nobody: no stop and start for each piece of a large body.
    if (this.#lot.unpark() > 0 || this.#paused) return;
    if (this.#parser.bufferedBytes >= READ_AHEAD_BYTES) this.pause();
  }

  end(): void {
    this.ended = true;
    this.#parser.end();
    this.#lot.unparkAll();
  }

  /** What comes no more because of `error`; the first one counts. */
  fail(error: Error): void {
    this.failure ??= error;
    this.ended = true;
    this.#paused = false;
    this.#lot.unparkAll();
  }

  /** Reads nothing until somebody waits. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#wire.pause();
  }

  /** Waits until something happens here; the caller looks then what it was. Reads on, however much there is: it is not enough. */
  wait(): Promise<void> {
    this.#resume();
    return this.#lot.park();
  }

  /** From now on what comes is dropped. */
  ignore(): void {
    this.#ignored = true;
    this.#resume();
  }

  /** Lets whoever waits look again. */
  wake(): void {
    this.#lot.unparkAll();
  }

  /** Something was consumed: reads on if there is room again. */
  consumed(): void {
    if (this.#paused && this.#parser.bufferedBytes < READ_AHEAD_BYTES) this.#resume();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#wire.resume();
  }
}
