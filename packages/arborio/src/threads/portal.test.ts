import assert from "node:assert/strict";
import { once } from "node:events";
import { test as runnerTest } from "node:test";
import { Worker } from "node:worker_threads";
import {
  CancelScope,
  ClosedResourceError,
  currentScope,
  Event,
  InvalidStateError,
  NotSupportedError,
  run,
  shielded,
  sleep,
  sleepForever,
  taskTree,
} from "../index.ts";
import { cancelEverywhere } from "../testing.ts";
import {
  BrokenWorkerError,
  connectPortal,
  moduleAt,
  type Portal,
  runInThread,
  withPortal,
} from "../threads.ts";
import { kitUrl, onHost, test, withExit } from "./on-threads.test.kit.ts";
import { type Functions, PortalError } from "./portal.test.kit.ts";
import type * as Kit from "./portal.test.kit.ts";
import { STARTED_MAX } from "./portal-connection.ts";

const url = kitUrl("portal");
const kit = moduleAt<typeof Kit>(url);

function functions(own: Partial<Functions> = {}): Functions {
  return {
    add: (a, b) => a + b,
    async later(value) {
      await sleep(1);
      return value;
    },
    fail() {
      throw new PortalError("no", 7);
    },
    forever: () => sleepForever(),
    bad: () => () => {},
    ...own,
  };
}

type Name = "call" | "callSync" | "errors" | "start" | "startSync" | "giveUp" | "closeDuring";

/** Calls a function of the kit with a handle. */
function inThread(portal: Portal, name: Name | "die" | "startAndLeave"): Promise<unknown> {
  const handle = portal.handle();
  return runInThread(url, name, { args: [handle], transfer: [handle] });
}

test("withPortal: another thread calls functions", async () => {
  const value = await withPortal(functions(), async (portal) => {
    assert.equal(portal.statistics().openConnections, 0);
    await portal.untilReleased();
    assert.deepEqual(await inThread(portal, "call"), [3, "x"]);
    await portal.untilReleased();
    return "body";
  });
  assert.equal(value, "body");
});

test(
  "withPortal: another thread calls functions, blocked",
  async () => {
    await withPortal(functions(), async (portal) => {
      assert.deepEqual(await inThread(portal, "callSync"), [3, "x"]);
    });
  },
  onHost,
);

test("withPortal: errors come with class, fields and stack", async () => {
  const isSimulated = currentScope().task.runState.backend.name === "simulator";
  await withPortal(functions(), async (portal) => {
    assert.deepEqual(await inThread(portal, "errors"), [
      true,
      7,
      "TypeError",
      "TypeError",
      "TypeError",
      "TypeError",
      isSimulated ? "NotSupportedError" : "PortalError",
    ]);
  });
});

test("withPortal: functions run as tasks of the portal, in its scopes", async () => {
  let tree = "";
  const own = functions({
    async later(value) {
      tree = taskTree();
      await sleep(0);
      return value;
    },
  });
  await withPortal(own, async (portal) => {
    await inThread(portal, "call");
  });
  assert.match(tree, /withPortal\(functions\): later/);
});

test("portal.start: a task with a handle", async () => {
  await withPortal(functions(), async (portal) => {
    assert.deepEqual(await inThread(portal, "start"), [
      "good",
      "TaskFailed",
      true,
      undefined,
      "TaskCancelled",
    ]);
  });
});

test(
  "portal.start: a task whose result is waited for by a blocked thread",
  async () => {
    await withPortal(functions(), async (portal) => {
      assert.deepEqual(await inThread(portal, "startSync"), ["good", "TaskCancelled"]);
    });
  },
  onHost,
);

test("portal.start: there is a limit", async () => {
  await withPortal(functions(), async (portal) => {
    const handle = portal.handle();
    const args = [handle, STARTED_MAX] as const;
    assert.ok(await runInThread(kit, "startTooMany", { args, transfer: [handle] }));
  });
});

test("portal.call: given up, the function is cancelled and its end waited for", async () => {
  const began = new Event();
  let cleaned = false;
  const own = functions({
    async forever() {
      began.set();
      try {
        await sleepForever();
      } finally {
        await shielded(() => sleep(3));
        cleaned = true;
      }
    },
    async later(value) {
      await began.wait();
      return value;
    },
  });
  await withPortal(own, async (portal) => {
    assert.equal(await inThread(portal, "giveUp"), "gave up");
    assert.ok(cleaned);
  });
});

test("withPortal: tasks that were started go on without their thread; the body's end waits for them", async () => {
  const started = new Event();
  const go = new Event();
  let ended = false;
  const own = functions({
    async forever() {
      started.set();
      await go.wait();
      await sleep(1);
      ended = true;
    },
  });
  await withPortal(own, async (portal) => {
    await inThread(portal, "startAndLeave");
    await portal.untilReleased();
    await started.wait();
    assert.ok(!ended);
    go.set();
  });
  assert.ok(ended);
});

test(
  "withPortal: a thread that ends cancels its calls, not what it has started",
  async () => {
    let running = 0;
    let cancelled = 0;
    const own = functions({
      async forever() {
        running += 1;
        try {
          await sleepForever();
        } finally {
          running -= 1;
          cancelled += 1;
        }
      },
    });
    const scope = new CancelScope();
    await scope.run(() =>
      withPortal(own, async (portal) => {
        await assert.rejects(inThread(portal, "die"), BrokenWorkerError);
        await portal.untilReleased();
        while (running > 1) await sleep(1);
        assert.deepEqual([running, cancelled], [1, 1]);
        scope.cancel();
      }),
    );
    assert.deepEqual([running, cancelled], [0, 2]);
  },
  withExit,
);

