// Run on every runtime against the installed tarball: every entry loads, and the heart beats.
import { run, sleep, taskGroup } from "arborio";

const entries = ["arborio/lowlevel", "arborio/sim", "arborio/testing", "arborio/backends/node"];
for (const entry of entries) {
  const names = Object.keys(await import(entry));
  if (names.length === 0) throw new Error(`${entry} exports nothing`);
}

const order = [];
const value = await run(async () => {
  await taskGroup(async (group) => {
    for (const ms of [4, 2]) {
      group.startSoon(async () => {
        await sleep(ms);
        order.push(ms);
      });
    }
  });
  return order.join(" ");
});
if (value !== "2 4") throw new Error(`Tasks ended in the order ${value}: needed 2 4`);
console.log("program ok");
