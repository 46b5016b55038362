/** What a worker's side of the program makes of messages, also of those that no real thread sends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { CancelScope, checkpoint, failAfter, run, SystemError, taskGroup } from "../index.ts";
import { currentBackend } from "../platform/capabilities.ts";
import type { Threads, WorkerListener } from "../platform/threads.ts";
import {
  BrokenWorkerError,
  currentDefaultThreadLimiter,
  runInThread,
  workerStatistics,
} from "../threads.ts";
import { Call, type CallOrder } from "./call.ts";
import type { FromWorker } from "./protocol.ts";
import { callWait } from "./run-in-worker.ts";
import { poolOf } from "./worker-pool.ts";

const MODULE = "data:text/javascript,";

/** Threads that are played by a test: it answers through the listener. */
class PlayedThreads {
  terminated = 0;
  /** Whether the end of one that is terminated is told at once. */
  endsAtOnce = true;
  listener!: WorkerListener;
  refusal: Error | undefined;
  /** Number of the last call that it has taken, if that is known. */
  taken: number | undefined;

  /** Runs `main` on this host, but with these threads. */
  run<T>(main: () => Promise<T>): Promise<T> {
    const backend = currentBackend();
    const threads: Threads = {
      ...(backend.threads as Threads),
      parallelism: 2,
      start: (_target, listener) => {
        if (this.refusal !== undefined) throw this.refusal;
        this.listener = listener;
        return {
          post() {},
          setNeeded() {},
          readMark: () => this.taken,
          terminate: () => {
            this.terminated += 1;
            if (this.endsAtOnce) listener.ended({ code: 1, signal: undefined, error: undefined });
          },
        };
      },
    };
    return run(main, { backend: { ...backend, threads }, signals: [] });
  }

  tell(...message: FromWorker): void {
    this.listener.message(message);
  }
}

/** A call whose function tells something, which `told` gets. */
function callTelling(told: (payload: unknown) => void): Promise<unknown> {
  const backend = currentBackend();
  const pool = poolOf(backend, backend.threads as Threads, "thread");
  const order: CallOrder = {
    where: "test",
    module: MODULE,
    exportName: "function",
    args: [],
    transfer: [],
    abandonOnCancel: false,
    graceMs: 0,
    errorClasses: [],
    extra: undefined,
    extension: { began() {}, told, ended() {} },
  };
  const call = new Call(order, ambientScope(), pool, currentDefaultThreadLimiter());
  return call.start(callWait("test"));
}

test("a message that has overtaken others waits for them", async () => {
  const threads = new PlayedThreads();
  await threads.run(async () => {
    const seen: unknown[] = [];
    const call = callTelling((payload) => void seen.push(payload));
    threads.tell("value", 1, "the value", 2);
    threads.tell("tell", 1, "second", 1);
    assert.deepEqual(seen, []);
    threads.tell("tell", 1, "first", 0);
    assert.deepEqual(seen, ["first", "second"]);
    assert.equal(await call, "the value");
    assert.deepEqual(workerStatistics("thread"), { idle: 1, busy: 0, started: 1, crashed: 0 });
  });
});

test("what a worker says about a call that has ended is not heard", async () => {
  const threads = new PlayedThreads();
  await threads.run(async () => {
    const seen: unknown[] = [];
    const first = callTelling((payload) => void seen.push(payload));
    threads.tell("value", 1, "the first value", 0);
    threads.tell("tell", 1, "late", 1);
    assert.equal(await first, "the first value");
    const second = callTelling((payload) => void seen.push(payload));
    threads.tell("tell", 1, "later", 2);
    threads.tell("value", 2, "the second value", 3);
    assert.equal(await second, "the second value");
    assert.deepEqual(seen, []);
  });
});

test("an answer that cannot be read fails its call, and the worker is replaced", async () => {
  const threads = new PlayedThreads();
  await threads.run(async () => {
    const call = runInThread(MODULE, "function");
    threads.listener.unreadable(new Error("garbled"));
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof BrokenWorkerError);
      assert.match(error.message, /the answer of function cannot be read: garbled/);
      return true;
    });
    assert.equal(threads.terminated, 1);
    assert.deepEqual(workerStatistics("thread"), { idle: 0, busy: 0, started: 1, crashed: 0 });
  });
});

test("a worker without a call from which something unreadable comes gets no call any more", async () => {
  const threads = new PlayedThreads();
  threads.endsAtOnce = false;
  await threads.run(async () => {
    const first = runInThread(MODULE, "function");
    threads.tell("value", 1, 5, 0);
    assert.equal(await first, 5);
    threads.listener.unreadable(new Error("garbled"));
    assert.equal(threads.terminated, 1);
    threads.endsAtOnce = true;
    const second = runInThread(MODULE, "function");
    assert.equal(workerStatistics("thread").started, 2);
    threads.tell("value", 1, 6, 0);
    assert.equal(await second, 6);
  });
});

test("a worker that cannot be started fails its call, and no token is lost", async () => {
  const threads = new PlayedThreads();
  threads.refusal = new SystemError("start a thread: too many", "EAGAIN");
  await threads.run(async () => {
    await assert.rejects(runInThread(MODULE, "function"), /too many/);
    threads.refusal = undefined;
    const call = runInThread(MODULE, "function");
    threads.tell("value", 1, 5, 0);
    assert.equal(await call, 5);
    assert.equal(currentDefaultThreadLimiter().borrowedTokens, 0);
  });
});

test("a new worker that ends before it has taken its call fails it: the next one would fare no better", async () => {
  const threads = new PlayedThreads();
  threads.taken = 0;
  await threads.run(async () => {
    const error = new SystemError("start a worker: no memory", "ENOMEM");
    const call = failAfter(5000, () => {
      const pending = runInThread(MODULE, "function");
      threads.listener.ended({ code: undefined, signal: undefined, error });
      return pending;
    });
    await assert.rejects(call, (thrown) => {
      assert.ok(thrown instanceof BrokenWorkerError);
      assert.match(thrown.message, /ended before function, by .*no memory/);
      assert.equal(thrown.cause, error);
      return true;
    });
    assert.deepEqual(workerStatistics("thread"), { idle: 0, busy: 0, started: 1, crashed: 1 });
    assert.equal(currentDefaultThreadLimiter().borrowedTokens, 0);
  });
});

for (const abandonOnCancel of [false, true]) {
  test(`a call that was cancelled before its worker was known to be gone is not given to another, abandonOnCancel ${abandonOnCancel}`, async () => {
    const threads = new PlayedThreads();
    await threads.run(async () => {
      const first = runInThread(MODULE, "function");
      threads.taken = 1;
      threads.tell("value", 1, 5, 0);
      assert.equal(await first, 5);
      const scope = new CancelScope();
      await taskGroup(async (group) => {
        const second = group.startSoon(() =>
          scope.run(() => runInThread(MODULE, "function", { abandonOnCancel })),
        );
        while (workerStatistics("thread").busy === 0) await checkpoint();
        scope.cancel();
        await checkpoint();
        threads.listener.ended({ code: 1, signal: undefined, error: undefined });
        await second.wait();
      });
      assert.ok(scope.cancelledCaught);
      assert.deepEqual(workerStatistics("thread"), { idle: 0, busy: 0, started: 1, crashed: 1 });
      assert.equal(currentDefaultThreadLimiter().borrowedTokens, 0);
    });
  });
}
