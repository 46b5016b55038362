/** That ends given to a call are closed, whatever comes of it: else who is at the other ends waits for ever. */
import assert from "node:assert/strict";
import {
  CancelScope,
  CapacityLimiter,
  checkpoint,
  ClosedResourceError,
  EndOfStream,
  failAfter,
} from "../index.ts";
import {
  createThreadChannel,
  moduleAt,
  runInThread,
  type ThreadReceiveChannel,
} from "../threads.ts";
import { kitUrl, test } from "./on-threads.test.kit.ts";
import type * as Kit from "./thread-channel.test.kit.ts";

const kit = moduleAt<typeof Kit>(kitUrl("thread-channel"));

/** What a test waits at most for what would never come, in milliseconds: less than the 10 seconds after which an idle thread ends, and its ends with it. */
const TEST_MS_MAX = 8000;

/** It takes its time to load. */
const slow =
  "data:text/javascript,await new Promise((resolve) => setTimeout(resolve, 100)); export const take = () => {};";

function assertEnded(receiver: ThreadReceiveChannel<number>): Promise<void> {
  return failAfter(TEST_MS_MAX, () => assert.rejects(receiver.receive(), EndOfStream));
}

for (const [how, module, name] of [
  ["has no such function", kit.url, "nix"],
  ["cannot be loaded", "file:///no/such/module.js", "take"],
] as const) {
  test(`thread channel: an end that went to a module that ${how} is closed`, async () => {
    const [sender, receiver] = createThreadChannel<number>(1);
    await assert.rejects(runInThread(module, name, { args: [sender] }), TypeError);
    await assertEnded(receiver);
  });
}

for (const abandonOnCancel of [false, true]) {
  test(`thread channel: an end that went to a call that was cancelled before it began is closed, abandonOnCancel ${abandonOnCancel}`, async (group) => {
    const [sender, receiver] = createThreadChannel<number>(1);
    const limiter = new CapacityLimiter(1);
    const scope = new CancelScope();
    const call = group.startSoon(() =>
      scope.run(() =>
        runInThread(slow, "take", {
          args: [{ sender }],
          limiter,
          abandonOnCancel,
          graceMs: Infinity,
        }),
      ),
    );
    while (limiter.borrowedTokens === 0) await checkpoint();
    scope.cancel();
    await call.wait();
    await assertEnded(receiver);
    (await failAfter(TEST_MS_MAX, () => limiter.acquire())).release();
  });
}

test("thread channel: ends that were to go with a closed one are as they were", async () => {
  const [sender, receiver] = createThreadChannel<number>(1);
  const [, closed] = createThreadChannel<number>(1);
  closed.close();
  await assert.rejects(
    runInThread(kit, "double", { args: [{ to: sender, from: closed }] }),
    ClosedResourceError,
  );
  await sender.send(1);
  assert.equal(await receiver.receive(), 1);
  sender.close();
  await assertEnded(receiver);
});
