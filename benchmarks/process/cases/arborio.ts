/** Short programs with `openProcess`. */
import { run } from "arborio";
import { openProcess } from "arborio/process";
import { runRequestedCase, type Case } from "../../harness/case.ts";
import { casesOf, PROGRAM } from "./work.ts";

const cases = casesOf(async () => {
  await using child = await openProcess([PROGRAM]);
  for await (const _chunk of child.stdout);
  const { code } = await child.wait();
  if (code !== 0) throw new Error(`${PROGRAM} ended with ${code}`);
});

const inRun =
  (measure: Case): Case =>
  (ops) =>
    run(() => measure(ops));

await runRequestedCase(
  Object.fromEntries(Object.entries(cases).map(([name, measure]) => [name, inRun(measure)])),
);
