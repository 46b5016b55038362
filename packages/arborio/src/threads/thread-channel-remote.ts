/** The ends of a channel in other threads than the one that it lives in. */
import { ambientScope } from "../core/ambient.ts";
import { describeValue } from "../core/arguments.ts";
import { InternalError, NotSupportedError } from "../core/errors.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import { currentBackend, requireCapability } from "../platform/capabilities.ts";
import type { MessagePortLike, Threads } from "../platform/threads.ts";
import type { ChannelStatistics } from "../sync/channel-state.ts";
import { blockUntil, requireBlockable, threadBell, threadName } from "./doorbell.ts";
import { passport } from "./thread-channel-connection.ts";
import { ITERATION_END, type ReceiveEnd, received, type SendEnd } from "./thread-channel-end.ts";
import {
  blocksHomeError,
  brokenError,
  closedError,
  endError,
  homeGoneError,
} from "./thread-channel-errors.ts";
import {
  AsyncOperation,
  type Operation,
  type Outcome,
  requestOf,
  SyncOperation,
} from "./thread-channel-operation.ts";
import { adoptWithPassport } from "./passport.ts";
import {
  CHANNEL_PORT,
  type ChannelHalf,
  type EndPassport,
  FREE,
  type FromHome,
  type Parcel,
  PENDING,
  PLACES,
  type ToHome,
  WITHDRAWN,
} from "./thread-channel-protocol.ts";

const SEND: WaitKind = { name: "threadChannel.send", abort };
const RECEIVE: WaitKind = { name: "threadChannel.receive", abort };

function abort(waiter: Waiter<unknown>): void | false {
  const end = waiter.resource as RemoteEnd;
  if (!end.withdraw(waiter.payload as AsyncOperation)) return false;
  return undefined;
}

/** A port that is not needed keeps nothing alive, so its listeners need somebody who knows them. */
const open: Set<RemoteEnd> = new Set();

