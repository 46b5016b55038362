/** A program that leaves ends of channels open, here and in a worker, and ends. */
import { run, sleep } from "../index.ts";
import { createThreadChannel, moduleAt, runInThread } from "../threads.ts";
import type * as Kit from "./thread-channel.test.kit.ts";

const kit = moduleAt<typeof Kit>(
  new URL(
    `./thread-channel.test.kit.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`,
    import.meta.url,
  ),
);

await run(async () => {
  const [sender, from] = createThreadChannel<number>(1);
  await runInThread(kit, "keep", { args: [from] });
  await sender.send(1);
  sender.handOver();
  await sleep(1);
});
console.log("left");
