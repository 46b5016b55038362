import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { AsyncLocalStorage } from "node:async_hooks";
import {
  CancelScope,
  currentScope,
  Event,
  failAfter,
  InvalidStateError,
  run,
  shielded,
  sleep,
  sleepForever,
  taskTree,
} from "../index.ts";
import { RunLocal } from "../lowlevel.ts";
import { cancelEverywhere } from "../testing.ts";
import { BrokenWorkerError, fromThread, moduleAt, runInProcess, runInThread } from "../threads.ts";
import { kitUrl, onHost, test, withExit } from "./on-threads.test.kit.ts";
import { CALLS_UNDER_WAY_MAX } from "./portal-calls.ts";
import { type Callbacks, LookupError } from "./from-thread.test.kit.ts";
import type * as Kit from "./from-thread.test.kit.ts";

const kit = moduleAt<typeof Kit>(kitUrl("from-thread"));

function callbacks(own: Partial<Callbacks> = {}): Callbacks {
  return {
    progress() {},
    async lookup(key) {
      await sleep(1);
      if (key === "missing") throw new LookupError(key);
      return `value of ${key}`;
    },
    forever: () => sleepForever(),
    bytes: (buffer) => buffer.byteLength,
    bad: () => () => {},
    ...own,
  };
}

test("fromThread.run calls a callback of the caller and waits for it", async () => {
  const answer = await runInThread(kit, "ask", { args: ["x"], callbacks: callbacks() });
  assert.equal(answer, "value of x");
});

test(
  "fromThread.runSync blocks the thread until the callback has ended",
  async () => {
    const answer = await runInThread(kit, "askSync", { args: ["x"], callbacks: callbacks() });
    assert.equal(answer, "value of x");
    const seen: number[] = [];
    const sum = await runInThread(kit, "compute", {
      args: [100],
      callbacks: callbacks({ progress: (done) => void seen.push(done) }),
    });
    assert.equal(sum, 5050);
    assert.deepEqual(
      seen,
      Array.from({ length: 100 }, (_, n) => (n + 1) / 100),
    );
  },
  onHost,
);

runnerTest("fromThread: a callback runs in the caller's context, run and scopes", async () => {
  const store = new AsyncLocalStorage<string>();
  const local = new RunLocal(() => "none");
  await run(async () => {
    local.set("of this run");
    await store.run("of the caller", async () => {
      const answer = await runInThread(kit, "ask", {
        args: ["x"],
        callbacks: callbacks({
          lookup: async (key) => {
            await sleep(0);
            return `${key}, ${store.getStore()}, ${local.get()}, ${taskTree().includes("callbacks of runInThread")}`;
          },
        }),
      });
      assert.equal(answer, "x, of the caller, of this run, true");
    });
  });
});

test("fromThread: errors of callbacks come with class, fields and stack", async () => {
  const own = await runInThread(kit, "errorOf", {
    args: ["lookup", "missing"],
    callbacks: callbacks(),
  });
  assert.deepEqual(
    [own.name, own.message, own.own, own.key],
    ["LookupError", "no missing", true, "missing"],
  );
  assert.match(own.stack, /from-thread\.test/);
  assert.match(own.stack, /at fromThread\.run \(lookup, in another thread\)/);
  const unknown = await runInThread(kit, "errorOf", { args: ["nix"], callbacks: callbacks() });
  assert.equal(unknown.name, "TypeError");
  assert.match(unknown.message, /no function "nix"; there are progress, lookup/);
  const bad = await runInThread(kit, "errorOf", { args: ["bad"], callbacks: callbacks() });
  assert.match(bad.message, /^bad: its result cannot be sent back/);
  const badSync = await runInThread(kit, "errorOfSync", {
    args: ["bad"],
    callbacks: callbacks(),
  });
  const isSimulated = currentScope().task.runState.backend.name === "simulator";
  assert.equal(badSync, isSimulated ? "NotSupportedError" : "TypeError");
});

test("fromThread: arguments are copied, or change hands, or are refused", async () => {
  const sent = await runInThread(kit, "sendBytes", { callbacks: callbacks() });
  assert.deepEqual(sent, [5, 0]);
  const message = await runInThread(kit, "sendFunction", { callbacks: callbacks() });
  assert.match(message, /fromThread\.run\("lookup", …\): an argument cannot be sent/);
});

test(
  "fromThread: callbacks are refused where there are none",
  async () => {
    await assert.rejects(runInThread(kit, "ask", { args: ["x"] }), (error: Error) => {
      assert.ok(error instanceof InvalidStateError);
      assert.match(error.message, /the caller gave no callbacks; it gives them by/);
      return true;
    });
    await assert.rejects(fromThread.run("lookup"), InvalidStateError);
    assert.throws(() => fromThread.runSync("lookup"), InvalidStateError);
    await assert.rejects(
      runInThread(kit, "ask", { args: ["x"], callbacks: { lookup: 1 as never } }),
      /runInThread\(\{ callbacks \}\): lookup is 1, needs a function/,
    );
  },
  onHost,
);

