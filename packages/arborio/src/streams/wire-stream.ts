/**
 * The byte stream over a wire: the one place where waiting, cancellation, buffering and errors of sockets, pipes and TLS are
 * decided. State changes are plain functions that run at once; a task that waits is a `Waiter`.
 *
 * Reads ahead, up to `READ_AHEAD_BYTES`, so that the end and the failure of a connection are seen while nobody receives, and so
 * that a chunk that comes finds its receiver without a turn of the host. It sends nothing late: `send` ends when the system has
 * the bytes, so `close` has nothing to wait for.
 */
import { ambientScope } from "../core/ambient.ts";
import { requireCount } from "../core/arguments.ts";
import type { CancelScope } from "../core/scope.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import type { Wire, WireReceiver } from "../platform/wire.ts";
import { requireBytes, requireRoom } from "./byte-arguments.ts";
import { type ByteStream, CHUNK_BYTES_MAX } from "./byte-stream.ts";
import { ChunkQueue } from "./chunk-queue.ts";
import {
  brokenError,
  busyError,
  closedError,
  cutError,
  endedError,
  endOfStream,
  viewGoneError,
} from "./stream-errors.ts";
import { HandedOverWire } from "./handed-over-wire.ts";
import { mustRefuse } from "./refused.ts";

export { requireBytes, requireRoom } from "./byte-arguments.ts";

/** So many bytes are read that nobody has asked for; then the wire is paused, and the system's own buffers press back. */
const READ_AHEAD_BYTES = 65_536;

const RECEIVE: WaitKind = { name: "stream.receive", abort: forgetReceiver };
const RECEIVE_INTO: WaitKind = { name: "stream.receiveInto", abort: forgetReceiver };
const ITERATE: WaitKind = { name: "stream.next", abort: forgetReceiver };
const SEND: WaitKind = {
  name: "stream.send",
  abort(waiter) {
    (waiter.resource as WireStream).cutSend();
  },
};
const HANDSHAKE: WaitKind = {
  name: "stream.handshake",
  abort(waiter) {
    (waiter.resource as WireStream).forgetHandshake(waiter);
  },
};

function forgetReceiver(waiter: Waiter<unknown>): void {
  (waiter.resource as WireStream).forgetReceiver();
}

/** What kind of end the sending half has come to. */
type SendState = "open" | "ended" | "cut";

/** A byte stream over a wire of the backend. */
export class WireStream implements ByteStream, WireReceiver {
  /** @internal For messages. */ readonly streamName: string;
  /** @internal */ readonly wire: Wire;
  /** What came and nobody has taken; most streams that wait have nothing, and need none. */
  #queue: ChunkQueue | null = null;
  #receiver: Waiter<unknown> | null = null;
  #sender: Waiter<void> | null = null;
  #handshakes: Waiter<void>[] | null = null;
  #failure: Error | null = null;
  #ended = false;
  #paused = false;
  #sending: SendState = "open";
  #closed = false;
  /** Whoever the wire was handed over to. */
  #heir: HandedOverWire | null = null;

  /** @internal Opens the wire and owns it. */
  constructor(wire: Wire, streamName: string) {
    this.wire = wire;
    this.streamName = streamName;
    wire.open(this);
  }

  /** @internal For the simulator's report of deadlocks: what it waits for may come from outside the library. */
  get isForeign(): boolean {
    return (this.wire as { isForeign?: boolean }).isForeign === true;
  }

  // Receiving ------------------------------------------------------------------------------------------------------------

