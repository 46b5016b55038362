/** Bridges from iterables. The other way needs none: every stream of the library is an async iterable. */
import { describeValue } from "../core/arguments.ts";
import type { ByteReceiveStream, ObjectReceiveStream } from "./byte-stream.ts";
import { ForeignWire } from "./foreign-wire.ts";
import { type ItemSource, PulledStream } from "./item-source.ts";
import { WireStream } from "./wire-stream.ts";

/** What can be iterated over, at once or by waiting. */
export type AnyIterable<T> = Iterable<T> | AsyncIterable<T>;

/**
 * Receives the bytes that an iterable gives, for example a generator or a foreign stream. It reads ahead up to 64 KiB, and calls
 * the iterator's `return` when closed. The iterator runs in the root scope of the run.
 *
 * @throws TypeError if it cannot be iterated over.
 *
 * @example A generator as a stream
 * ```ts
 * import { run } from "arborio";
 * import { fromIterable } from "arborio/streams";
 *
 * await run(async () => {
 *   await using stream = fromIterable([new Uint8Array([1, 2]), new Uint8Array([3])]);
 *   console.assert((await stream.receive(1))[0] === 1);
 * });
 * ```
 */
export function fromIterable(iterable: AnyIterable<Uint8Array>): ByteReceiveStream {
  const name = "fromIterable";
  return new WireStream(new ForeignWire(name, sourceOf(name, iterable), null), name);
}

/**
 * Receives the items that an iterable gives, one at a time, never ahead. It calls the iterator's `return` when closed. A cancelled
 * `receive` loses no item: the one that was being made is received next. The iterator runs in the root scope of the run.
 *
 * @throws TypeError if it cannot be iterated over.
 */
export function itemsFromIterable<T>(iterable: AnyIterable<T>): ObjectReceiveStream<T> {
  const name = "itemsFromIterable";
  return new PulledStream(sourceOf(name, iterable), name);
}

function sourceOf<T>(name: string, iterable: AnyIterable<T>): ItemSource<T> {
  if (isIterable<AsyncIterable<T>>(iterable, Symbol.asyncIterator)) {
    const iterator = iterable[Symbol.asyncIterator]();
    return {
      pull: async () => resultOf<T>(await iterator.next()),
      cancel: () => iterator.return?.(),
    };
  }
  if (isIterable<Iterable<T>>(iterable, Symbol.iterator)) {
    const iterator = iterable[Symbol.iterator]();
    return { pull: () => next(iterator), cancel: () => iterator.return?.() };
  }
  throw new TypeError(
    `${name}: got ${describeValue(iterable)}, needs an iterable or async iterable`,
  );
}

function isIterable<Kind>(iterable: unknown, method: symbol): iterable is Kind {
  return typeof (iterable as Record<symbol, unknown> | null | undefined)?.[method] === "function";
}

/** As `for await` does, waits for the promises that an iterable without waiting may give; one that rejects ends the iterator. */
async function next<T>(iterator: Iterator<T>): Promise<IteratorResult<T, unknown>> {
  const { done, value } = resultOf<T>(iterator.next());
  try {
    return { done, value: await value } as IteratorResult<T, unknown>;
  } catch (error) {
    endAfterFailure(iterator);
    throw error;
  }
}

function endAfterFailure(iterator: Iterator<unknown>): void {
  try {
    iterator.return?.();
  } catch {
    // What made it end is the error to see.
  }
}

/** What an iterator gave, as `for await` understands it; iterators of others may give anything. */
function resultOf<T>(result: unknown): IteratorResult<T, unknown> {
  if (typeof result !== "object" || result === null) {
    throw new TypeError(
      `the iterator's next gave ${describeValue(result)}, needs an object { done, value }`,
    );
  }
  const { done, value } = result as { done?: boolean; value: T };
  return done ? { done: true, value } : { done: false, value };
}
