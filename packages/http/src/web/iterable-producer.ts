import { abandonOnCancel, Cancelled, moveOnAfter, shielded } from "arborio";
import type { BodyProducer } from "./body-producer.ts";

/**
 * So long, in milliseconds, an iterator that is left may clean up. One that waits for what cannot be cancelled, as many foreign ones
 * do, is left alone then: a client that went away must not hold its request for ever.
 */
const LEAVE_MS = 1000;

/**
 * Sends what an async iterable gives. Its steps run in the scope of the request: what it waits for is cancelled with that, and its
 * `finally` has run when the request has ended. Left early, it is told by `return`, as `for await` does.
 */
export function producerFrom(iterable: AsyncIterable<Uint8Array | string>): BodyProducer {
  return async (sink) => {
    const iterator = iterable[Symbol.asyncIterator]();
    const steps = new Steps(iterator);
    try {
      for (;;) {
        const { done, value } = await steps.next();
        if (done) return;
        await sink.send(value);
      }
    } finally {
      await steps.leave();
    }
  };
}

/** How a step ended. It is no rejection, so that none is late or unhandled. */
type Outcome<T> = { readonly value: T } | { readonly error: unknown };

class Steps<T> {
  readonly #iterator: AsyncIterator<T>;
  /** Whether the iterator has nothing to clean up any more. */
  #ended = false;

  constructor(iterator: AsyncIterator<T>) {
    this.#iterator = iterator;
  }

  async next(): Promise<IteratorResult<T>> {
    const step = this.#step();
    try {
      return valueOf(await abandonOnCancel(step));
    } catch (error) {
      if (error instanceof Cancelled) await waitAWhile(step);
      throw error;
    }
  }

  async #step(): Promise<Outcome<IteratorResult<T>>> {
    const outcome = await outcomeOf(() => this.#iterator.next());
    this.#ended = "error" in outcome || outcome.value.done === true;
    return outcome;
  }

  /** What is wrong already is the error to see, not what goes wrong here: as in `for await`. */
  async leave(): Promise<void> {
    if (this.#ended) return;
    await shielded(() =>
      moveOnAfter(LEAVE_MS, () => abandonOnCancel(outcomeOf(() => this.#iterator.return?.()))),
    );
  }
}

/** Waits for a step that is being cancelled too. A failure is what to see then. */
async function waitAWhile(step: Promise<Outcome<unknown>>): Promise<void> {
  const outcome = await shielded(() => moveOnAfter(LEAVE_MS, () => abandonOnCancel(step)));
  if (outcome !== undefined && "error" in outcome && !(outcome.error instanceof Cancelled)) {
    throw outcome.error;
  }
}

async function outcomeOf<T>(work: () => PromiseLike<T> | undefined): Promise<Outcome<T>> {
  try {
    return { value: (await work()) as T };
  } catch (error) {
    return { error };
  }
}

function valueOf<T>(outcome: Outcome<T>): T {
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}
