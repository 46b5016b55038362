/** Calls with `runInThread`. */
import { run } from "arborio";
import { moduleAt, runInThread } from "arborio/threads";
import { runRequestedCase, type Case } from "../../harness/case.ts";
import type * as emptyModule from "./empty.ts";
import { casesOf } from "./work.ts";

const empty = moduleAt<typeof emptyModule>(new URL("./empty.ts", import.meta.url));
const cases = casesOf(() => runInThread(empty, "empty"));

const inRun =
  (measure: Case): Case =>
  (ops) =>
    run(() => measure(ops));

await runRequestedCase(
  Object.fromEntries(Object.entries(cases).map(([name, measure]) => [name, inRun(measure)])),
);
