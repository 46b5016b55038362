import { abandonOnCancel } from "arborio";
import type { BodyProducer } from "./body-producer.ts";

/**
 * Sends what an async iterable gives. Its steps run in the scope of the request, so that what it waits for is cancelled with it; what
 * it waits for that cannot be cancelled holds nobody up. Left early, it is told by `return`, as `for await` does.
 */
export function producerFrom(iterable: AsyncIterable<Uint8Array | string>): BodyProducer {
  return async (sink) => {
    const iterator = iterable[Symbol.asyncIterator]();
    let ended = false;
    const next = async (): Promise<IteratorResult<Uint8Array | string>> => {
      try {
        const result = await iterator.next();
        ended = result.done === true;
        return result;
      } catch (error) {
        ended = true;
        throw error;
      }
    };
    try {
      for (;;) {
        const { done, value } = await abandonOnCancel(next);
        if (done) return;
        await sink.send(value);
      }
    } finally {
      if (!ended) await leave(iterator);
    }
  };
}

/** In a cancelled scope nothing is waited for, but the iterator is told all the same. */
async function leave(iterator: AsyncIterator<unknown>): Promise<void> {
  const returned = iterator.return?.();
  if (returned !== undefined) await abandonOnCancel(Promise.resolve(returned));
}
