/** A wire over the events of Node's streams, described by their shape. */
import { ambientScope, runInScope } from "../core/ambient.ts";
import { describeValue } from "../core/arguments.ts";
import { BrokenResourceError, NotSupportedError } from "../core/errors.ts";
import { textOf } from "../core/exception-text.ts";
import type { Wire, WireDetails, WireReceiver } from "../platform/wire.ts";
import { NO_DETAILS } from "./foreign-wire.ts";

/** What both kinds of Node's streams have. */
export interface NodeStreamLike {
  /** Adds a listener. */
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Takes it away again. */
  removeListener(event: string, listener: (...args: unknown[]) => void): unknown;
  /** Ends it at once. */
  destroy(error?: Error): unknown;
  /** Whether it was ended so. */
  readonly destroyed?: boolean;
  /** What it was destroyed with. */
  readonly errored?: Error | null;
}

/** The shape of a `Readable` of bytes. */
export interface NodeReadableLike extends NodeStreamLike {
  /** Reads no more. */
  pause(): unknown;
  /** Reads again. */
  resume(): unknown;
  /** Whether everything was read. */
  readonly readableEnded?: boolean;
  /** Whether it carries anything but bytes. */
  readonly readableObjectMode?: boolean;
}

/** The shape of a `Writable` of bytes. */
export interface NodeWritableLike extends NodeStreamLike {
  /** Takes bytes, and tells when they are processed. */
  write(bytes: Uint8Array, written: (error?: Error | null) => void): boolean;
  /** There is nothing more to write. */
  end(): unknown;
  /** Whether it carries anything but bytes. */
  readonly writableObjectMode?: boolean;
  /** Whether everything was written. */
  readonly writableFinished?: boolean;
}

/** The shape of a `Duplex` of bytes: a socket, a pipe, a transform. */
export interface NodeDuplexLike extends NodeReadableLike, NodeWritableLike {}

/** A wire over the events of a Node stream. */
export class NodeStreamWire implements Wire {
  readonly details: WireDetails = NO_DETAILS;
  /** For the simulator's report of deadlocks: what comes here comes from outside the library. */
  readonly isForeign = true;
  readonly #name: string;
  readonly #readable: NodeReadableLike | null;
  readonly #writable: NodeWritableLike | null;
  #receiver: WireReceiver | null = null;
  #readOver = false;
  #ended = false;
  #failing = false;

  constructor(name: string, readable: NodeReadableLike | null, writable: NodeWritableLike | null) {
    this.#name = name;
    this.#readable = readable;
    this.#writable = writable;
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    const { root } = ambientScope().runState;
    runInScope(root, () => this.#listen(), undefined);
  }

  #listen(): void {
    const both = new Set<NodeStreamLike>();
    if (this.#readable !== null) both.add(this.#readable);
    if (this.#writable !== null) both.add(this.#writable);
    for (const stream of both) {
      stream.on("error", (error: unknown) => this.#fail(error));
      stream.on("close", () => this.#closed());
    }
    this.#readable?.on("end", () => this.#readEnd());
    this.#readable?.on("data", (chunk: unknown) => this.#data(chunk));
    // One that somebody has paused before would not flow because of a listener.
    this.#readable?.resume();
    if (this.#readable?.readableEnded === true) this.#later(() => this.#readEnd());
    else if ([...both].some(({ destroyed }) => destroyed === true))
      this.#later(() => this.#closed());
  }

  /** A stream that is over already tells nothing any more, and `open` may tell nothing before it returns. */
  #later(tell: () => void): void {
    void Promise.resolve().then(tell);
  }

  pause(): void {
    this.#readable?.pause();
  }

  resume(): void {
    this.#readable?.resume();
  }

  write(bytes: Uint8Array): boolean {
    const writable = this.#requireWritable();
    let hasReturned = false;
    let isWritten = false;
    try {
      // A copy, since a stream may keep the chunk for longer than it takes to write, and the caller of `send` may change it then.
      writable.write(new Uint8Array(bytes), (error) => {
        if (error !== null && error !== undefined) this.#fail(error);
        else if (hasReturned) this.#receiver?.written();
        else isWritten = true;
      });
    } catch (error) {
      // Of a stream whose `_write` throws.
      this.#fail(error);
    }
    hasReturned = true;
    return isWritten;
  }

  end(): void {
    this.#requireWritable().end();
    this.#ended = true;
  }

  close(abortively: boolean): void {
    this.#receiver = null;
    const destroy = (): void => {
      this.#readable?.destroy();
      this.#writable?.destroy();
    };
    // What was sent has been processed, but the end may have something of its own to write: a compressor's last block.
    // One that failed ends no more by itself, and must not look whole.
    if (abortively || this.#failing || this.#writable === null) destroy();
    else if (this.#writable.writableFinished === true) destroy();
    else {
      this.#writable.on("finish", destroy);
      this.#writable.on("error", destroy);
      if (!this.#ended) this.#writable.end();
      // Nobody takes what still comes, and a transform does not finish while it cannot give it to anybody.
      this.#readable?.resume();
    }
  }

  #requireWritable(): NodeWritableLike {
    if (this.#writable !== null) return this.#writable;
    throw new NotSupportedError(`${this.#name}: it only receives, needs a stream that sends too`);
  }

  #data(chunk: unknown): void {
    if (chunk instanceof Uint8Array) {
      if (chunk.length === 0) return;
      // A copy: what others write into a `PassThrough` is still theirs, and what is received belongs to the receiver.
      this.#receiver?.received(new Uint8Array(chunk));
      return;
    }
    const hint = typeof chunk === "string" ? "; leave out setEncoding" : "";
    this.#fail(new TypeError(`${this.#name}: it gave ${describeValue(chunk)}, needs bytes${hint}`));
  }

  #readEnd(): void {
    if (this.#readable === null || this.#readOver) return;
    this.#readOver = true;
    this.#receiver?.ended();
  }

  /** A stream that is destroyed without an error tells nothing but this. */
  #closed(): void {
    const isWhole =
      (this.#readable === null || this.#readOver) && (this.#writable === null || this.#ended);
    if (isWhole) return;
    const error = this.#readable?.errored ?? this.#writable?.errored;
    this.#fail(error ?? new Error("the stream was destroyed before its end"));
  }

  /** Told later, since streams fail also from within what is called on them. */
  #fail(cause: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#later(() => {
      const receiver = this.#receiver;
      this.#receiver = null;
      receiver?.failed(new BrokenResourceError(textOf(cause), { cause }));
    });
  }
}

export function requireReadable(name: string, stream: NodeReadableLike): void {
  const isReadable =
    typeof stream?.on === "function" &&
    typeof stream.resume === "function" &&
    stream.readableObjectMode !== true;
  if (!isReadable)
    throw new TypeError(`${name}: got ${describeValue(stream)}, needs a readable stream of bytes`);
}

export function requireWritable(name: string, stream: NodeWritableLike): void {
  const isWritable =
    typeof stream?.on === "function" &&
    typeof stream.write === "function" &&
    stream.writableObjectMode !== true;
  if (!isWritable)
    throw new TypeError(`${name}: got ${describeValue(stream)}, needs a writable stream of bytes`);
}