/** What both kinds of ends share. */
abstract class RemoteEnd {
  protected readonly threads: Threads;
  readonly #half: ChannelHalf;
  readonly #home: string;
  readonly #port: MessagePortLike;
  readonly #words: Int32Array = new Int32Array(
    new SharedArrayBuffer(PLACES * Int32Array.BYTES_PER_ELEMENT),
  );
  readonly #free: number[] = Array.from({ length: PLACES }, (_, index) => PLACES - 1 - index);
  /** What the home knows of, and was not withdrawn. */
  readonly #underWay: Map<number, Operation> = new Map();
  /** Those for which there is no place. */
  readonly #queued: Set<Operation> = new Set();
  protected isClosed = false;
  #isGone = false;

  constructor(half: ChannelHalf, home: string, threads: Threads, port: MessagePortLike) {
    this.#half = half;
    this.#home = home;
    this.threads = threads;
    this.#port = port;
    open.add(this);
    port.listen(
      (message) => this.#told(message as FromHome),
      () => this.#gone(),
    );
    port.setNeeded(false);
    this.#tell(["here", this.#words, threadBell()]);
  }

  share(where: string): MessagePortLike {
    const refusal = this.refusal(where);
    if (refusal !== null) throw refusal;
    const [home, away] = this.threads.createPortPair();
    home.post(passport(this.#half, this.#home));
    const { native } = home;
    this.#port.post(["clone", native] satisfies ToHome, [native]);
    return away;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const ended: Operation[] = [...this.#queued];
    this.#queued.clear();
    for (const [place, operation] of this.#underWay) {
      if (!this.#change(place, WITHDRAWN)) continue;
      this.#underWay.delete(place);
      ended.push(operation);
    }
    if (!this.#isGone) this.#tell(["close"]);
    this.#closePortIfDone();
    for (const operation of ended) operation.end({ kind: "closed" });
  }

  statistics(where: string): ChannelStatistics {
    throw new NotSupportedError(
      `${where}: this end is in another thread than the channel; ask an end in the thread that made it`,
    );
  }

  /** Takes back an operation that nobody has taken. */
  withdraw(operation: Operation): boolean {
    const { place } = operation;
    if (place === -1) {
      this.#queued.delete(operation);
      return true;
    }
    if (!this.#change(place, WITHDRAWN)) return false;
    this.#underWay.delete(place);
    this.#tell(["withdrawn", place]);
    return true;
  }

  protected refusal(where: string): Error | null {
    if (this.isClosed) return closedError(where);
    return this.#isGone ? homeGoneError(where) : null;
  }

  protected wait(
    kind: WaitKind,
    parcel: Parcel | undefined,
    resume: (waiter: Waiter<unknown>, outcome: Outcome) => void,
  ): Promise<unknown> {
    const operation = new AsyncOperation(parcel, resume);
    const waiter = new Waiter<unknown>(ambientScope(), kind, this, operation);
    operation.waiter = waiter;
    this.#begin(operation);
    return waiter.promise;
  }

  protected block(
    where: string,
    instead: string,
    parcel: Parcel | undefined,
    timeoutMs: number,
  ): Outcome {
    requireBlockable(where, `await ${instead} instead`);
    const refusal = ambientScope().refuseExactly() ?? this.refusal(where);
    if (refusal !== null) throw refusal;
    if (this.#home === threadName()) throw blocksHomeError(where, instead);
    const operation = new SyncOperation(parcel);
    this.#begin(operation);
    const look = (): SyncOperation["outcome"] => {
      this.#receive(operation);
      return operation.outcome;
    };
    return blockUntil({ where, look, withdraw: () => this.withdraw(operation) }, timeoutMs);
  }

  /** Takes the messages that are there, until the operation has ended. */
  #receive(operation: SyncOperation): void {
    while (operation.outcome === undefined) {
      const message = this.threads.receiveNowait(this.#port);
      if (message === undefined) return;
      this.#told(message.message as FromHome);
    }
  }

  #begin(operation: Operation): void {
    const place = this.#free.pop();
    if (place === undefined) {
      this.#queued.add(operation);
      return;
    }
    operation.place = place;
    Atomics.store(this.#words, place, PENDING);
    this.#underWay.set(place, operation);
    try {
      this.#port.post(requestOf(operation), operation.parcel?.transfer);
    } catch (error) {
      this.#underWay.delete(place);
      this.#freePlace(place);
      operation.end({ kind: "failed", error });
      return;
    }
    if (this.#underWay.size === 1) this.#port.setNeeded(true);
  }

  #told(message: FromHome): void {
    const [kind, place] = message;
    const operation = this.#underWay.get(place);
    if (kind === "waits") {
      operation?.waits();
      return;
    }
    this.#underWay.delete(place);
    this.#freePlace(place);
    if (operation === undefined) return;
    if (kind === "item") operation.end({ kind, item: message[2].item });
    else if (kind === "lost") operation.end({ kind: "failed", error: lostError(message[2]) });
    else if (kind !== "free") operation.end({ kind });
  }

  #freePlace(place: number): void {
    Atomics.store(this.#words, place, FREE);
    this.#free.push(place);
    for (const next of this.#queued) {
      this.#queued.delete(next);
      this.#begin(next);
      break;
    }
    if (this.#underWay.size === 0) this.#port.setNeeded(false);
    this.#closePortIfDone();
  }

  /** From `PENDING`; `false` if the home has taken the operation. */
  #change(place: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, place, PENDING, to) === PENDING;
  }

  #tell(message: ToHome): void {
    this.#port.post(message);
  }

  /** What the home has taken before the end was closed is still on its way. */
  #closePortIfDone(): void {
    if (!this.isClosed || this.#underWay.size > 0) return;
    open.delete(this);
    this.#port.close();
  }

  /** The port is closed: by ourselves, or since the home's thread has ended. */
  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    open.delete(this);
    const ended = [...this.#underWay.values(), ...this.#queued];
    this.#underWay.clear();
    this.#queued.clear();
    for (const operation of ended) operation.end({ kind: "gone" });
  }
}

type Thrown = { readonly thrown: unknown };

function sendError(where: string, outcome: Outcome): Thrown | null {
  if (outcome.kind === "sent") return null;
  if (outcome.kind === "broken") return { thrown: brokenError(where) };
  return { thrown: commonError(where, outcome) };
}

function receiveError(where: string, outcome: Outcome): unknown {
  return outcome.kind === "end" ? endError(where) : commonError(where, outcome);
}

function commonError(where: string, outcome: Outcome): unknown {
  if (outcome.kind === "closed") return closedError(where);
  if (outcome.kind === "failed") return outcome.error;
  if (outcome.kind === "gone") return homeGoneError(where);
  throw new InternalError(
    `${where}: got the answer ${outcome.kind}, which belongs to the other half`,
  );
}

function lostError(why: string): TypeError {
  return new TypeError(`ThreadReceiveChannel.receive: the item cannot be cloned: ${why}`);
}

/** Takes the port that another thread has given for an end. */
export function openRemoteEnd(
  where: string,
  half: ChannelHalf,
  port: unknown,
): RemoteSendEnd | RemoteReceiveEnd {
  const threads = requireCapability(currentBackend(), "threads", where);
  const adopted = adoptWithPassport<EndPassport>(threads, port, CHANNEL_PORT);
  if (adopted === undefined) {
    throw new TypeError(
      `${where}: got ${describeValue(port)}, needs the port that handOver() of an end gave, which nobody has taken yet`,
    );
  }
  const { passport } = adopted;
  if (passport.half !== half) {
    adopted.port.close();
    throw new TypeError(
      `${where}: got the port of an end to ${passport.half}, needs that of one to ${half}`,
    );
  }
  return half === "send"
    ? new RemoteSendEnd(passport.home, threads, adopted.port)
    : new RemoteReceiveEnd(passport.home, threads, adopted.port);
}

export class RemoteSendEnd extends RemoteEnd implements SendEnd {
  constructor(home: string, threads: Threads, port: MessagePortLike) {
    super("send", home, threads, port);
  }

  send(item: unknown, transfer: readonly object[]): Promise<void> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.refusal("ThreadSendChannel.send");
    if (refusal !== null) return scope.kernel.rejected(refusal);
    return this.wait(SEND, { item, transfer }, (waiter, outcome) => {
      const error = sendError("ThreadSendChannel.send", outcome);
      if (error === null) waiter.wake(undefined);
      else waiter.fail(error.thrown);
    }) as Promise<void>;
  }

  sendSync(item: unknown, transfer: readonly object[], timeoutMs: number): void {
    const where = "ThreadSendChannel.sendSync";
    const parcel = { item, transfer };
    const error = sendError(where, this.block(where, "send(item)", parcel, timeoutMs));
    if (error !== null) throw error.thrown;
  }

  clone(): SendEnd {
    const port = this.share("ThreadSendChannel.clone");
    return openRemoteEnd("ThreadSendChannel.clone", "send", port.native) as SendEnd;
  }
}

export class RemoteReceiveEnd extends RemoteEnd implements ReceiveEnd {
  constructor(home: string, threads: Threads, port: MessagePortLike) {
    super("receive", home, threads, port);
  }

  receive(iterating: boolean): Promise<unknown> {
    const scope = ambientScope();
    const where = "ThreadReceiveChannel.receive";
    const refusal = scope.refuse() ?? this.refusal(where);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    return this.wait(RECEIVE, undefined, (waiter, outcome) => {
      if (outcome.kind === "item") waiter.wake(received(outcome.item, iterating));
      else if (outcome.kind === "end" && iterating) waiter.wake(ITERATION_END);
      else waiter.fail(receiveError(where, outcome));
    });
  }

  receiveSync(timeoutMs: number): unknown {
    const where = "ThreadReceiveChannel.receiveSync";
    const outcome = this.block(where, "receive()", undefined, timeoutMs);
    if (outcome.kind === "item") return outcome.item;
    throw receiveError(where, outcome);
  }

  clone(): ReceiveEnd {
    const port = this.share("ThreadReceiveChannel.clone");
    return openRemoteEnd("ThreadReceiveChannel.clone", "receive", port.native) as ReceiveEnd;
  }
}
