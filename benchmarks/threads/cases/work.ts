/** What every subject does. */
import { availableParallelism } from "node:os";
import { stopwatch, type Case } from "../../harness/case.ts";

/** As many as are of use. */
export const THREADS: number = availableParallelism();

/** Calls at once in the bench `thread-100`. */
const AT_ONCE = 100;

/** The cases of a subject that makes one call with `call`. */
export function casesOf(call: () => Promise<unknown>): Readonly<Record<string, Case>> {
  const one: Case = async (ops) => {
    const elapsed = stopwatch();
    for (let done = 0; done < ops; done++) await call();
    return elapsed();
  };
  const several: Case = async (ops) => {
    const elapsed = stopwatch();
    for (let done = 0; done < ops; done += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, call));
    return elapsed();
  };
  return { thread: one, "thread-100": several };
}
