/** That the other sides of what a thread had got are told when it has ended, also if its ports do not tell that, as on Deno. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CancelScope, checkpoint, EndOfStream, failAfter, run, taskGroup } from "../index.ts";
import { currentBackend } from "../platform/capabilities.ts";
import type { Threads } from "../platform/threads.ts";
import {
  BrokenWorkerError,
  connectPortal,
  connectSendChannel,
  createThreadChannel,
  runInThread,
  withPortal,
  workerStatistics,
} from "../threads.ts";

/** What a test waits at most for what would never come, in milliseconds. */
const TEST_MS_MAX = 10_000;
const MODULE = "data:text/javascript,";

/** Calls a function in a thread that does nothing until it is terminated, and whose ports stay open then. */
async function callTerminated(
  args: readonly unknown[],
  transfer: readonly object[],
): Promise<void> {
  const scope = new CancelScope();
  await taskGroup(async (group) => {
    const options = { args, transfer, graceMs: 0 };
    const call = group.startSoon(() => scope.run(() => runInThread(MODULE, "loop", options)));
    while (workerStatistics("thread").busy === 0) await checkpoint();
    scope.cancel();
    await call.wait();
  });
  assert.ok(scope.cancelledCaught);
}

/** `main` is given what ends the thread that was started last. */
function playedTest(title: string, main: (end: () => void) => Promise<void>): void {
  test(title, async () => {
    let end = (): void => {};
    const backend = currentBackend();
    const threads: Threads = {
      ...(backend.threads as Threads),
      start(_target, listener) {
        end = () => listener.ended({ code: 1, signal: undefined, error: undefined });
        return { post() {}, setNeeded() {}, terminate: end };
      },
    };
    await run(() => failAfter(TEST_MS_MAX, () => main(() => end())), {
      backend: { ...backend, threads },
      signals: [],
    });
  });
}

playedTest(
  "runInThread: an end among the arguments is closed when its thread has ended",
  async () => {
    const [sender, receiver] = createThreadChannel<number>(1);
    await callTerminated([{ sender }], []);
    await assert.rejects(receiver.receive(), EndOfStream);
  },
);

playedTest(
  "runInThread: an end that was handed over is closed when its thread has ended",
  async () => {
    const [sender, receiver] = createThreadChannel<number>(1);
    const port = sender.handOver();
    await callTerminated([port], [port]);
    await assert.rejects(receiver.receive(), EndOfStream);
  },
);

playedTest(
  "runInThread: a portal is released when the thread that had its handle has ended",
  async () => {
    await withPortal({}, async (portal) => {
      const handle = portal.handle();
      await callTerminated([handle], [handle]);
      await portal.untilReleased();
      assert.equal(portal.statistics().openConnections, 0);
    });
  },
);

playedTest(
  "runInThread: what a thread had asked a portal for, or sent, counts although it has ended",
  async (end) => {
    const asked: string[] = [];
    await withPortal({ note: (text: string) => void asked.push(text) }, async (portal) => {
      const handle = portal.handle();
      const [sender, receiver] = createThreadChannel<number>(1);
      const port = sender.handOver();
      const call = runInThread(MODULE, "loop", { args: [handle, port], transfer: [handle, port] });
      // Nobody has taken them: this thread can.
      const connection = connectPortal(handle);
      connection.start("note", "last words");
      const sent = connectSendChannel<number>(port).send(1);
      end();
      await assert.rejects(call, BrokenWorkerError);
      await sent.catch(() => {});
      assert.equal(await receiver.receive(), 1);
      await assert.rejects(receiver.receive(), EndOfStream);
      await portal.untilReleased();
    });
    assert.deepEqual(asked, ["last words"]);
  },
);
