/** A wire over foreign sources and sinks: the bridges' way to the semantics of `WireStream`. */
import { ambientScope, runInScope } from "../core/ambient.ts";
import { describeValue } from "../core/arguments.ts";
import { BrokenResourceError, NotSupportedError } from "../core/errors.ts";
import { textOf } from "../core/exception-text.ts";
import type { CancelScope } from "../core/scope.ts";
import type { SocketOptions, Wire, WireDetails, WireReceiver } from "../platform/wire.ts";
import { CHUNK_BYTES_MAX } from "./byte-stream.ts";
import { type ItemSource, Puller } from "./item-source.ts";

/** Where bytes go. Each promise settles before the next call. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<unknown>;
  /** The end, after all that was written. */
  end(): unknown;
  /** Not the end: what comes after is lost. */
  abort(): unknown;
}

/** No addresses, no TLS, no options. */
export const NO_DETAILS: WireDetails = {
  localAddress: undefined,
  remoteAddress: undefined,
  tls: undefined,
  securing: false,
  descriptor: undefined,
  setOptions(_options: SocketOptions): void {},
};

/**
 * In pieces, so that a sink that takes any chunk as one presses back all the same; copied, since a sink may keep a chunk for
 * longer than it takes to write (a `TransformStream` passes it on), and the caller of `send` may change it then.
 */
async function writeInPieces(sink: ByteSink, bytes: Uint8Array): Promise<void> {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES_MAX)
    await sink.write(new Uint8Array(bytes.subarray(start, start + CHUNK_BYTES_MAX)));
}

export class ForeignWire implements Wire {
  readonly details: WireDetails = NO_DETAILS;
  /** For the simulator's report of deadlocks: what comes here comes from outside the library. */
  readonly isForeign = true;
  readonly #name: string;
  readonly #puller: Puller<Uint8Array> | null;
  readonly #sink: ByteSink | null;
  readonly #root: CancelScope = ambientScope().runState.root;
  #receiver: WireReceiver | null = null;
  #paused = false;
  #writing = false;
  #ended = false;
  #failed = false;

  constructor(name: string, source: ItemSource<Uint8Array> | null, sink: ByteSink | null) {
    this.#name = name;
    this.#puller = source === null ? null : new Puller(source);
    this.#sink = sink;
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    this.#pull();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#pull();
  }

  write(bytes: Uint8Array): boolean {
    const sink = this.#requireSink();
    this.#writing = true;
    this.#call(() => writeInPieces(sink, bytes)).then(
      () => {
        this.#writing = false;
        this.#receiver?.written();
      },
      (error: unknown) => this.#fail(error),
    );
    return false;
  }

  end(): void {
    const sink = this.#requireSink();
    this.#ended = true;
    this.#call(() => sink.end()).catch((error: unknown) => this.#fail(error));
  }

  close(abortively: boolean): void {
    this.#receiver = null;
    this.#puller?.cancel();
    const sink = this.#sink;
    if (sink === null) return;
    // What came to nothing must not look whole: not a source that failed, and not a write that is not done.
    if (abortively || this.#failed || this.#writing) this.#call(() => sink.abort()).catch(() => {});
    else if (!this.#ended) this.#call(() => sink.end()).catch(() => {});
    this.#ended = true;
  }

  #requireSink(): ByteSink {
    if (this.#sink !== null) return this.#sink;
    throw new NotSupportedError(`${this.#name}: it only receives, needs a stream that sends too`);
  }

  #pull(): void {
    if (this.#paused || this.#receiver === null) return;
    this.#puller?.pull(
      (result) => this.#pulled(result),
      (error) => this.#fail(error),
    );
  }

  #pulled({ done, value }: IteratorResult<Uint8Array, unknown>): void {
    const receiver = this.#receiver;
    if (done === true) {
      receiver?.ended();
    } else if (!(value instanceof Uint8Array)) {
      this.#puller?.cancel();
      this.#fail(
        new TypeError(`${this.#name}: it gave ${describeValue(value)}, needs Uint8Arrays`),
      );
    } else {
      // A copy: a source may give the same memory again, or to others too (`tee`), and what is received belongs to the receiver.
      if (value.length > 0) receiver?.received(new Uint8Array(value));
      this.#pull();
    }
  }

  #fail(cause: unknown): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#failed = true;
    receiver?.failed(new BrokenResourceError(textOf(cause), { cause }));
  }

  /** Callbacks of users may run in there, and may outlive the scope of the caller. */
  async #call<Result>(fn: () => Result): Promise<Awaited<Result>> {
    return await runInScope(this.#root, fn, undefined);
  }
}
