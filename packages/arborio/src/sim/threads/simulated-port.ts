/**
 * Two ports that belong together, in one simulated thread or in two. What is posted is there at once for who looks (`takeNowait`); who
 * listens is told a little later, in order.
 */
import type { MessagePortLike } from "../../platform/threads.ts";
import type { VirtualClock } from "../clock.ts";

/** Microseconds from a post until the other side is told. */
const LATENCY_US = 20;

/**
 * What stands for a port in messages: structured clone moves such a buffer as it moves a port, and the copy of the message has another
 * one in the same place.
 */
const portOf: WeakMap<object, SimulatedPort> = new WeakMap();

/** Structured clone of a message, with the simulated ports among `transfer`. */
export function cloneMessage(message: unknown, transfer: readonly object[] = []): unknown {
  const tokens = transfer.filter((one) => portOf.has(one));
  const cloned = structuredClone(
    { message, tokens },
    { transfer: transfer as readonly ArrayBuffer[] as ArrayBuffer[] },
  );
  for (const [index, token] of cloned.tokens.entries())
    portOf.set(token, portOf.get(tokens[index] as object) as SimulatedPort);
  return cloned.message;
}

/** Two new ports. */
export function createPorts(clock: VirtualClock): readonly [SimulatedPort, SimulatedPort] {
  const first = new SimulatedPort(clock);
  const second = new SimulatedPort(clock);
  first.connect(second);
  second.connect(first);
  return [first, second];
}

/** The port that stands in a message. */
export function portBehind(token: unknown): SimulatedPort {
  const port = portOf.get(token as object);
  if (port !== undefined) return port;
  throw new TypeError("a port of a simulated thread can only be sent to another one of its world");
}

/** One end of a pair. */
export class SimulatedPort implements MessagePortLike {
  readonly #clock: VirtualClock;
  #peer: SimulatedPort | null = null;
  /** What has come, and nobody was told. */
  readonly #waiting: unknown[] = [];
  #listener: { readonly told: (message: unknown) => void; readonly closed: () => void } | null =
    null;
  #telling = false;
  /** One of the two was closed. */
  #closed = false;
  #ownEnd = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  connect(peer: SimulatedPort): void {
    this.#peer = peer;
  }

  get native(): object {
    const token = new ArrayBuffer(0);
    portOf.set(token, this);
    return token;
  }

  post(message: unknown, transfer?: readonly object[]): void {
    const copy = cloneMessage(message, transfer);
    if (!this.#closed) this.#peer?.receive(copy);
  }

  listen(told: (message: unknown) => void, closed: () => void): void {
    this.#listener = { told, closed };
    this.#tellSoon();
  }

  setNeeded(): void {}

  close(): void {
    if (this.#ownEnd) return;
    this.#ownEnd = true;
    this.#waiting.length = 0;
    this.#close();
    this.#peer?.peerClosed();
  }

  takeNowait(): { readonly message: unknown } | undefined {
    return this.#waiting.length === 0 ? undefined : { message: this.#waiting.shift() };
  }

  receive(message: unknown): void {
    this.#waiting.push(message);
    this.#tellSoon();
  }

  peerClosed(): void {
    if (!this.#closed) this.#close();
  }

  #close(): void {
    this.#closed = true;
    this.#tellSoon();
  }

  #tellSoon(): void {
    if (this.#telling || this.#listener === null) return;
    if (this.#waiting.length === 0 && !this.#closed) return;
    this.#telling = true;
    this.#clock.after(LATENCY_US, () => this.#tell());
  }

  /** All that is there; the end of a port after what was posted before it. */
  #tell(): void {
    this.#telling = false;
    const listener = this.#listener;
    if (listener === null) return;
    for (const message of this.#waiting.splice(0)) listener.told(message);
    if (!this.#closed) return;
    if (this.#waiting.length > 0) {
      this.#tellSoon();
      return;
    }
    this.#listener = null;
    listener.closed();
  }
}
