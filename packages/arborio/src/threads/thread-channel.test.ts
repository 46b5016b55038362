import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../index.ts";
import { createThreadChannel, moduleAt, runInThread } from "../threads.ts";
import type * as Kit from "./thread-channel.test.kit.ts";

const kit = moduleAt<typeof Kit>(
  new URL(
    `./thread-channel.test.kit.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`,
    import.meta.url,
  ),
);

test("a thread channel carries items to a worker and back", async () => {
  await run(async (group) => {
    const [toWorker, from] = createThreadChannel<number>(2);
    const [to, fromWorker] = createThreadChannel<number>(2);
    group.startSoon(async () => {
      using _closing = toWorker;
      for (let n = 0; n < 100; n++) await toWorker.send(n);
    });
    const call = group.startSoon(() => runInThread(kit, "double", { args: [{ from, to }] }));
    const got: number[] = [];
    for await (const n of fromWorker) got.push(n);
    assert.deepEqual(
      got,
      Array.from({ length: 100 }, (_, n) => 2 * n),
    );
    assert.equal(await call.result(), 100);
  });
});

test("a thread channel blocks a worker that is synchronous", async () => {
  await run(async (group) => {
    const [toWorker, from] = createThreadChannel<number>(2);
    const [to, fromWorker] = createThreadChannel<number>(0);
    group.startSoon(async () => {
      using _closing = toWorker;
      for (let n = 0; n < 100; n++) await toWorker.send(n);
    });
    const call = group.startSoon(() => runInThread(kit, "doubleSync", { args: [{ from, to }] }));
    const got: number[] = [];
    for await (const n of fromWorker) got.push(n);
    assert.deepEqual(
      got,
      Array.from({ length: 100 }, (_, n) => 2 * n),
    );
    assert.equal(await call.result(), "EndOfStream");
  });
});
