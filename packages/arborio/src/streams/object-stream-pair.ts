import { requireCount } from "../core/arguments.ts";
import { createChannel } from "../sync/channel.ts";
import { StapledObjectStream } from "./stapled-stream.ts";

/**
 * Makes two streams of items that are connected to one another: what one sends, the other receives. A channel each way.
 *
 * @param capacity how many items are kept, each way, that nobody has received; a whole number from 0 on, or `Infinity`. 0: a
 *   sender waits for its receiver.
 * @throws RangeError if `capacity` is not such a number; TypeError if it is none.
 *
 * @example A question and an answer
 * ```ts
 * import { run } from "arborio";
 * import { createObjectStreamPair } from "arborio/streams";
 *
 * await run(async (group) => {
 *   const [here, there] = createObjectStreamPair<number>(1);
 *   group.startSoon(async () => there.send((await there.receive()) * 2));
 *   await here.send(21);
 *   console.assert((await here.receive()) === 42);
 * });
 * ```
 */
export function createObjectStreamPair<T>(
  capacity: number,
): [StapledObjectStream<T>, StapledObjectStream<T>] {
  requireCount("createObjectStreamPair", capacity, 0);
  const [toSecond, fromFirst] = createChannel<T>(capacity);
  const [toFirst, fromSecond] = createChannel<T>(capacity);
  return [
    new StapledObjectStream<T>(toSecond, fromSecond),
    new StapledObjectStream<T>(toFirst, fromFirst),
  ];
}