test("portal.close: ends the waits, and the calls", async () => {
  let calls = 0;
  const own = functions({
    async forever() {
      calls += 1;
      try {
        await sleepForever();
      } finally {
        calls -= 1;
      }
    },
  });
  const scope = new CancelScope();
  await scope.run(() =>
    withPortal(own, async (portal) => {
      const closed = Array.from({ length: 5 }, () => "ClosedResourceError");
      assert.deepEqual(await inThread(portal, "closeDuring"), closed);
      await portal.untilReleased();
      while (calls > 1) await sleep(1);
      scope.cancel();
    }),
  );
  assert.equal(calls, 0);
});

test("withPortal: when it has ended, calls fail and handles are refused", async (group) => {
  let late: Portal | undefined;
  const own = functions({ forever: () => sleep(5) });
  const call = await withPortal(own, async (portal) => {
    late = portal;
    const handle = portal.handle();
    const task = group.startSoon(() =>
      runInThread(kit, "untilOver", { args: [handle], transfer: [handle] }),
    );
    await sleep(2);
    return task;
  });
  assert.equal(late?.statistics().openConnections, 0);
  assert.throws(() => late?.handle(), ClosedResourceError);
  const [called, started] = await call.result();
  assert.equal(called, "BrokenResourceError");
  assert.match(String(started), /^(undefined|BrokenResourceError)$/);
});

test("withPortal: a body that fails cancels what runs, and its error comes out bare", async () => {
  let cancelled = false;
  const started = new Event();
  const own = functions({
    async forever() {
      started.set();
      try {
        await sleepForever();
      } finally {
        cancelled = true;
      }
    },
  });
  await assert.rejects(
    withPortal(own, async (portal) => {
      await inThread(portal, "startAndLeave");
      await started.wait();
      throw new PortalError("body", 1);
    }),
    PortalError,
  );
  assert.ok(cancelled);
});

test("portal.handle: a thread that has one makes more", async () => {
  await withPortal(functions(), async (portal) => {
    const handle = portal.handle();
    const sums = await runInThread(kit, "passOn", {
      args: [handle, url.href],
      transfer: [handle],
    });
    assert.deepEqual(sums, [3, "x"]);
    await portal.untilReleased();
  });
});

test("connectPortal: in the portal's own thread calls can be awaited, but not block it", async () => {
  const isSimulated = currentScope().task.runState.backend.name === "simulator";
  await withPortal(functions(), async (portal) => {
    using connection = connectPortal<Functions>(portal.handle());
    assert.equal(await connection.call("add", 1, 2), 3);
    const refusal = isSimulated ? NotSupportedError : InvalidStateError;
    assert.throws(() => connection.callSync("add", 1, 2), refusal);
    assert.throws(() => connection.start("add", 1, 2).resultSync(), refusal);
  });
});

test("withPortal, connectPortal: wrong arguments", async () => {
  await assert.rejects(
    withPortal({ a: 1 as never }, () => {}),
    /a is 1, needs a function/,
  );
  await assert.rejects(
    withPortal(1 as never, () => {}),
    TypeError,
  );
  await assert.rejects(withPortal({}, 1 as never), TypeError);
  assert.throws(() => connectPortal({} as never), /needs what portal\.handle\(\) gave/);
  assert.throws(() => connectPortal(undefined as never), /got undefined/);
  await withPortal({}, async (portal) => {
    assert.throws(() => connectPortal(portal.handle(), { classes: [] } as never), TypeError);
  });
});

test("portal.call: cancelled everywhere, nothing is left", async () => {
  const { rounds } = await cancelEverywhere(async (round) => {
    let running = 0;
    round.after(() => assert.equal(running, 0));
    const own = functions({
      async later(value) {
        running += 1;
        try {
          await sleep(1);
          return value;
        } finally {
          running -= 1;
        }
      },
    });
    await withPortal(own, async (portal) => {
      using connection = connectPortal<Functions>(portal.handle());
      await connection.call("later", "x");
      await connection.start("later", "y").result();
      connection.close();
      await portal.untilReleased();
    });
  });
  assert.ok(rounds.waiting > 3, `${rounds.waiting}`);
});

for (const plainPortal of ["call", "callSync", "own run"] as const) {
  runnerTest(`withPortal: a plain thread uses it (${plainPortal})`, async () => {
    await run(async () => {
      await withPortal(functions(), async (portal) => {
        const handle = portal.handle();
        const worker = new Worker(url, {
          workerData: { plainPortal, handle },
          transferList: [handle as never],
        });
        const [answer] = await once(worker, "message");
        assert.deepEqual(answer, plainPortal === "own run" ? [0, 2, 4, 6, 8] : [3, "x"]);
        await portal.untilReleased();
        await worker.terminate();
      });
    });
  });
}

/** Never called: what must not compile. */
export async function misuse(handle: MessagePort): Promise<void> {
  using portal = connectPortal<Functions>(handle);
  // @ts-expect-error there is no such function
  portal.callSync("nix");
  // @ts-expect-error its arguments are numbers
  portal.callSync("add", "1", "2");
  const sum: number = await portal.call("add", 1, 2);
  const text: string = await portal.start("later", "x").result();
  // @ts-expect-error it gives a number
  const wrong: string = await portal.call("add", 1, 2);
  void [sum, text, wrong];
}
