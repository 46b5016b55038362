/** Bridges to and from events: they come when they come, so what is not received in time has a stated fate. */
import { describeValue, requireCount, requireFunction, requireOptions } from "../core/arguments.ts";
import { BrokenResourceError, EndOfStream } from "../core/errors.ts";
import { textOf } from "../core/exception-text.ts";
import { createChannel, type ReceiveChannel, type SendChannel } from "../sync/channel.ts";
import type { ObjectReceiveStream } from "./byte-stream.ts";

/** So many events wait for a receiver, unless told otherwise. */
const CAPACITY = 256;

/** The shape of an event emitter: Node's, and the many that imitate it. */
export interface EmitterLike {
  /** Adds a listener. */
  on(type: string, listener: (...args: unknown[]) => void): unknown;
  /** Takes it away again. */
  removeListener(type: string, listener: (...args: unknown[]) => void): unknown;
}

/** Where events come from. */
export type EventSource = EventTarget | EmitterLike;

/** Options of `receiveEvents`. */
export interface ReceiveEventsOptions {
  /** So many events wait for a receiver; a whole number from 1 on. Default 256. */
  readonly capacity?: number;
  /**
   * What happens when more come: the oldest that waits is dropped, the newest is dropped, or the stream breaks. Default
   * `"drop-oldest"`.
   */
  readonly overflow?: "drop-oldest" | "drop-newest" | "break";
  /** Names of events that end the stream. Default none. */
  readonly endOn?: readonly string[];
  /** Names of events that break the stream, with what they carry as the `cause`. Default none. */
  readonly failOn?: readonly string[];
}

/** What `EventStream.statistics()` tells. */
export interface EventStreamStatistics {
  /** Events that wait for a receiver. */
  readonly waiting: number;
  /** Events that were dropped because nobody received in time. */
  readonly dropped: number;
}

/**
 * Receives the events of an `EventTarget` (then an item is the event) or of an emitter (then it is the array of arguments).
 * Listens from now on, and until it is closed. What comes while nobody receives waits, up to `capacity`; `overflow` says what
 * happens then.
 *
 * @param source what tells the events.
 * @param type name of the events.
 * @throws TypeError, RangeError if an argument is none of these.
 *
 * @example Messages of a port, at one's own pace
 * ```ts
 * import { run } from "arborio";
 * import { receiveEvents } from "arborio/streams";
 *
 * await run(async () => {
 *   const target = new EventTarget();
 *   using events = receiveEvents<Event>(target, "tick");
 *   target.dispatchEvent(new Event("tick"));
 *   console.assert((await events.receive()).type === "tick");
 * });
 * ```
 */
export function receiveEvents<T>(
  source: EventSource,
  type: string,
  options: ReceiveEventsOptions = {},
): EventStream<T> {
  requireType(type);
  requireOptions("receiveEvents(source, type, options)", options, "{ capacity: 100 }");
  const { capacity = CAPACITY, overflow = "drop-oldest", endOn = [], failOn = [] } = options;
  requireCount("receiveEvents({ capacity })", capacity, 1);
  if (overflow !== "drop-oldest" && overflow !== "drop-newest" && overflow !== "break") {
    throw new RangeError(
      `receiveEvents({ overflow }): got ${describeValue(overflow)}, needs "drop-oldest", "drop-newest" or "break"`,
    );
  }
  requireNames("endOn", endOn);
  requireNames("failOn", failOn);
  const stream = new EventStream<T>(capacity, overflow);
  try {
    stream.listen(source, type, (item) => stream.take(item as T));
    for (const name of endOn) stream.listen(source, name, () => stream.end());
    for (const name of failOn) stream.listen(source, name, (cause) => stream.break(cause));
  } catch (error) {
    stream.close();
    throw error;
  }
  return stream;
}

/** Emitters of others name events by symbols too. */
function requireType(type: unknown): void {
  if (typeof type === "string" || typeof type === "symbol") return;
  throw new TypeError(`receiveEvents: got ${describeValue(type)}, needs the name of an event`);
}

/** A single name is iterable as well: it would be taken for its letters. */
function requireNames(option: string, names: unknown): void {
  if (Array.isArray(names)) return;
  throw new TypeError(
    `receiveEvents({ ${option} }): got ${describeValue(names)}, needs an array of names of events`,
  );
}

