import { ambientScope } from "../core/ambient.ts";
import { BusyResourceError, ClosedResourceError, InternalError } from "../core/errors.ts";
import type { CancelScope } from "../core/scope.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import type { DatagramHandle } from "../platform/network.ts";
import type { SocketAddress } from "../platform/wire.ts";
import { requireBytes } from "../streams/wire-stream.ts";
import { type Datagram, DatagramQueue, type QueueLimits } from "./datagram-queue.ts";

/** What `statistics()` of a datagram socket tells. */
export interface DatagramStatistics {
  /** Datagrams that came and that nobody has received yet. */
  readonly queuedDatagrams: number;
  /** Their bytes. */
  readonly queuedBytes: number;
  /** Datagrams that were dropped for want of room in the queue. What the system or the network drops is not among them. */
  readonly droppedDatagrams: number;
  /** Tasks that wait in `receive`, 0 or 1. */
  readonly tasksWaitingReceive: number;
  /** Tasks that wait in `send`. */
  readonly tasksWaitingSend: number;
}

type AnySocket = DatagramSocket<unknown, SocketAddress>;

const RECEIVE: WaitKind = { name: "datagram.receive", abort: forgetReceiver };
const ITERATE: WaitKind = { name: "datagram.next", abort: forgetReceiver };
const SEND: WaitKind = {
  name: "datagram.send",
  abort(waiter) {
    (waiter.resource as AnySocket).forgetSender(waiter as Waiter<void>);
  },
};

function forgetReceiver(waiter: Waiter<unknown>): void {
  (waiter.resource as AnySocket).forgetReceiver();
}

/**
 * What all datagram sockets have in common: whole messages, each of which comes once, never, or (UDP) twice, in any order. There is no
 * end, so `receive` never throws `EndOfStream`.
 *
 * An error that the system reports for the socket, such as that the port of a connected peer is closed (`ECONNREFUSED`), is thrown once,
 * by the `receive` that waits, else by the next `receive` or `send`, as on Linux. The socket can be used on.
 */