test("fromThread.run: a bounded number of callbacks runs at once", async () => {
  let now = 0;
  let most = 0;
  const count = CALLS_UNDER_WAY_MAX * 3;
  const answers = await runInThread(kit, "askMany", {
    args: [count],
    callbacks: callbacks({
      async lookup(key) {
        now += 1;
        most = Math.max(most, now);
        await sleep(1);
        now -= 1;
        return key;
      },
    }),
  });
  assert.deepEqual(
    answers,
    Array.from({ length: count }, (_, n) => `${n}`),
  );
  assert.ok(most <= CALLS_UNDER_WAY_MAX, `${most}`);
  assert.ok(most > 1, `${most}`);
});

for (const name of ["waitSyncRethrow", "wait"] as const) {
  test(
    `fromThread: a cancelled caller cancels ${name} in the worker and the callback`,
    async () => {
      const scope = new CancelScope();
      let cleaned = false;
      await scope.run(() =>
        runInThread(kit, name, {
          graceMs: Infinity,
          callbacks: callbacks({
            async forever() {
              try {
                await sleep(1);
                scope.cancel("enough");
                await sleepForever();
              } finally {
                await shielded(() => sleep(1));
                cleaned = true;
              }
            },
          }),
        }),
      );
      assert.ok(scope.cancelledCaught);
      assert.ok(cleaned);
    },
    name === "wait" ? {} : onHost,
  );
}

test(
  "fromThread.runSync: throws Cancelled, and callbacks of a cancelled call are not begun",
  async () => {
    const scope = new CancelScope();
    let progress = 0;
    let answer: string | undefined;
    await scope.run(async () => {
      answer = await runInThread(kit, "waitSync", {
        graceMs: Infinity,
        callbacks: callbacks({
          async forever() {
            await sleep(1);
            scope.cancel("enough");
            await sleepForever();
          },
          progress: () => void progress++,
        }),
      });
    });
    // `waitSync` catches the Cancelled, calls back, and meets the next one.
    assert.equal(answer, undefined);
    assert.equal(progress, 0);
    assert.ok(scope.cancelledCaught);
  },
  onHost,
);

test("fromThread.run: a worker that gives up cancels the callback and waits for its end", async () => {
  const began = new Event();
  let cleaned = false;
  const answer = await runInThread(kit, "giveUp", {
    callbacks: callbacks({
      async forever() {
        began.set();
        try {
          await sleepForever();
        } finally {
          await shielded(() => sleep(5));
          cleaned = true;
        }
      },
      async lookup(key) {
        await began.wait();
        return key;
      },
    }),
  });
  assert.equal(answer, "gave up");
  assert.ok(cleaned);
});

test("fromThread: callbacks that still run when the call ends are cancelled and waited for", async () => {
  let cleaned = false;
  const answer = await runInThread(kit, "leave", {
    callbacks: callbacks({
      async forever() {
        try {
          await sleepForever();
        } finally {
          await shielded(() => sleep(1));
          cleaned = true;
        }
      },
    }),
  });
  assert.equal(answer, "left");
  assert.ok(cleaned);
});

test(
  "fromThread: a worker that crashes cancels its callbacks",
  async () => {
    let cancelled = false;
    await assert.rejects(
      runInThread(kit, "exitDuring", {
        callbacks: callbacks({
          async forever() {
            try {
              await sleepForever();
            } finally {
              cancelled = true;
            }
          },
        }),
      }),
      BrokenWorkerError,
    );
    assert.ok(cancelled);
  },
  withExit,
);

test("fromThread.run: cancelled everywhere, nothing is left", async () => {
  const { rounds } = await cancelEverywhere(async (round) => {
    let running = 0;
    round.after(() => assert.equal(running, 0));
    await runInThread(kit, "ask", {
      args: ["x"],
      callbacks: callbacks({
        async lookup(key) {
          running += 1;
          try {
            await sleep(1);
            return key;
          } finally {
            running -= 1;
          }
        },
      }),
    });
  });
  assert.ok(rounds.waiting > 1);
});

test(
  "fromThread.run works from processes, runSync says that it cannot",
  async () => {
    await failAfter(30_000, async () => {
      const answer = await runInProcess(kit, "ask", { args: ["x"], callbacks: callbacks() });
      assert.equal(answer, "value of x");
      const error = await runInProcess(kit, "errorOfSync", {
        args: ["lookup"],
        callbacks: callbacks(),
      });
      assert.equal(error, "NotSupportedError");
    });
  },
  onHost,
);

/** Never called: what must not compile. */
export function misuse(): void {
  const caller = fromThread.of<Callbacks>();
  // @ts-expect-error there is no such callback
  caller.runSync("nix");
  // @ts-expect-error its argument is a string
  caller.runSync("lookup", 1);
  // @ts-expect-error it needs an argument
  caller.runSync("lookup");
  const value: string = caller.runSync("lookup", "key");
  const nothing: Promise<void> = caller.run("progress", 1);
  void [value, nothing];
}
