/** What every subject does. */
import { stopwatch, type Case } from "../../harness/case.ts";

/** Does nothing, quickly, and is everywhere. */
export const PROGRAM = "true";

/** Programs that run at once in the bench `process-10`. */
const AT_ONCE = 10;

/** The cases of a subject that runs one program with `once`. */
export function casesOf(once: () => Promise<void>): Readonly<Record<string, Case>> {
  const one: Case = async (ops) => {
    const elapsed = stopwatch();
    for (let done = 0; done < ops; done++) await once();
    return elapsed();
  };
  const several: Case = async (ops) => {
    let begun = 0;
    const work = async (): Promise<void> => {
      while (begun++ < ops) await once();
    };
    const elapsed = stopwatch();
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return elapsed();
  };
  return { process: one, "process-10": several };
}