export abstract class DatagramSocket<Item, Address extends SocketAddress>
  implements AsyncIterable<Item>, Disposable, AsyncDisposable
{
  /** @internal For messages. */ readonly socketName: string;
  readonly #queue: DatagramQueue;
  readonly #senders: Set<Waiter<void>> = new Set();
  #handle: DatagramHandle | null = null;
  #receiver: Waiter<unknown> | null = null;
  /** What the system reported while nobody received. */
  #error: Error | null = null;
  #stopped = false;
  #closed = false;

  /** @internal */
  constructor(socketName: string, limits: QueueLimits) {
    this.socketName = socketName;
    this.#queue = new DatagramQueue(limits);
  }

  /** @internal The backend has opened it. */
  attach(handle: DatagramHandle): void {
    this.#handle = handle;
    if (handle.setReading === undefined) this.#queue.dropInstead();
    this.#setReading();
  }

  /** @internal */
  get handle(): DatagramHandle {
    if (this.#handle === null)
      throw new InternalError(`${this.socketName}: used before it is open`);
    return this.#handle;
  }

  /** This end's address. */
  get localAddress(): Address {
    return this.handle.localAddress as Address;
  }

  // Receiving ------------------------------------------------------------------------------------------------------------

  /**
   * Waits for a datagram. Cancelled, it lost none.
   *
   * @returns the one that has waited longest. Its memory is yours.
   * @throws ClosedResourceError if this socket is closed, also while waiting; what had come is dropped then.
   * @throws BusyResourceError if another task receives on this socket at the moment.
   * @throws SystemError if the system has reported one, as the class says. No datagram is lost by it.
   */
  receive(): Promise<Item> {
    const scope = ambientScope();
    const refusal = this.#receiveRefusal(scope);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    const datagram = this.#take();
    if (datagram !== undefined) return scope.kernel.ready(this.itemOf(datagram));
    return this.#wait(scope, RECEIVE);
  }

  /** Iterates over what comes, until an error ends it: closing the socket does. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Item, undefined, undefined> {
    return { next: () => this.#next() };
  }

  #next(): Promise<IteratorResult<Item, undefined>> {
    const scope = ambientScope();
    const refusal = this.#receiveRefusal(scope);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    const datagram = this.#take();
    if (datagram !== undefined)
      return scope.kernel.ready({ done: false, value: this.itemOf(datagram) });
    return this.#wait(scope, ITERATE);
  }

  #wait<T>(scope: CancelScope, kind: WaitKind): Promise<T> {
    const waiter = new Waiter<T>(scope, kind, this, undefined);
    this.#receiver = waiter as Waiter<unknown>;
    return waiter.promise;
  }

  #receiveRefusal(scope: CancelScope): Error | null {
    const refusal = scope.refuse() ?? this.closedRefusal("receive");
    if (refusal !== null) return refusal;
    if (this.#receiver !== null) {
      return new BusyResourceError(
        `${this.socketName}.receive: another task receives on this socket at the moment; let one task receive and start others`,
      );
    }
    return this.#takeError();
  }

  #take(): Datagram | undefined {
    const datagram = this.#queue.take();
    this.#setReading();
    return datagram;
  }

  // Sending --------------------------------------------------------------------------------------------------------------

  /** @internal What keeps a send from beginning: the scope, the socket, what the system has reported, wrong data; else `null`. */
  sendRefusal(scope: CancelScope, data: Uint8Array): Error | null {
    const refusal = scope.refuse() ?? this.closedRefusal("send");
    if (refusal !== null) return refusal;
    try {
      requireBytes(`${this.socketName}.send`, data);
    } catch (error) {
      return error as Error;
    }
    return this.#takeError();
  }

  /**
   * @internal Sends a datagram, which nothing keeps from beginning. The backend gets a copy, since a send that is cancelled ends
   * before the system need be done with the bytes.
   */
  transmit(scope: CancelScope, data: Uint8Array, to: SocketAddress | undefined): Promise<void> {
    const waiter = new Waiter<void>(scope, SEND, this, undefined);
    this.#senders.add(waiter);
    try {
      // Not `slice`: that of Node's `Buffer` shares the memory.
      this.handle.send(new Uint8Array(data), to, {
        succeed: () => {
          if (this.#senders.delete(waiter)) waiter.wake();
        },
        fail: (error) => this.#sendFailed(waiter, error),
      });
    } catch (error) {
      this.#sendFailed(waiter, error);
    }
    return waiter.promise;
  }

  #sendFailed(waiter: Waiter<void>, error: unknown): void {
    if (this.#senders.delete(waiter)) waiter.fail(error);
  }

  // Ending ---------------------------------------------------------------------------------------------------------------

  /**
   * Closes the socket. What nobody has received is dropped; tasks that wait get `ClosedResourceError`, and what they were sending may
   * have been sent or not. Synchronous; works from any context; a second call does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.clear();
    this.#error = null;
    const receiver = this.#takeReceiver();
    const senders = [...this.#senders];
    this.#senders.clear();
    this.handle.close();
    receiver?.fail(this.#closedError("receive"));
    for (const sender of senders) sender.fail(this.#closedError("send"));
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

  /** A frozen snapshot of the socket. */
  statistics(): DatagramStatistics {
    return Object.freeze({
      queuedDatagrams: this.#queue.size,
      queuedBytes: this.#queue.bytes,
      droppedDatagrams: this.#queue.dropped,
      tasksWaitingReceive: this.#receiver === null ? 0 : 1,
      tasksWaitingSend: this.#senders.size,
    });
  }

  /** @internal */
  closedRefusal(operation: string): Error | null {
    return this.#closed ? this.#closedError(operation) : null;
  }

  #closedError(operation: string): ClosedResourceError {
    return new ClosedResourceError(
      `${this.socketName}.${operation}: this socket is closed; close it when nobody uses it any more`,
    );
  }

  // What the backend tells -----------------------------------------------------------------------------------------------

  /** @internal Whether a datagram from there is for this socket. */
  abstract accepts(from: SocketAddress): boolean;

  /** @internal What `receive` returns for a datagram. */
  abstract itemOf(datagram: Datagram): Item;

  /** @internal */
  received(data: Uint8Array, address: SocketAddress): void {
    if (this.#closed || !this.accepts(address)) return;
    const datagram: Datagram = { data, address };
    const receiver = this.#takeReceiver();
    if (receiver === null) {
      this.#queue.add(datagram);
      this.#setReading();
      return;
    }
    const value = this.itemOf(datagram);
    receiver.wake(receiver.kind === ITERATE ? { done: false, value } : value);
  }

  /** @internal */
  failed(error: Error): void {
    if (this.#closed) return;
    const receiver = this.#takeReceiver();
    if (receiver === null) this.#error = error;
    else receiver.fail(error);
  }

  #takeReceiver(): Waiter<unknown> | null {
    const receiver = this.#receiver;
    this.#receiver = null;
    return receiver;
  }

  #takeError(): Error | null {
    const error = this.#error;
    this.#error = null;
    return error;
  }

  /** Reads while there is room for what comes, where the runtime can stop reading. */
  #setReading(): void {
    const stopped = this.#queue.isFull;
    if (stopped === this.#stopped || this.#handle === null) return;
    this.#stopped = stopped;
    this.#handle.setReading?.(!stopped);
  }

  // What cancellation withdraws ------------------------------------------------------------------------------------------

  /** @internal */
  forgetReceiver(): void {
    this.#receiver = null;
  }

  /** @internal */
  forgetSender(waiter: Waiter<void>): void {
    this.#senders.delete(waiter);
  }
}
