import { ambientScope } from "../core/ambient.ts";
import { BusyResourceError, ClosedResourceError } from "../core/errors.ts";
import { ExceptionGroup } from "../core/exception-group.ts";
import {
  abortStream,
  type ByteReceiveStream,
  type ByteSendStream,
  type ByteStream,
  type ObjectReceiveStream,
  type ObjectSendStream,
  type ObjectStream,
} from "./byte-stream.ts";
import { refused } from "./refused.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * Makes one stream of two: sends on one, receives from the other. It owns both. Counterpart:
 * `anyio.streams.stapled.StapledByteStream`, `trio.StapledStream`.
 *
 * @example The two pipes of a process
 * ```ts
 * import { run } from "arborio";
 * import { createMemoryPipe, StapledByteStream } from "arborio/streams";
 *
 * await run(async () => {
 *   const [input, _childInput] = createMemoryPipe();
 *   const [childOutput, output] = createMemoryPipe();
 *   await using child = new StapledByteStream(input, output);
 *   await childOutput.send(Uint8Array.of(1));
 *   console.assert((await child.receive())[0] === 1);
 * });
 * ```
 */
export class StapledByteStream implements ByteStream {
  readonly #sender: ByteSendStream;
  readonly #receiver: ByteReceiveStream;
  #sending: "open" | "ending" | "ended" = "open";
  #closed = false;

  /** Takes over both. */
  constructor(sender: ByteSendStream, receiver: ByteReceiveStream) {
    this.#sender = sender;
    this.#receiver = receiver;
  }

  /** As `ByteSendStream.send`. */
  send(bytes: Uint8Array): Promise<void> {
    return this.#sending === "ending" ? refused(busyError("send")) : this.#sender.send(bytes);
  }

  /** Closes the stream that sends: its other side receives what was sent, then the end. A second call does nothing. */
  async sendEof(): Promise<void> {
    if (this.#closed) await refused(closedError("sendEof"));
    if (this.#sending === "ending") await refused(busyError("sendEof"));
    if (this.#sending === "ended") {
      await ended();
      return;
    }
    this.#sending = "ending";
    try {
      // A checkpoint that also tells whether somebody sends, and whether the stream is broken: closing would hide both.
      await this.#sender.send(NOTHING);
      this.#sending = "ended";
    } finally {
      if (this.#sending === "ending") this.#sending = "open";
    }
    this.#sender.close();
  }

  /** As `ByteReceiveStream.receive`. */
  receive(maxBytes?: number): Promise<Uint8Array> {
    return this.#receiver.receive(maxBytes);
  }

  /** As `ByteReceiveStream.receiveInto`. */
  receiveInto(view: Uint8Array): Promise<number> {
    return this.#receiver.receiveInto(view);
  }

  /** Iterates over chunks until the other side ends. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#receiver[Symbol.asyncIterator]();
  }

  /**
   * Closes both streams, also if closing one of them throws. Synchronous; works from any context; a second call does nothing.
   *
   * @throws what closing one of them throws; an `ExceptionGroup` if both do.
   */
  close(): void {
    this.#closed = true;
    closeBoth(this.#sender, this.#receiver);
  }

  /** As `close`, but aborts the stream that sends. */
  abort(): void {
    this.#closed = true;
    closeBoth({ close: () => abortStream(this.#sender) }, this.#receiver);
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes as `close` does, and lets both streams say goodbye if they have to. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const errors = [
      ...(await errorsOf(() => this.#sender[Symbol.asyncDispose]())),
      ...(await errorsOf(() => this.#receiver[Symbol.asyncDispose]())),
    ];
    if (errors.length > 0) throwAll(errors);
  }
}

/**
 * Makes one stream of items of two: sends on one, receives from the other. It owns both. Counterpart:
 * `anyio.streams.stapled.StapledObjectStream`.
 */
export class StapledObjectStream<T> implements ObjectStream<T> {
  readonly #sender: ObjectSendStream<T>;
  readonly #receiver: ObjectReceiveStream<T>;
  #closed = false;

  /** Takes over both. */
  constructor(sender: ObjectSendStream<T>, receiver: ObjectReceiveStream<T>) {
    this.#sender = sender;
    this.#receiver = receiver;
  }

  /** As `ObjectSendStream.send`. */
  send(item: T): Promise<void> {
    return this.#sender.send(item);
  }

  /** Closes the stream that sends: its other side receives what was sent, then the end. A second call does nothing. */
  sendEof(): Promise<void> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? (this.#closed ? closedError("sendEof") : null);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    this.#sender.close();
    return scope.kernel.readyNow();
  }

  /** As `ObjectReceiveStream.receive`. */
  receive(): Promise<T> {
    return this.#receiver.receive();
  }

  /** Iterates over items until the other side ends. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this.#receiver[Symbol.asyncIterator]();
  }

  /**
   * Closes both streams, also if closing one of them throws. Synchronous; works from any context; a second call does nothing.
   *
   * @throws what closing one of them throws; an `ExceptionGroup` if both do.
   */
  close(): void {
    this.#closed = true;
    closeBoth(this.#sender, this.#receiver);
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function closeBoth(sender: { close(): void }, receiver: { close(): void }): void {
  const errors: unknown[] = [];
  for (const stream of [sender, receiver]) {
    try {
      stream.close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throwAll(errors);
}

async function errorsOf(fn: () => PromiseLike<void>): Promise<unknown[]> {
  try {
    await fn();
    return [];
  } catch (error) {
    return [error];
  }
}

function throwAll(errors: readonly unknown[]): never {
  if (errors.length === 1) throw errors[0];
  throw new ExceptionGroup(errors, "closing both halves of a stapled stream failed");
}

function ended(): Promise<void> {
  const scope = ambientScope();
  const refusal = scope.refuse();
  return refusal === null ? scope.kernel.readyNow() : scope.kernel.rejected(refusal);
}

function busyError(operation: string): BusyResourceError {
  return new BusyResourceError(
    `StapledByteStream.${operation}: another task ends the sending half at the moment; let one task send and end`,
  );
}

function closedError(operation: string): ClosedResourceError {
  return new ClosedResourceError(
    `StapledStream.${operation}: this stream is closed; close it when nobody uses it any more`,
  );
}
