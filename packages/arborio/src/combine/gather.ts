import { checkpointIfCancelled } from "../core/checkpoint.ts";
import { TaskCancelled } from "../core/errors.ts";
import { FINISHED, ON_BEHALF } from "../core/flags.ts";
import type { Task } from "../core/task.ts";
import { taskGroup } from "../core/task-group.ts";
import { disposeUnclaimed } from "./dispose.ts";
import { bareError } from "./failures.ts";
import {
  isIterable,
  requireFunctions,
  requireRecord,
  taskName,
  type ValueOf,
  type ValuesOf,
  type Work,
} from "./functions.ts";

/**
 * Calls all functions at once, each in a task of its own, and returns their values: an array in their order, or a record
 * under their names. The first failure cancels the others; all are waited for.
 *
 * When it fails or is cancelled, all functions have ended, and values that were ready, which now nobody gets, have been
 * disposed if they are disposable.
 *
 * @param fns an iterable, or a record, of functions. Functions, not promises: so they start inside.
 * @returns the values; of no functions, an empty array or record.
 * @throws the first error, bare; further ones are in its property `suppressed`. If the surroundings were cancelled as well, a
 *   `SuppressedError` of the error and the `Cancelled`, out of which the cancelled scope throws the bare error.
 * @throws TaskCancelled if a function cancelled its own task.
 * @throws TypeError if something in `fns` is not a function.
 * @throws Cancelled if cancelled.
 *
 * Counterpart: `anyio.gather`, `asyncio.gather`.
 *
 * @example A list and a record
 * ```ts
 * import { gather, run, sleep } from "arborio";
 *
 * await run(async () => {
 *   const [one, two] = await gather([async () => 1, () => sleep(1).then(() => "two")]);
 *   console.assert(one === 1 && two === "two");
 *   const { user } = await gather({ user: async () => "ada", rights: async () => [] });
 *   console.assert(user === "ada");
 * });
 * ```
 */
export function gather<const F extends readonly Work[] | []>(fns: F): Promise<ValuesOf<F>>;
/** Of functions of one kind, as many as there are: their values, in their order. */
export function gather<T>(fns: Iterable<Work<T>>): Promise<T[]>;
/** Of a record of functions: a record of their values. */
export function gather<F extends Readonly<Record<string, Work>>>(
  fns: F,
): Promise<{ -readonly [K in keyof F]: ValueOf<F[K]> }>;
export async function gather(
  fns: Iterable<Work> | Readonly<Record<string, Work>>,
): Promise<unknown> {
  checkpointIfCancelled();
  if (isIterable(fns)) {
    const list = requireFunctions("gather", fns);
    return valuesOf(list, (index) => taskName("gather", list[index] as Work, index));
  }
  const entries = requireRecord("gather", fns);
  const values = await valuesOf(
    entries.map(([, fn]) => fn),
    (index) => (entries[index] as [string, Work])[0],
  );
  return Object.fromEntries(entries.map(([name], index) => [name, values[index]]));
}

async function valuesOf(
  fns: readonly Work[],
  nameOf: (index: number) => string,
): Promise<unknown[]> {
  // The tasks keep their values: no function around each is needed.
  const tasks: Task[] = [];
  try {
    await taskGroup((group) => {
      for (let index = 0; index < fns.length; index++) {
        const task = group.spawn("gather", fns[index] as Work, nameOf(index), false);
        task.flags |= ON_BEHALF;
        tasks.push(task);
      }
    });
    return tasks.map(valueOf);
  } catch (error) {
    throw bareError(error, await disposeUnclaimed(tasks.filter(isFinished).map(valueOf)));
  }
}

function isFinished(task: Task): boolean {
  return (task.flags & FINISHED) !== 0;
}

function valueOf(task: Task): unknown {
  if (isFinished(task)) return task.slot;
  throw new TaskCancelled(`gather: ${task.describe()} cancelled itself, so it has no value`);
}
