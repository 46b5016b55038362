/**
 * The standard streams through `process.stdin`, `process.stdout` and `process.stderr`: what `console` and other libraries use
 * too, so that nothing overtakes anything. They are the process's: here they are borrowed, never closed.
 */
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { BusyResourceError } from "../../core/errors.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import type { ByteSource, StandardStreams } from "../../platform/standard-streams.ts";
import type { Wire, WireDetails, WireReceiver } from "../../platform/wire.ts";
import { outsideContext } from "./ambient.ts";
import { toSystemError } from "./system-error.ts";

export const nodeStandardStreams: StandardStreams = {
  openInput: () => (input ??= new StandardInput()),
  openOutput: (which) =>
    new OutputWire(
      which === "output" ? process.stdout : process.stderr,
      `write to standard ${which}`,
    ),
};

let input: StandardInput | undefined;

/** One for the process: what one reader has left, the next one gets. */
class StandardInput implements ByteSource {
  /** Came, and nobody has taken it. */
  readonly #rest: Uint8Array[] = [];
  #ended = false;
  #failure: Error | null = null;
  #reader: Reader | null = null;
  /** Whether `process.stdin` flows, and this listens. */
  #flowing = false;
  #watched = false;

  read(maxBytes: number, completion: Completion<Uint8Array | null>): Withdraw {
    if (this.#reader !== null) {
      throw new BusyResourceError(
        "standard input: another task reads it at the moment; let one task do it, or take turns with a Lock",
      );
    }
    const reader: Reader = { maxBytes, completion };
    this.#reader = reader;
    if (this.#rest.length > 0 || this.#ended || this.#failure !== null)
      queueMicrotask(() => this.#serve(reader));
    else this.#resume();
    return () => {
      if (this.#reader !== reader) return;
      this.#reader = null;
      this.#pauseSoon();
    };
  }

  /** It is the process's, and stays open. */
  close(): void {}

  /** Gives the reader what is there, if it still waits. */
  #serve(reader: Reader | null = this.#reader): void {
    if (reader === null || reader !== this.#reader) return;
    this.#reader = null;
    const first = this.#rest[0];
    if (first !== undefined) {
      if (first.length > reader.maxBytes) this.#rest[0] = first.subarray(reader.maxBytes);
      else this.#rest.shift();
      reader.completion.succeed(first.subarray(0, reader.maxBytes));
    } else if (this.#failure !== null) {
      reader.completion.fail(this.#failure);
    } else {
      reader.completion.succeed(null);
    }
    this.#pauseSoon();
  }

  #resume(): void {
    if (this.#flowing) return;
    this.#flowing = true;
    // What the stream's callbacks hold would live as long as the process.
    outsideContext(() => {
      try {
        const { stdin } = process;
        if (stdin.readableEnded || stdin.destroyed) {
          queueMicrotask(this.#onEnd);
          return;
        }
        if (!this.#watched) stdin.on("error", this.#onError);
        this.#watched = true;
        stdin.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onEnd);
        stdin.resume();
      } catch (error) {
        // Bun throws here if it is a directory.
        queueMicrotask(() => this.#onError(error));
      }
    });
  }

  /**
   * Not at once: Node and Deno would read on into their own buffers, which keeps the process alive until something comes (seen with
   * a pipe, when `pause` is called while "data" is told). And the next read may come in the same turn.
   */
  #pauseSoon(): void {
    setImmediate(() => {
      if (this.#reader !== null || !this.#flowing) return;
      this.#flowing = false;
      const { stdin } = process;
      stdin.pause();
      stdin.removeListener("data", this.#onData);
      stdin.removeListener("end", this.#onEnd);
      stdin.removeListener("close", this.#onEnd);
    });
  }

  readonly #onData = (chunk: Uint8Array | string): void => {
    const bytes = typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
    if (bytes.length === 0) return;
    this.#rest.push(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#serve();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#serve();
  };

  readonly #onError = (error: unknown): void => {
    this.#failure ??= toSystemError("read standard input", error);
    this.#serve();
  };
}

interface Reader {
  readonly maxBytes: number;
  readonly completion: Completion<Uint8Array | null>;
}

/** Bytes go out through a stream of the process, which nobody closes. */
class OutputWire implements Wire {
  readonly details: WireDetails = NO_DETAILS;
  readonly #stream: Writable;
  readonly #attempt: string;
  #receiver: WireReceiver | null = null;

  constructor(stream: Writable, attempt: string) {
    this.#stream = stream;
    this.#attempt = attempt;
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
  }

  write(bytes: Uint8Array): boolean {
    const stream = this.#stream;
    const release = holdErrors(stream);
    // A copy, since what a cancelled `send` has handed over goes out all the same, and its bytes may be changed by then.
    const copy = new Uint8Array(bytes);
    let isWritten = false;
    let hasReturned = false;
    outsideContext(() =>
      stream.write(copy, (error) => {
        release();
        if (error !== null && error !== undefined) this.#fail(error);
        else if (hasReturned) this.#receiver?.written();
        else isWritten = true;
      }),
    );
    hasReturned = true;
    // Bun calls back within `write` if the system took everything.
    return isWritten;
  }

  /** Not within `write`. */
  #fail(error: Error): void {
    queueMicrotask(() => this.#receiver?.failed(toSystemError(this.#attempt, error)));
  }

  close(): void {
    this.#receiver = null;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
}

const held: WeakMap<Writable, { count: number }> = new WeakMap();

/**
 * A failed write is told twice: to its callback, and as an event that ends the process if nobody listens. So we listen while a
 * write of ours runs, and a little longer; errors of others stay theirs.
 */
function holdErrors(stream: Readable | Writable): () => void {
  const holds = held.get(stream as Writable) ?? { count: 0 };
  held.set(stream as Writable, holds);
  if (holds.count === 0) stream.on("error", ignore);
  holds.count += 1;
  return () =>
    setImmediate(() => {
      holds.count -= 1;
      if (holds.count === 0) stream.removeListener("error", ignore);
    });
}

function ignore(): void {}

/** Of what is no connection. */
export const NO_DETAILS: WireDetails = {
  localAddress: undefined,
  remoteAddress: undefined,
  tls: undefined,
  securing: false,
  descriptor: undefined,
  setOptions: () => {},
};