/** Events as a stream of items. */
export class EventStream<T> implements ObjectReceiveStream<T> {
  readonly #sender: SendChannel<T>;
  readonly #receiver: ReceiveChannel<T>;
  readonly #capacity: number;
  readonly #overflow: "drop-oldest" | "drop-newest" | "break";
  readonly #stops: (() => void)[] = [];
  #dropped = 0;
  #failure: BrokenResourceError | null = null;
  /** No more events are taken. An emitter tells an event also to listeners that were taken away while it told it to others. */
  #stopped = false;
  #closed = false;

  /** @internal */
  constructor(capacity: number, overflow: "drop-oldest" | "drop-newest" | "break") {
    [this.#sender, this.#receiver] = createChannel<T>(capacity);
    this.#capacity = capacity;
    this.#overflow = overflow;
  }

  /**
   * Waits for an event. Cancelled, it lost none.
   *
   * @throws EndOfStream after an event of `endOn`, when the events before it have been received.
   * @throws BrokenResourceError after an event of `failOn`, or when `overflow` is `"break"` and too many came; likewise.
   * @throws ClosedResourceError after `close`, also while waiting.
   */
  async receive(): Promise<T> {
    try {
      return await this.#receiver.receive();
    } catch (error) {
      throw error instanceof EndOfStream ? (this.#failure ?? error) : error;
    }
  }

  /** Iterates until the end. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined, undefined> {
    return { next: () => this.#next() };
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    try {
      return { done: false, value: await this.receive() };
    } catch (error) {
      if (error instanceof EndOfStream) return { done: true, value: undefined };
      throw error;
    }
  }

  /** A frozen snapshot. */
  statistics(): EventStreamStatistics {
    const waiting = this.#closed ? 0 : this.#receiver.statistics().currentBufferUsed;
    return Object.freeze({ waiting, dropped: this.#dropped });
  }

  /** Listens no more, and forgets what waits. Synchronous; works from any context; a second call does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopped = true;
    // Before the sender: who waits is told of this, not of an end.
    this.#receiver.close();
    this.#stop();
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  listen(source: EventSource, type: string, listener: (item: unknown) => void): void {
    this.#stops.push(addListener(source, type, listener));
  }

  /** @internal */
  take(item: T): void {
    if (this.#stopped) return;
    if (this.#receiver.statistics().currentBufferUsed >= this.#capacity) {
      if (this.#overflow === "break") {
        this.#breakWith(`more than ${this.#capacity} events came that nobody received`, undefined);
        return;
      }
      this.#dropped += 1;
      if (this.#overflow === "drop-newest") return;
      this.#receiver.receiveNowait();
    }
    this.#sender.sendNowait(item);
  }

  /** @internal */
  end(): void {
    this.#stop();
  }

  /** @internal */
  break(item: unknown): void {
    const cause: unknown = Array.isArray(item) && item.length === 1 ? item[0] : item;
    this.#breakWith(textOf(cause), cause);
  }

  #breakWith(what: string, cause: unknown): void {
    if (this.#stopped) return;
    this.#failure = new BrokenResourceError(`receiveEvents: ${what}`, { cause });
    this.#stop();
  }

  #stop(): void {
    this.#stopped = true;
    for (const stop of this.#stops.splice(0)) stop();
    this.#sender.close();
  }
}

function addListener(
  source: EventSource,
  type: string,
  listener: (item: unknown) => void,
): () => void {
  if (source instanceof EventTarget) {
    source.addEventListener(type, listener);
    return () => source.removeEventListener(type, listener);
  }
  if (typeof source?.on !== "function" || typeof source.removeListener !== "function") {
    throw new TypeError(
      `receiveEvents: got ${describeValue(source)}, needs an EventTarget or an event emitter`,
    );
  }
  const withArguments = (...args: unknown[]): void => listener(args);
  source.on(type, withArguments);
  return () => void source.removeListener(type, withArguments);
}

/**
 * Dispatches an event for each item that `stream` receives, until it ends. A listener that throws does not stop it: what it
 * throws is the host's, as for any event. Cancelled, it lost no item.
 *
 * @param toEvent makes the event of an item.
 * @returns how many events were dispatched.
 */
export async function dispatchEvents<T>(
  stream: ObjectReceiveStream<T>,
  target: EventTarget,
  toEvent: (item: T) => globalThis.Event,
): Promise<number> {
  if (typeof target?.dispatchEvent !== "function")
    throw new TypeError(`dispatchEvents: got ${describeValue(target)}, needs an EventTarget`);
  requireFunction("dispatchEvents", toEvent);
  let count = 0;
  for await (const item of stream) {
    target.dispatchEvent(toEvent(item));
    count += 1;
  }
  return count;
}
