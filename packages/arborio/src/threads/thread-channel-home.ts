/** The ends of a channel in the loop that it lives in. */
import { ambientScope } from "../core/ambient.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import { currentBackend, requireCapability } from "../platform/capabilities.ts";
import type { MessagePortLike } from "../platform/threads.ts";
import type { ChannelStatistics } from "../sync/channel-state.ts";
import { openConnection } from "./thread-channel-connection.ts";
import { ITERATION_END, type ReceiveEnd, received, type SendEnd } from "./thread-channel-end.ts";
import { blocksHomeError, brokenError, closedError, endError } from "./thread-channel-errors.ts";
import type { ChannelHalf, Parcel } from "./thread-channel-protocol.ts";
import type { Giver, Taker, ThreadChannelState } from "./thread-channel-state.ts";

/** Something that waits at an end, and is told when that is closed. */
interface Local {
  readonly waiter: Waiter<never>;
  withdraw(): void;
  closed(): void;
}

const SEND: WaitKind = { name: "threadChannel.send", abort: withdraw };
const RECEIVE: WaitKind = { name: "threadChannel.receive", abort: withdraw };

function withdraw(waiter: Waiter<unknown>): void {
  (waiter.payload as Local).withdraw();
}

/** What both kinds of ends share. */
abstract class HomeEnd {
  protected readonly state: ThreadChannelState;
  protected readonly waiting: Set<Local> = new Set();
  protected isClosed = false;
  readonly #half: ChannelHalf;

  constructor(state: ThreadChannelState, half: ChannelHalf) {
    this.state = state;
    this.#half = half;
    if (half === "send") state.openSenders += 1;
    else state.openReceivers += 1;
  }

  share(where: string): MessagePortLike {
    if (this.isClosed) throw closedError(where);
    const threads = requireCapability(currentBackend(), "threads", where);
    return openConnection(this.state, this.#half, threads);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const waiting = [...this.waiting];
    for (const local of waiting) local.withdraw();
    for (const local of waiting) local.closed();
    if (this.#half === "send") this.state.senderClosed();
    else this.state.receiverClosed();
  }

  statistics(): ChannelStatistics {
    return this.state.statistics();
  }
}

export class HomeSendEnd extends HomeEnd implements SendEnd {
  constructor(state: ThreadChannelState) {
    super(state, "send");
  }

  send(item: unknown, transfer: readonly object[]): Promise<void> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal("ThreadSendChannel.send");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    let parcel: Parcel;
    try {
      parcel = packed(item, transfer);
    } catch (error) {
      return scope.kernel.rejected(error);
    }
    if (this.state.offer(parcel)) return scope.kernel.readyNow();
    const local = new LocalGiver(this.state, this.waiting, parcel);
    const waiter = new Waiter<void>(scope, SEND, this, local);
    local.wait(waiter);
    return waiter.promise;
  }

  sendSync(item: unknown, transfer: readonly object[]): void {
    const where = "ThreadSendChannel.sendSync";
    const refusal = this.#refusal(where);
    if (refusal !== null) throw refusal;
    if (!this.state.mayOffer) throw blocksHomeError(where, "send(item)");
    // Those who seem to wait may all have gone.
    if (!this.state.offer(packed(item, transfer))) throw blocksHomeError(where, "send(item)");
  }

  clone(): SendEnd {
    if (this.isClosed) throw closedError("ThreadSendChannel.clone");
    return new HomeSendEnd(this.state);
  }

  #refusal(where: string): Error | null {
    if (this.isClosed) return closedError(where);
    return this.state.openReceivers === 0 ? brokenError(where) : null;
  }
}

export class HomeReceiveEnd extends HomeEnd implements ReceiveEnd {
  constructor(state: ThreadChannelState) {
    super(state, "receive");
  }

  receive(iterating: boolean): Promise<unknown> {
    const scope = ambientScope();
    const where = "ThreadReceiveChannel.receive";
    const refusal = scope.refuse() ?? (this.isClosed ? closedError(where) : null);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    const parcel = this.state.take();
    if (parcel !== null) return scope.kernel.ready(received(parcel.item, iterating));
    if (this.state.openSenders === 0)
      return iterating ? scope.kernel.ready(ITERATION_END) : scope.kernel.rejected(endError(where));
    const local = new LocalTaker(this.state, this.waiting, iterating);
    const waiter = new Waiter<unknown>(scope, RECEIVE, this, local);
    local.wait(waiter);
    return waiter.promise;
  }

  receiveSync(): unknown {
    const where = "ThreadReceiveChannel.receiveSync";
    if (this.isClosed) throw closedError(where);
    const parcel = this.state.take();
    if (parcel !== null) return parcel.item;
    throw this.state.openSenders === 0 ? endError(where) : blocksHomeError(where, "receive()");
  }

  clone(): ReceiveEnd {
    if (this.isClosed) throw closedError("ThreadReceiveChannel.clone");
    return new HomeReceiveEnd(this.state);
  }
}

/** Copies an item when it is sent, as if it went to another thread at once: what becomes of it does not depend on who receives it. */
function packed(item: unknown, transfer: readonly object[]): Parcel {
  return structuredClone({ item, transfer }, { transfer: transfer as Transferable[] });
}

class LocalGiver implements Giver, Local {
  readonly #state: ThreadChannelState;
  readonly #waiting: Set<Local>;
  readonly #parcel: Parcel;
  waiter!: Waiter<never>;

  constructor(state: ThreadChannelState, waiting: Set<Local>, parcel: Parcel) {
    this.#state = state;
    this.#waiting = waiting;
    this.#parcel = parcel;
  }

  wait(waiter: Waiter<void>): void {
    this.waiter = waiter as Waiter<never>;
    this.#waiting.add(this);
    this.#state.givers.add(this);
  }

  withdraw(): void {
    this.#waiting.delete(this);
    this.#state.givers.delete(this);
  }

  give(): Parcel | null {
    this.withdraw();
    return this.waiter.wake(undefined as never) ? this.#parcel : null;
  }

  broken(): void {
    this.withdraw();
    this.waiter.fail(brokenError("ThreadSendChannel.send"));
  }

  closed(): void {
    this.waiter.fail(closedError("ThreadSendChannel.send"));
  }
}

class LocalTaker implements Taker, Local {
  readonly #state: ThreadChannelState;
  readonly #waiting: Set<Local>;
  readonly #iterating: boolean;
  waiter!: Waiter<never>;

  constructor(state: ThreadChannelState, waiting: Set<Local>, iterating: boolean) {
    this.#state = state;
    this.#waiting = waiting;
    this.#iterating = iterating;
  }

  wait(waiter: Waiter<unknown>): void {
    this.waiter = waiter as Waiter<never>;
    this.#waiting.add(this);
    this.#state.takers.add(this);
  }

  withdraw(): void {
    this.#waiting.delete(this);
    this.#state.takers.delete(this);
  }

  take(parcel: Parcel): boolean {
    this.withdraw();
    return this.waiter.wake(received(parcel.item, this.#iterating) as never);
  }

  ended(): void {
    this.withdraw();
    if (this.#iterating) this.waiter.wake(ITERATION_END as never);
    else this.waiter.fail(endError("ThreadReceiveChannel.receive"));
  }

  closed(): void {
    this.waiter.fail(closedError("ThreadReceiveChannel.receive"));
  }
}