  /** As `ByteReceiveStream.receive`. */
  receive(maxBytes: number = CHUNK_BYTES_MAX): Promise<Uint8Array> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#receiveRefusal("receive");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (!(Number.isInteger(maxBytes) && maxBytes > 0)) {
      return mustRefuse(() => requireCount(`${this.streamName}.receive`, maxBytes, 1, false));
    }
    if (this.#queue !== null && this.#queue.bytes > 0)
      return scope.kernel.ready(this.#take(this.#queue, maxBytes));
    return this.#noBytes("receive", scope) ?? this.#wait(scope, RECEIVE, maxBytes);
  }

  /** As `ByteReceiveStream.receiveInto`. */
  receiveInto(view: Uint8Array): Promise<number> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#receiveRefusal("receiveInto");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (!(view instanceof Uint8Array && view.length > 0)) {
      return mustRefuse(() => requireRoom(`${this.streamName}.receiveInto`, view));
    }
    if (this.#queue !== null && this.#queue.bytes > 0)
      return scope.kernel.ready(this.#takeInto(this.#queue, view));
    return this.#noBytes("receiveInto", scope) ?? this.#wait(scope, RECEIVE_INTO, view);
  }

  /** Iterates over chunks until the other side ends. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    return this;
  }

  /** @internal The stream is its own iterator: there is nothing that one iteration would know and another would not. */
  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#receiveRefusal("next");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.#queue !== null && this.#queue.bytes > 0)
      return scope.kernel.ready({ done: false, value: this.#take(this.#queue, CHUNK_BYTES_MAX) });
    if (this.#ended) return scope.kernel.ready({ done: true, value: undefined });
    return this.#noBytes("next", scope) ?? this.#wait(scope, ITERATE, CHUNK_BYTES_MAX);
  }

  #wait<T>(scope: CancelScope, kind: WaitKind, payload: unknown): Promise<T> {
    const waiter = new Waiter<T>(scope, kind, this, payload);
    this.#receiver = waiter as Waiter<unknown>;
    return waiter.promise;
  }

  #receiveRefusal(operation: string): Error | null {
    if (this.#closed) return closedError(this.streamName, operation);
    if (this.#receiver !== null) return busyError(this.streamName, operation, "receives from");
    return null;
  }

  /** What to throw if no bytes are there and none will come. */
  #noBytes(operation: string, scope: CancelScope): Promise<never> | null {
    if (this.#ended) return scope.kernel.rejected(endOfStream(this.streamName, operation));
    if (this.#failure !== null)
      return scope.kernel.rejected(brokenError(this.streamName, operation, this.#failure));
    return null;
  }

  #take(queue: ChunkQueue, maxBytes: number): Uint8Array {
    const chunk = queue.take(maxBytes);
    this.taken(chunk.length);
    this.#resumeReading(queue);
    return chunk;
  }

  #takeInto(queue: ChunkQueue, view: Uint8Array): number {
    const count = queue.takeInto(view);
    this.taken(count);
    this.#resumeReading(queue);
    return count;
  }

  #resumeReading(queue: ChunkQueue): void {
    if (!this.#paused || queue.bytes >= READ_AHEAD_BYTES) return;
    this.#paused = false;
    this.wire.resume();
  }

  // Sending --------------------------------------------------------------------------------------------------------------

  /** As `ByteSendStream.send`. */
  send(bytes: Uint8Array): Promise<void> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#sendRefusal("send");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (!(bytes instanceof Uint8Array))
      return mustRefuse(() => requireBytes(`${this.streamName}.send`, bytes));
    try {
      if (bytes.length === 0 || this.wire.write(bytes)) return scope.kernel.readyNow();
    } catch (error) {
      return scope.kernel.rejected(error);
    }
    const waiter = new Waiter<void>(scope, SEND, this, undefined);
    this.#sender = waiter;
    return waiter.promise;
  }

  /** As `ByteStream.sendEof`. */
  sendEof(): Promise<void> {
    const scope = ambientScope();
    const isAgain = this.#sending === "ended" && !this.#closed && this.#failure === null;
    const refusal = scope.refuse() ?? (isAgain ? null : this.#sendRefusal("sendEof"));
    if (refusal !== null) return scope.kernel.rejected(refusal);
    try {
      if (!isAgain) this.wire.end();
    } catch (error) {
      return scope.kernel.rejected(error);
    }
    this.#sending = "ended";
    return scope.kernel.readyNow();
  }

  #sendRefusal(operation: string): Error | null {
    if (this.#closed) return closedError(this.streamName, operation);
    if (this.#sender !== null) return busyError(this.streamName, operation, "sends on");
    if (this.#failure !== null) return brokenError(this.streamName, operation, this.#failure);
    if (this.#sending === "ended") return endedError(this.streamName, operation);
    return this.#sending === "cut" ? cutError(this.streamName, operation) : null;
  }

  // Securing -------------------------------------------------------------------------------------------------------------

  /** @internal Waits until the wire's handshake, if it has one, is done. */
  handshake(): Promise<void> {
    const scope = ambientScope();
    const refusal =
      scope.refuse() ?? (this.#closed ? closedError(this.streamName, "handshake") : null);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    if (this.#failure !== null) return scope.kernel.rejected(this.#failure);
    if (!this.wire.details.securing) return scope.kernel.readyNow();
    const waiter = new Waiter<void>(scope, HANDSHAKE, this, undefined);
    (this.#handshakes ??= []).push(waiter);
    return waiter.promise;
  }

  // Ending ---------------------------------------------------------------------------------------------------------------

  /**
   * Closes the stream. What `send` has sent still goes out; a `send` that waits is cut, and the other side is told of a failure
   * where the transport can do that. Synchronous; works from any context; a second call does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = null;
    const isCut = this.#sending === "cut" || this.#sender !== null;
    this.wire.close(isCut);
    this.#settleAll((operation) => closedError(this.streamName, operation));
  }

  /**
   * Closes as a connection does that breaks: the other side is told of a failure, where the transport can do that, so that it does
   * not take what it got for the whole. What was sent may be lost. Synchronous; works from any context; after `close` it does nothing.
   */
  abort(): void {
    this.#sending = "cut";
    this.close();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #settleAll(errorFor: (operation: string) => Error): void {
    const receiver = this.#receiver;
    const sender = this.#sender;
    const handshakes = this.#handshakes;
    this.#receiver = null;
    this.#sender = null;
    this.#handshakes = null;
    receiver?.fail(errorFor(operationOf(receiver)));
    sender?.fail(errorFor("send"));
    for (const waiter of handshakes ?? []) waiter.fail(errorFor("handshake"));
  }

  /** @internal Why neither direction works any more; `null` while that did not happen. It is the `cause` of errors that say so. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** @internal Called when a receiver got so many bytes: for streams whose back-pressure counts what was read ahead. */
  taken(_bytes: number): void {}

  /** @internal Gives the wire, with what was read ahead, to a layer above; the stream is closed then. Throws as `receive` and `send`. */
  handOver(): Wire {
    const refusal = this.#receiveRefusal("handOver") ?? this.#sendRefusal("handOver");
    if (refusal !== null) throw refusal;
    // It would never hear of a close above.
    if (this.#handshakes !== null && this.#handshakes.length > 0)
      throw busyError(this.streamName, "handOver", "waits for the handshake of");
    this.#closed = true;
    const taken = (bytes: number): void => this.taken(bytes);
    const queue = this.#queue ?? new ChunkQueue();
    return (this.#heir = new HandedOverWire(this.wire, queue, this.#ended, taken));
  }

  // What the wire tells --------------------------------------------------------------------------------------------------

  /** @internal */
  received(bytes: Uint8Array): void {
    const receiver = this.#receiver;
    if (receiver === null) {
      if (this.#heir !== null) return this.#heir.received(bytes);
      const queue = this.#keep(bytes);
      if (queue.bytes < READ_AHEAD_BYTES || this.#paused) return;
      this.#paused = true;
      this.wire.pause();
      return;
    }
    this.#receiver = null;
    if (receiver.kind === RECEIVE_INTO) {
      const view = receiver.payload as Uint8Array;
      const count = Math.min(bytes.length, view.length);
      if (bytes.length > count) this.#keep(bytes.subarray(count));
      if (count === 0) return void receiver.fail(viewGoneError(this.streamName));
      view.set(bytes.length > count ? bytes.subarray(0, count) : bytes);
      receiver.wake(count);
      this.taken(count);
      return;
    }
    const maxBytes = receiver.payload as number;
    let chunk = bytes;
    if (bytes.length > maxBytes) {
      this.#keep(bytes.subarray(maxBytes));
      // A copy, since the receiver may transfer its memory.
      chunk = new Uint8Array(bytes.subarray(0, maxBytes));
    }
    receiver.wake(receiver.kind === ITERATE ? { done: false, value: chunk } : chunk);
    this.taken(chunk.length);
  }

  #keep(bytes: Uint8Array): ChunkQueue {
    const queue = (this.#queue ??= new ChunkQueue());
    queue.push(bytes);
    return queue;
  }

  /** @internal */
  ended(): void {
    this.#ended = true;
    const receiver = this.#receiver;
    if (receiver === null) return this.#heir?.ended();
    this.#receiver = null;
    if (receiver.kind === ITERATE) receiver.wake({ done: true, value: undefined });
    else receiver.fail(endOfStream(this.streamName, operationOf(receiver)));
  }

  /** @internal */
  written(): void {
    const sender = this.#sender;
    this.#sender = null;
    sender?.wake();
    this.#heir?.written();
  }

  /** @internal */
  failed(error: Error): void {
    this.#failure = error;
    this.#settleAll((operation) =>
      operation === "handshake" ? error : brokenError(this.streamName, operation, error),
    );
    this.#heir?.failed(error);
  }

  /** @internal */
  secured(): void {
    const handshakes = this.#handshakes;
    this.#handshakes = null;
    for (const waiter of handshakes ?? []) waiter.wake();
    this.#heir?.secured();
  }

  // What cancellation withdraws ------------------------------------------------------------------------------------------

  /** @internal */
  forgetReceiver(): void {
    this.#receiver = null;
  }

  /** @internal */
  cutSend(): void {
    this.#sender = null;
    this.#sending = "cut";
  }

  /** @internal */
  forgetHandshake(waiter: Waiter<unknown>): void {
    const handshakes = this.#handshakes ?? [];
    handshakes.splice(handshakes.indexOf(waiter as Waiter<void>), 1);
  }
}

/** `"receiveInto"` of the kind named `"stream.receiveInto"`. */
function operationOf(waiter: Waiter<unknown>): string {
  return waiter.kind.name.slice("stream.".length);
}
