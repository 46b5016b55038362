import { moduleAt } from "../../threads/module-at.ts";
import { runInProcess } from "../../threads/run-in-process.ts";
import { runInThread } from "../../threads/run-in-thread.ts";
import { expect, type ProbeArea } from "./probe.test.kit.ts";
import * as workKit from "../../threads/gap-work.test.kit.ts";

const work = moduleAt<typeof workKit>(workKit.url);

/** What came of a value on its way to a process: the name of its kind, or `"refused"`. */
async function kindInProcess(value: unknown): Promise<string> {
  try {
    return await runInProcess(work, "kindOf", { args: [value] });
  } catch (error) {
    if (error instanceof TypeError) return "refused";
    throw error;
  }
}

export const threads: ProbeArea = {
  title: "Threads",
  probes: [
    {
      feature: "`runInThread`: shared memory is shared",
      async check() {
        const kind = await runInThread(work, "kindOf", { args: [new SharedArrayBuffer(4)] });
        expect(kind === "SharedArrayBuffer", `it is a ${kind}`);
      },
    },
    {
      feature: "`fromThread.runSync` in a thread",
      async check() {
        const callbacks = { question: () => 42 };
        expect((await runInThread(work, "askBlocking", { callbacks })) === 42, "it was not");
      },
    },
    {
      feature: "`runInProcess` refuses shared memory",
      async check() {
        const kind = await kindInProcess(new SharedArrayBuffer(4));
        expect(kind === "refused", kind === "SharedArrayBuffer" ? "it is shared" : "it is copied");
      },
    },
    {
      feature: "`runInProcess`: a `Blob` can be sent",
      async check() {
        const kind = await kindInProcess(new Blob(["x"]));
        expect(kind === "Blob", "it arrives as an empty object");
      },
    },
  ],
};
