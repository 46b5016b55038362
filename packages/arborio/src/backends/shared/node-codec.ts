/** A codec over the streams of `node:zlib`: what is the same for compressing and decompressing. */
import type { Transform } from "node:stream";
import type { Zlib } from "node:zlib";
import type { Codec, CodecEnding } from "../../platform/compression.ts";
import type { Completion } from "../../platform/network.ts";
import { outsideContext } from "./ambient.ts";

/** A stream of `node:zlib`. */
export type ZlibStream = Transform & Zlib & { reset?(): void };

/** Pieces of output are at most so long. Larger ones cost fewer trips to a thread, and more memory for each codec. */
export const PIECE_BYTES = 32_768;
/** So much output is made ahead of who asks for it. */
const AHEAD_BYTES = 65_536;

/** What the runtime is asked for in each of its streams. */
export const STREAM_OPTIONS: { chunkSize: number; readableHighWaterMark: number } = {
  chunkSize: PIECE_BYTES,
  readableHighWaterMark: AHEAD_BYTES,
};

/** Who gets what work on an input gives. */
export interface CodecSink {
  put(output: Uint8Array): void;
  /** The input is used up, and its ending done. */
  done(): void;
  fail(error: Error): void;
}

/** What a codec does with its input. */
export interface CodecWork {
  readonly ended: boolean;
  start(input: Uint8Array, ending: CodecEnding): void;
  pause(): void;
  resume(): void;
  reset(): void;
  close(): void;
}

export class NodeCodec implements Codec, CodecSink {
  readonly #work: CodecWork;
  readonly #output: Uint8Array[] = [];
  #reader: Completion<Uint8Array | null> | null = null;
  #working = false;
  #failure: Error | null = null;

  constructor(createWork: (sink: CodecSink) => CodecWork) {
    this.#work = createWork(this);
  }

  get ended(): boolean {
    return this.#work.ended;
  }

  write(input: Uint8Array, ending: CodecEnding): void {
    this.#working = true;
    // Threads and streams of the runtime would keep the caller's scope alive.
    outsideContext(() => this.#work.start(input, ending));
  }

  read(completion: Completion<Uint8Array | null>): void {
    this.#reader = completion;
    if (this.#output.length > 0 || !this.#working || this.#failure !== null)
      queueMicrotask(() => this.#serve(completion));
    else this.#work.resume();
  }

  reset(): void {
    this.#output.length = 0;
    this.#work.reset();
  }

  close(): void {
    this.#reader = null;
    this.#output.length = 0;
    this.#work.close();
  }

  put(output: Uint8Array): void {
    this.#output.push(output);
    if (this.#reader === null) this.#work.pause();
    this.#serve(this.#reader);
  }

  done(): void {
    this.#working = false;
    this.#serve(this.#reader);
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#serve(this.#reader);
  }

  /** Gives the reader what there is, if it still waits. */
  #serve(reader: Completion<Uint8Array | null> | null): void {
    if (reader === null || reader !== this.#reader) return;
    const output = this.#output.shift();
    if (output === undefined && this.#failure === null && this.#working) return;
    this.#reader = null;
    if (output !== undefined) reader.succeed(output);
    else if (this.#failure !== null) reader.fail(this.#failure);
    else reader.succeed(null);
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** What came of an input: how much of it was used. */
export type Used = (bytes: number) => void;

/** One stream of the runtime, and what goes through it. */
export class Pump {
  readonly #stream: ZlibStream;
  readonly #put: (output: Uint8Array) => void;
  #used: Used | null = null;
  #usedBefore = 0;
  #usedAll = 0;
  /** Whether the stream has come to the end of its data. */
  ended = false;

  constructor(stream: ZlibStream, put: (output: Uint8Array) => void, fail: (error: Error) => void) {
    this.#stream = stream;
    this.#put = put;
    stream.on("data", this.#onData);
    stream.on("end", () => {
      this.ended = true;
      this.#finish();
    });
    stream.on("error", (error) => {
      this.#used = null;
      fail(error);
    });
  }

  /** Gives input; `used` is told when the stream wants no more of it. */
  write(input: Uint8Array, used: Used): void {
    this.#begin(input, used);
    this.#stream.write(input, this.#onUsed);
  }

  /** Puts out all that the input so far means. */
  flush(kind: number, used: Used): void {
    this.#begin(NOTHING, used);
    this.#stream.flush(kind, this.#onUsed);
  }

  /** Gives the last input. */
  end(input: Uint8Array, used: Used): void {
    this.#begin(input, used);
    this.#stream.end(input);
  }

  #begin(input: Uint8Array, used: Used): void {
    this.#used = used;
    this.#usedAll = this.#stream.bytesWritten + input.length;
    this.#usedBefore = this.#stream.bytesWritten;
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  reset(): void {
    this.#stream.reset?.();
  }

  close(): void {
    this.#used = null;
    this.#stream.removeListener("data", this.#onData);
    this.#stream.destroy();
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.#put(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#finishIfDrained();
  };

  /** Whether the runtime has called back; there may still be output that is held back. */
  #calledBack = false;

  readonly #onUsed = (error?: Error | null): void => {
    if (error !== null && error !== undefined) return;
    this.#calledBack = true;
    this.#finishIfDrained();
  };

  /** A stream that calls back without having used all has ended, and tells so when its output has been taken. */
  #finishIfDrained(): void {
    if (!this.#calledBack || this.#stream.bytesWritten < this.#usedAll) return;
    if (this.#stream.readableLength === 0) this.#finish();
  }

  #finish(): void {
    const used = this.#used;
    this.#used = null;
    this.#calledBack = false;
    used?.(this.#stream.bytesWritten - this.#usedBefore);
  }
}
