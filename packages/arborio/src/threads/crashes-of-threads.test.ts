/** That a thread which ends in the middle of a call fails that call, and nothing else. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { CapacityLimiter, EndOfStream, gather, run, sleep } from "../index.ts";
import {
  BrokenWorkerError,
  createThreadChannel,
  currentDefaultThreadLimiter,
  moduleAt,
  runInThread,
  workerStatistics,
} from "../threads.ts";
import * as workKit from "./work.test.kit.ts";

const TEST_MS_MAX = 60_000;
const work = moduleAt<typeof workKit>(workKit.url);

function hostTest(title: string, body: () => Promise<void>): void {
  test(title, { timeout: TEST_MS_MAX }, () => run(body, { signals: [] }));
}

hostTest("runInThread: a thread that exits fails its call, and is replaced", async () => {
  const { crashed } = workerStatistics("thread");
  await assert.rejects(runInThread(work, "exit", { args: [3] }), (error) => {
    assert.ok(error instanceof BrokenWorkerError);
    assert.equal(error.code, "ARBORIO_BROKEN_WORKER");
    assert.equal(error.exitCode, 3);
    assert.equal(error.signal, undefined);
    assert.match(error.message, /ended during exit, by exit code 3/);
    return true;
  });
  assert.equal(await runInThread(work, "add", { args: [1, 2] }), 3);
  assert.equal(workerStatistics("thread").crashed, crashed + 1);
  assert.equal(currentDefaultThreadLimiter().borrowedTokens, 0);
});

for (const how of ["throw", "reject"] as const) {
  hostTest(`runInThread: an error that nobody caught (${how}) is the cause`, async () => {
    await assert.rejects(runInThread(work, "failAside", { args: [how] }), (error) => {
      assert.ok(error instanceof BrokenWorkerError);
      assert.ok(error.cause instanceof Error);
      assert.equal(error.cause.message, "aside");
      assert.match(error.message, /by an error that nobody caught: .*aside/);
      return true;
    });
    assert.equal(workerStatistics("thread").busy, 0);
  });
}

hostTest("runInThread: other calls are not affected", async () => {
  const limiter = new CapacityLimiter(4);
  const sums = await gather([
    () => runInThread(work, "exit", { args: [1], limiter }).catch((error: Error) => error.name),
    () => runInThread(work, "later", { args: ["a"], limiter }),
    () => runInThread(work, "exit", { args: [0], limiter }).catch((error: Error) => error.name),
    () => runInThread(work, "later", { args: ["b"], limiter }),
  ]);
  assert.deepEqual(sums, ["BrokenWorkerError", "a", "BrokenWorkerError", "b"]);
  assert.equal(limiter.borrowedTokens, 0);
});

/** Gives a call to a thread that is about to end, and will not look for calls any more. */
async function callOfTheGone(call: () => Promise<unknown>): Promise<unknown> {
  const place = new Int32Array(new SharedArrayBuffer(4));
  await runInThread(work, "exitSoon", { args: [place] });
  while (Atomics.load(place, 0) === 0) await sleep(1);
  const { idle } = workerStatistics("thread");
  const pending = call();
  assert.equal(workerStatistics("thread").idle, idle - 1);
  Atomics.store(place, 0, 2);
  Atomics.notify(place, 0);
  return await pending;
}

hostTest(
  "runInThread: a thread that ended before its call came to it: another one gets the call",
  async () => {
    const { crashed } = workerStatistics("thread");
    assert.equal(await callOfTheGone(() => runInThread(work, "add", { args: [1, 2] })), 3);
    assert.equal(workerStatistics("thread").crashed, crashed + 1);
    assert.equal(currentDefaultThreadLimiter().borrowedTokens, 0);
  },
);

hostTest(
  "runInThread: a thread that ended before its call came to it: what changes hands is lost with it",
  async () => {
    const bytes = new Uint8Array(3);
    await assert.rejects(
      callOfTheGone(() => runInThread(work, "sumOf", { args: [bytes], transfer: [bytes.buffer] })),
      (error) => {
        assert.ok(error instanceof BrokenWorkerError);
        assert.match(error.message, /the worker ended before sumOf, by exit code 7/);
        return true;
      },
    );
    assert.equal(currentDefaultThreadLimiter().borrowedTokens, 0);
  },
);

hostTest(
  "runInThread: a thread that ended before its call came to it: ends of channels are lost with it",
  async () => {
    const [sender, receiver] = createThreadChannel<number>(1);
    await assert.rejects(
      callOfTheGone(() => runInThread(work, "echo", { args: [sender] })),
      BrokenWorkerError,
    );
    await assert.rejects(receiver.receive(), EndOfStream);
  },
);

hostTest("a thread that fails when it has no call is replaced, and that is said", async () => {
  const said: string[] = [];
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (text: unknown): boolean => said.push(String(text)) > 0;
  try {
    // Before the call: on a busy machine its answer and the end come at once.
    const { crashed } = workerStatistics("thread");
    await runInThread(work, "failSoon", { args: ["throw", 1] });
    while (workerStatistics("thread").crashed === crashed) await sleep(1);
  } finally {
    process.stderr.write = write;
  }
  assert.match(said.join(""), /arborio: a thread without a call was ended by an error.*aside/);
  assert.equal(await runInThread(work, "add", { args: [1, 2] }), 3);
});
