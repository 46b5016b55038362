/** The home's side of an end that is in another thread. */
import type { MessagePortLike, Threads } from "../platform/threads.ts";
import { ring, threadName } from "./doorbell.ts";
import { closeWhenTold, onPortLost } from "./lost-ports.ts";
import {
  CHANNEL_PORT,
  type ChannelHalf,
  type EndPassport,
  type FromHome,
  type Parcel,
  PENDING,
  TAKEN,
  type ToHome,
} from "./thread-channel-protocol.ts";
import type { Giver, Taker, ThreadChannelState } from "./thread-channel-state.ts";

/** Makes one more end of a channel, behind the port that is returned. */
export function openConnection(
  state: ThreadChannelState,
  half: ChannelHalf,
  threads: Threads,
): MessagePortLike {
  const [home, away] = threads.createPortPair();
  home.post(passport(half));
  const connection = connect(state, half, threads, home);
  onPortLost(away.native, () => connection.lost());
  return away;
}

/** What an end finds first. */
export function passport(half: ChannelHalf, home: string = threadName()): EndPassport {
  return { kind: CHANNEL_PORT, half, home };
}

function connect(
  state: ThreadChannelState,
  half: ChannelHalf,
  threads: Threads,
  port: MessagePortLike,
): Connection {
  const connection = new Connection(state, half, threads, port);
  open.add(connection);
  return connection;
}

/** A port that is not needed keeps nothing alive, so its listeners need somebody who knows them. */
const open: Set<Connection> = new Set();

interface WaitList {
  add(operation: Giver & Taker): unknown;
}

class Connection {
  readonly #state: ThreadChannelState;
  readonly #half: ChannelHalf;
  readonly #threads: Threads;
  readonly #port: MessagePortLike;
  #words: Int32Array = new Int32Array(0);
  #bell: Int32Array | null = null;
  /** Operations that wait, by their places. */
  readonly #waiting: Map<number, Giver & Taker> = new Map();
  /** Items that were sent and may not have arrived yet, by their places, oldest first. */
  readonly #underWay: Map<number, Parcel> = new Map();
  #closed = false;
  #isGone = false;

  constructor(
    state: ThreadChannelState,
    half: ChannelHalf,
    threads: Threads,
    port: MessagePortLike,
  ) {
    this.#state = state;
    this.#half = half;
    this.#threads = threads;
    this.#port = port;
    if (half === "send") state.openSenders += 1;
    else state.openReceivers += 1;
    port.listen(
      (message) => this.#told(message as ToHome),
      () => this.#gone(),
    );
    port.setNeeded(state.keepsAlive);
  }

  #told(message: ToHome): void {
    switch (message[0]) {
      case "here":
        [, this.#words, this.#bell] = message;
        break;
      case "send":
        this.#offer(message[1], message[2]);
        break;
      case "receive":
        this.#take(message[1]);
        break;
      case "withdrawn":
        this.#forget(message[1]);
        this.#answer(["free", message[1]]);
        break;
      case "clone":
        connect(this.#state, this.#half, this.#threads, this.#threads.adoptPort(message[1]));
        break;
      case "close":
        this.#close();
        break;
    }
  }

  #offer(place: number, parcel: Parcel): void {
    const state = this.#state;
    const giver = this.#operation(place, parcel);
    if (state.openReceivers === 0) giver.broken();
    else if (state.mayOffer && this.#claim(place)) {
      if (state.offer(parcel)) this.#answer(["sent", place]);
      else this.#wait(place, giver, state.givers);
    } else if (!state.mayOffer) this.#enqueue(place, giver, state.givers);
  }

  #take(place: number): void {
    const state = this.#state;
    this.#forgetArrived();
    const taker = this.#operation(place, null);
    if (state.mayTake && this.#claim(place)) {
      const parcel = state.take();
      if (parcel !== null) this.#deliver(place, parcel);
      else if (state.openSenders === 0) this.#answer(["end", place]);
      else this.#wait(place, taker, state.takers);
    } else if (!state.mayTake) {
      if (state.openSenders === 0) taker.ended();
      else this.#enqueue(place, taker, state.takers);
    }
  }

  /** Who waits in the channel for this place. */
  #operation(place: number, parcel: Parcel | null): Giver & Taker {
    const taken = (): boolean => {
      this.#waiting.delete(place);
      return this.#claim(place);
    };
    return {
      give: () => {
        if (!taken()) return null;
        this.#answer(["sent", place]);
        return parcel;
      },
      broken: () => {
        if (taken()) this.#answer(["broken", place]);
      },
      take: (item) => {
        if (!taken()) return false;
        this.#deliver(place, item);
        return true;
      },
      ended: () => {
        if (taken()) this.#answer(["end", place]);
      },
    };
  }

  /** Takes the operation, unless it was withdrawn. */
  #claim(place: number): boolean {
    return Atomics.compareExchange(this.#words, place, PENDING, TAKEN) === PENDING;
  }

  /** It was taken in vain. */
  #wait(place: number, operation: Giver & Taker, queue: WaitList): void {
    this.#enqueue(place, operation, queue);
    Atomics.store(this.#words, place, PENDING);
    this.#answer(["waits", place]);
  }

  #enqueue(place: number, operation: Giver & Taker, queue: WaitList): void {
    this.#waiting.set(place, operation);
    queue.add(operation);
  }

  #deliver(place: number, parcel: Parcel): void {
    try {
      this.#port.post(["item", place, parcel] satisfies FromHome, parcel.transfer);
    } catch (error) {
      this.#answer(["lost", place, String(error)]);
      return;
    }
    // What changed hands is not here any more.
    if (parcel.transfer.length === 0) this.#underWay.set(place, parcel);
    this.#ring();
  }

  #answer(message: FromHome): void {
    this.#port.post(message);
    this.#ring();
  }

  #ring(): void {
    if (this.#bell !== null) ring(this.#bell);
  }

  #forget(place: number): void {
    const operation = this.#waiting.get(place);
    if (operation === undefined) return;
    this.#waiting.delete(place);
    this.#state.givers.delete(operation);
    this.#state.takers.delete(operation);
  }

  /** Of items that have arrived the places are free, or taken by another operation. */
  #forgetArrived(): void {
    for (const place of this.#underWay.keys())
      if (Atomics.load(this.#words, place) !== TAKEN) this.#underWay.delete(place);
  }

  /** Its thread has ended. What it had said before still counts. */
  lost(): void {
    if (this.#isGone) return;
    closeWhenTold(this.#threads, this.#port, (message) => this.#told(message as ToHome));
    this.#gone();
  }

  /** The port is closed: the end has all that was sent to it, or its thread has ended and what did not arrive comes back. */
  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    open.delete(this);
    this.#forgetArrived();
    this.#state.putBack([...this.#underWay.values()]);
    this.#underWay.clear();
    this.#close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const place of this.#waiting.keys()) this.#forget(place);
    if (this.#half === "send") this.#state.senderClosed();
    else this.#state.receiverClosed();
  }
}
