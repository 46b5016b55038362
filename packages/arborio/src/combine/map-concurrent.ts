import { describeValue, requireCount, requireFunction, requireOptions } from "../core/arguments.ts";
import { checkpoint, checkpointIfCancelled } from "../core/checkpoint.ts";
import { type TaskGroup, taskGroup } from "../core/task-group.ts";
import { disposeUnclaimed } from "./dispose.ts";
import { bareError, callInTask } from "./failures.ts";
import { isIterable } from "./functions.ts";

/** Options of `mapConcurrent`. */
export interface MapConcurrentOptions {
  /** Most calls at once: a whole number from 1 on, or `Infinity`. There is no default: only the caller knows what can bear how much. */
  readonly concurrency: number;
}

/**
 * Calls `fn` for each item, at most `concurrency` calls at once, and returns the results in the order of the items. Items are
 * pulled one by one, and only when a call can begin: an iterable that waits or costs is never read ahead. The first failure
 * cancels the other calls; all are waited for, and the iterable is closed.
 *
 * When it fails or is cancelled, all calls have ended, the iterator's `return()` has been awaited, and results that were ready
 * have been disposed if they are disposable.
 *
 * @param iterable the items; asynchronous if it can be both. An endless synchronous one needs a finite `concurrency`.
 * @param fn gets the item and its number, from 0 on. Several items may share a task.
 * @param options the concurrency.
 * @throws the first error of `fn` or of the iterable, bare; further ones are in its property `suppressed`. If the surroundings
 *   were cancelled as well, a `SuppressedError` of the error and the `Cancelled`.
 * @throws RangeError if `concurrency` is not a whole number from 1 on, nor `Infinity`.
 * @throws TypeError if an argument is of the wrong kind.
 * @throws Cancelled if cancelled.
 *
 * Counterpart: `anyio.amap`, `aiometer.run_all`.
 *
 * @example Two at a time
 * ```ts
 * import { mapConcurrent, run, sleep } from "arborio";
 *
 * await run(async () => {
 *   const square = (n: number) => sleep(1).then(() => n * n);
 *   const squares = await mapConcurrent([1, 2, 3], square, { concurrency: 2 });
 *   console.assert(squares.join() === "1,4,9");
 * });
 * ```
 */
export async function mapConcurrent<T, R>(
  iterable: Iterable<T> | AsyncIterable<T>,
  fn: (item: T, index: number) => R | PromiseLike<R>,
  options: MapConcurrentOptions,
): Promise<R[]> {
  checkpointIfCancelled();
  requireFunction("mapConcurrent", fn);
  requireOptions("mapConcurrent(iterable, fn, options)", options, "{ concurrency: 10 }");
  const { concurrency } = options;
  requireCount("mapConcurrent({ concurrency })", concurrency, 1);
  const source = new Source(iterable);
  const mapping = new Mapping(source, fn, concurrency);
  try {
    await taskGroup((group) => mapping.start(group));
    return mapping.results;
  } catch (error) {
    const more = await source.close();
    throw bareError(error, [...more, ...(await disposeUnclaimed(mapping.results))]);
  }
}

/** The iterator of any iterable, closed unless it ended itself. */
class Source<T> {
  readonly #iterator: Iterator<T> | AsyncIterator<T>;
  ended = false;

  constructor(iterable: Iterable<T> | AsyncIterable<T>) {
    const asynchronous = (iterable as Partial<AsyncIterable<T>> | null | undefined)?.[
      Symbol.asyncIterator
    ];
    if (typeof asynchronous === "function") this.#iterator = asynchronous.call(iterable);
    else if (isIterable(iterable)) this.#iterator = iterable[Symbol.iterator]() as Iterator<T>;
    else
      throw new TypeError(
        `mapConcurrent: got ${describeValue(iterable)}, needs an iterable or async iterable of items`,
      );
  }

  async pull(): Promise<IteratorResult<T>> {
    try {
      const result = await this.#iterator.next();
      if (result.done === true) this.ended = true;
      return result;
    } catch (error) {
      this.ended = true; // as in `for await`: an iterator that threw is not closed
      throw error;
    }
  }

  /** Closes the iterator early; what that throws is returned. */
  async close(): Promise<unknown[]> {
    if (this.ended) return [];
    try {
      await this.#iterator.return?.();
      return [];
    } catch (error) {
      return [error];
    }
  }
}

/**
 * Workers without a queue between them: one at a time pulls, and starts the next one as soon as it has an item. A worker that
 * finishes becomes the puller unless there is one. So there are never more workers than may run, and pulls never overlap.
 */
class Mapping<T, R> {
  readonly #source: Source<T>;
  readonly #fn: (item: T, index: number) => R | PromiseLike<R>;
  readonly #concurrency: number;
  /** Has holes where there is no result yet. */
  readonly results: R[] = [];
  #group!: TaskGroup;
  #pulled = 0;
  #running = 0;
  /** A worker is pulling, or has been started to pull. */
  #pulling = false;

  constructor(
    source: Source<T>,
    fn: (item: T, index: number) => R | PromiseLike<R>,
    concurrency: number,
  ) {
    this.#source = source;
    this.#fn = fn;
    this.#concurrency = concurrency;
  }

  start(group: TaskGroup): void {
    this.#group = group;
    this.#startWorker();
  }

  #startWorker(): void {
    this.#pulling = true;
    this.#group.startSoon(() => callInTask(this.#work), { name: "mapConcurrent" });
  }

  readonly #work = async (): Promise<void> => {
    do {
      this.#pulling = true;
      // A checkpoint for each item: calls that never wait must neither starve timers nor outrun a cancellation.
      await checkpoint();
      const item = await this.#source.pull();
      this.#pulling = false;
      if (item.done === true) return;
      const index = this.#pulled++;
      this.#running += 1;
      if (this.#running < this.#concurrency) this.#startWorker();
      this.results[index] = await this.#fn(item.value, index);
      this.#running -= 1;
    } while (!this.#pulling && !this.#source.ended);
  };
}
