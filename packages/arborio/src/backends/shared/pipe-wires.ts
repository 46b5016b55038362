/**
 * Wires over the pipes to a child process. Each carries bytes in one direction: what the other direction is asked for has no effect.
 */
import type { Readable, Writable } from "node:stream";
import { InternalError } from "../../core/errors.ts";
import type { Wire, WireDetails, WireReceiver } from "../../platform/wire.ts";
import { NO_DETAILS } from "./node-stdio.ts";
import { toSystemError } from "./system-error.ts";

const READ = "read from the process";
const WRITE = "write to the process";

/** The end of a pipe that a process reads. */
export class InputPipe implements Wire {
  readonly details: WireDetails = NO_DETAILS;
  readonly #stream: Writable;
  #receiver: WireReceiver | null = null;
  #failure: Error | null = null;
  /** From this side: nobody asks why it ended. An error costs as much as the rest of closing. */
  #isClosed = false;

  constructor(stream: Writable) {
    this.#stream = stream;
    // The runtimes destroy the stream when the process has ended.
    stream.on("error", (error) => this.failed(error));
    stream.on("close", () => {
      if (!this.#isClosed) this.failed(nobodyReads());
    });
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    if (this.#failure !== null) queueMicrotask(() => this.#tell());
  }

  write(bytes: Uint8Array): boolean {
    const stream = this.#stream;
    if (stream.destroyed) {
      queueMicrotask(() => this.failed(nobodyReads()));
      return false;
    }
    let waits = false;
    stream.write(bytes, (error) => {
      if (error !== null && error !== undefined) this.failed(error);
      else if (waits) this.#receiver?.written();
    });
    // A write that did not have to wait is called back too, perhaps while the next one waits.
    // One that the system refused at once has no length any more, but an error that is told later.
    waits = stream.writableLength > 0 || stream.destroyed || (stream.errored ?? null) !== null;
    return !waits;
  }

  /** @internal */
  failed(error: unknown): void {
    this.#failure ??= toSystemError(WRITE, error);
    this.#tell();
  }

  #tell(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.failed(this.#failure as Error);
  }

  end(): void {
    this.#stream.end();
  }

  close(abortively: boolean): void {
    this.#isClosed = true;
    this.#receiver = null;
    if (abortively) this.#stream.destroy();
    else this.#stream.end();
  }

  pause(): void {}
  resume(): void {}
}

/** What is wrong with writing to a process that has ended. */
export function nobodyReads(): Error {
  return Object.assign(new Error("closed"), { code: "EPIPE" });
}

function connectionReset(): Error {
  return Object.assign(new Error("closed"), { code: "ECONNRESET" });
}

/** The end of a pipe that a process writes. */
export class OutputPipe implements Wire {
  readonly details: WireDetails = NO_DETAILS;
  readonly #stream: Readable;
  #receiver: WireReceiver | null = null;
  #paused = true;
  /** How it ended; without bytes it does that also before it is opened. */
  #end: "ended" | Error | null = null;
  #isClosed = false;

  constructor(stream: Readable) {
    this.#stream = stream;
    stream.on("end", () => this.#ended("ended"));
    stream.on("error", (error) => this.#ended(toSystemError(READ, error)));
    // It comes after the end too, and after a close from this side, when nobody asks why; an error costs as much as the rest.
    stream.on("close", () => {
      if (this.#end === null && !this.#isClosed)
        this.#ended(toSystemError(READ, connectionReset()));
    });
    // When a process has ended, the runtimes let its streams flow, and read without bounds what others still write to the pipe.
    const resume = stream.resume.bind(stream);
    stream.resume = () => (this.#paused ? stream : resume());
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    if (this.#end !== null) {
      queueMicrotask(() => this.#tell());
      return;
    }
    this.#paused = false;
    this.#stream.on("data", (chunk: Uint8Array) => this.#receiver?.received(owned(chunk)));
  }

  pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#stream.resume();
  }

  #ended(end: "ended" | Error): void {
    this.#end ??= end;
    this.#tell();
  }

  #tell(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    if (this.#end === "ended") receiver?.ended();
    else receiver?.failed(this.#end as Error);
  }

  close(): void {
    this.#isClosed = true;
    this.#receiver = null;
    this.#stream.destroy();
  }

  write(): boolean {
    throw new InternalError("the output of a process: nothing can be written to it");
  }

  end(): void {}
}

/** The receiver may transfer the memory, so it has to be the chunk's alone. */
function owned(chunk: Uint8Array): Uint8Array {
  return chunk.byteLength === chunk.buffer.byteLength
    ? new Uint8Array(chunk.buffer)
    : new Uint8Array(chunk);
}
