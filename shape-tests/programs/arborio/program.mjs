// Run on every runtime against the installed tarball: every entry loads, and the heart beats.
import { run, sleep, taskGroup } from "arborio";
import manifest from "arborio/package.json" with { type: "json" };

for (const entry of Object.keys(manifest.exports)) {
  if (entry === "./package.json") continue;
  const names = Object.keys(await import(entry.replace(".", "arborio")));
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
