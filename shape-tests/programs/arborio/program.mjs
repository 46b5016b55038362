// Run on every runtime against the installed tarball: every entry loads, the heart beats, and threads and processes find their way in.
import { run, sleep, taskGroup } from "arborio";
import { runInProcess, runInThread } from "arborio/threads";
import manifest from "arborio/package.json" with { type: "json" };

for (const entry of Object.keys(manifest.exports)) {
  if (entry === "./package.json") continue;
  const names = Object.keys(await import(entry.replace(".", "arborio")));
  if (names.length === 0) throw new Error(`${entry} exports nothing`);
}

const order = [];
const value = await run(async () => {
  await taskGroup(async (group) => {
    for (const ms of [500, 2]) {
      group.startSoon(async () => {
        await sleep(ms);
        order.push(ms);
      });
    }
  });
  return order.join(" ");
});
if (value !== "2 500") throw new Error(`Tasks ended in the order ${value}: needed 2 500`);

const adding = "data:text/javascript,export const add = (a, b) => a + b;";
const sum = await run(() => runInThread(adding, "add", { args: [1, 2] }));
if (sum !== 3) throw new Error(`A thread added 1 and 2 to ${String(sum)}`);
const inProcess = await run(() => runInProcess(adding, "add", { args: [1, 2] }));
if (inProcess !== 3) throw new Error(`A process added 1 and 2 to ${String(inProcess)}`);
console.log("program ok");
