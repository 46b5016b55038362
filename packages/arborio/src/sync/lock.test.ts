import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { checkpoint } from "../core/checkpoint.ts";
import { BrokenResourceError, WouldBlock } from "../core/errors.ts";
import type { ExceptionGroup } from "../core/exception-group.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import type { Lease } from "./lease.ts";
import { Lock } from "./lock.ts";

const test = onEveryBackend(nodeTest);

test("Lock.acquire: one holds it at a time", async () => {
  const lock = new Lock();
  let inside = 0;
  let entered = 0;
  await taskGroup(async (group) => {
    for (let i = 0; i < 5; i++) {
      group.startSoon(async () => {
        for (let round = 0; round < 3; round++) {
          using _lease = await lock.acquire();
          inside += 1;
          assert.equal(inside, 1);
          await checkpoint();
          inside -= 1;
          entered += 1;
        }
      });
    }
  });
  assert.equal(entered, 15);
  assert.equal(lock.locked, false);
});

test("Lock.acquire: is a checkpoint also when the lock is free, and takes it at once (§2.1, §2.5)", async () => {
  const lock = new Lock();
  await assertCheckpoints(async () => {
    using _lease = await lock.acquire();
  });
  const scope = new CancelScope();
  await scope.run(async () => {
    scope.cancel();
    await lock.acquire();
  });
  assert.deepEqual([scope.cancelledCaught, lock.locked], [true, false]);
  const acquiring = lock.acquire();
  assert.equal(lock.locked, true);
  (await acquiring).release();
});

test("Lock: a release hands over at once, so nobody gets in between (§6)", async () => {
  const lock = new Lock();
  const first = await lock.acquire();
  const waiting = lock.acquire();
  first.release();
  assert.deepEqual([lock.locked, lock.statistics().tasksWaiting], [true, 0]);
  assert.throws(() => lock.acquireNowait(), WouldBlock);
  const behind = lock.acquire();
  const second = await waiting;
  assert.equal(lock.statistics().tasksWaiting, 1);
  second.release();
  (await behind).release();
});

test("Lock.acquireNowait: takes a free lock, throws WouldBlock otherwise, and is no checkpoint", async () => {
  const lock = new Lock();
  const scope = new CancelScope();
  await scope.run(() => {
    scope.cancel();
    using _lease = lock.acquireNowait();
    assert.throws(() => lock.acquireNowait(), WouldBlock);
  });
  assert.equal(lock.locked, false);
});

test("Lock.statistics: is frozen and tells the owner, who changes within release (§6)", async (group) => {
  const lock = new Lock();
  const lease = await lock.acquire();
  const waiter = group.startSoon(
    async () => {
      using _lease = await lock.acquire();
      await checkpoint();
    },
    { name: "waiter" },
  );
  await waitAllTasksBlocked();
  const before = lock.statistics();
  assert.ok(Object.isFrozen(before));
  assert.equal(before.tasksWaiting, 1);
  assert.notEqual(before.owner?.name, "waiter");
  lease.release();
  assert.equal(lock.statistics().owner?.id, waiter.id);
  await waiter.wait();
  assert.deepEqual(lock.statistics(), { locked: false, owner: null, tasksWaiting: 0 });
});

test("Lock.acquire: again in the same task it queues, since its other flows may release it (§6)", async () => {
  const lock = new Lock();
  const order: string[] = [];
  const flow = async (name: string): Promise<void> => {
    using _lease = await lock.acquire();
    order.push(name);
    await checkpoint();
    order.push(name);
  };
  await Promise.all([flow("a"), flow("b")]);
  assert.deepEqual(order, ["a", "a", "b", "b"]);
});

test("Lock: if its owner ends without releasing it, those who wait and those who come get BrokenResourceError (§6)", async () => {
  const lock = new Lock();
  const errors: unknown[] = [];
  const note = (error: unknown): number => errors.push(error);
  await taskGroup(async (group) => {
    const owner = group.startSoon(
      async () => {
        await lock.acquire();
        await waitAllTasksBlocked();
      },
      { name: "careless" },
    );
    for (let i = 0; i < 2; i++)
      group.startSoon(() => lock.acquire().then(() => assert.fail(), note));
    await owner.wait();
  });
  assert.equal(errors.length, 2);
  for (const error of errors) {
    assert.ok(error instanceof BrokenResourceError);
    assert.match(error.message, /"careless".*ended without releasing/);
  }
  await assert.rejects(lock.acquire(), BrokenResourceError);
  assert.throws(() => lock.acquireNowait(), BrokenResourceError);
  assert.deepEqual([lock.locked, lock.statistics().tasksWaiting], [true, 0]);
});

test("Lock: breaks also with an owner that was handed the lock, and when nobody waited at its end (§6)", async () => {
  const lock = new Lock();
  const lease = await lock.acquire();
  await taskGroup(async (group) => {
    const owner = group.startSoon(async () => {
      await lock.acquire();
    });
    await waitAllTasksBlocked();
    lease.release();
    await owner.wait();
  });
  await assert.rejects(lock.acquire(), BrokenResourceError);
});

test("Lock: breaks with an owner that was handed the lock while others waited on (§6)", async () => {
  const lock = new Lock();
  const lease = await lock.acquire();
  await taskGroup(async (group) => {
    const owner = group.startSoon(async () => {
      await lock.acquire();
    });
    await waitAllTasksBlocked();
    const behind = lock.acquire().catch((error: unknown) => error);
    lease.release();
    await owner.wait();
    assert.ok((await behind) instanceof BrokenResourceError);
  });
});

test("Lock: breaks with the owner of the moment, not with one that has given it back (§6)", async () => {
  const lock = new Lock();
  const lease = await lock.acquire();
  await taskGroup(async (group) => {
    const first = group.startSoon(async () => {
      using _lease = await lock.acquire();
    });
    await waitAllTasksBlocked();
    const behind = lock.acquire();
    lease.release();
    await first.wait();
    (await behind).release();
  });
  assert.equal(lock.locked, false);
});

test("Lock: if its owner fails, waiters of its group are cancelled and add no errors of their own (§6, §4.4)", async () => {
  const lock = new Lock();
  const group = taskGroup(async (group) => {
    group.startSoon(async () => {
      await lock.acquire();
      await waitAllTasksBlocked();
      throw new RangeError("real");
    });
    await checkpoint();
    group.startSoon(() => lock.acquire());
    group.startSoon(() => lock.acquire());
  });
  const error = (await group.catch((error: unknown) => error)) as ExceptionGroup;
  assert.deepEqual(
    error.errors.map((leaf: Error) => leaf.name),
    ["RangeError"],
  );
});

test("Lock: a flow that outlived its task gives back a broken lock without a throw, and it stays broken", async () => {
  const lock = new Lock();
  let lease: Lease | undefined;
  await taskGroup(async (group) => {
    group.startSoon(async () => {
      lease = await lock.acquire();
    });
  });
  await assert.rejects(lock.acquire(), BrokenResourceError);
  lease?.release();
  await assert.rejects(lock.acquire(), BrokenResourceError);
});

test("Lock.acquireNowait: in a flow whose task has ended it has no owner and does not break (§1.5)", async () => {
  const lock = new Lock();
  const { promise, resolve } = Promise.withResolvers<void>();
  let late: Promise<Lease> | undefined;
  await taskGroup(async (group) => {
    group.startSoon(() => {
      late = promise.then(() => lock.acquireNowait());
    });
  });
  resolve();
  const lease = (await late) as Lease;
  assert.deepEqual(lock.statistics(), { locked: true, owner: null, tasksWaiting: 0 });
  const waiting = lock.acquire();
  lease.release();
  (await waiting).release();
  assert.equal(lock.locked, false);
});

test("Lock: many waits for one lock are cancelled in no particular trouble: the queue is empty and the owner unmoved", async () => {
  const lock = new Lock();
  const lease = await lock.acquire();
  const scope = new CancelScope();
  const waits = scope.run(() => Promise.all(Array.from({ length: 1000 }, () => lock.acquire())));
  assert.equal(lock.statistics().tasksWaiting, 1000);
  scope.cancel();
  assert.equal(lock.statistics().tasksWaiting, 0);
  await waits;
  lease.release();
  assert.equal(lock.locked, false);
});

test("Lock: cancelled at every checkpoint, it is free in the end", async () => {
  const { rounds } = await cancelEverywhere(async (round) => {
    const lock = new Lock();
    round.after(() => {
      assert.deepEqual(lock.statistics(), { locked: false, owner: null, tasksWaiting: 0 });
    });
    await taskGroup(async (group) => {
      for (let i = 0; i < 3; i++) {
        group.startSoon(async () => {
          using _lease = await lock.acquire();
          await checkpoint();
        });
      }
    });
  });
  assert.ok(rounds.entry >= 6 && rounds.waiting >= 2 && rounds.woken >= 2);
});

nodeTest(
  "Lock.acquire: waiting for a lock of the same task is reported once in dev (§6)",
  async () => {
    const { hostBackend } = await import("../platform/host.ts");
    const warnings: string[] = [];
    const hostProcess = hostBackend.process;
    assert.ok(hostProcess, "needed a process to warn through");
    const backend = {
      ...hostBackend,
      process: {
        keepAlive: () => hostProcess.keepAlive(),
        filterUnhandledRejections: () => () => {},
        exitQuietlyIfUnhandled() {},
        warn: (message: string) => void warnings.push(message),
      },
    };
    await run(
      async () => {
        const lock = new Lock();
        for (let i = 0; i < 2; i++) {
          const lease = await lock.acquire();
          const again = lock.acquire();
          lease.release();
          (await again).release();
        }
      },
      { dev: true, backend, signals: [] },
    );
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] as string, /Lock\.acquire.*holds this lock already.*not re-entrant/);
  },
);

nodeTest(
  "Lock: waiting for itself is a deadlock that the simulator reports with the lock and its owner (§6)",
  async () => {
    const deadlock = run(
      async () => {
        const lock = new Lock();
        using _outer = await lock.acquire();
        using _inner = await lock.acquire();
      },
      { backend: simulator({ seed: 1 }) },
    );
    await assert.rejects(deadlock, /lock\.acquire.*held by this task itself/);
  },
);

nodeTest("Lock: held by main when its run ends, it is broken for the next run (§6)", async () => {
  const lock = new Lock();
  await run(() => void lock.acquireNowait());
  await run(() => assert.rejects(lock.acquire(), BrokenResourceError));
});

nodeTest("Lock: works outside of any run (§1.5)", async () => {
  const lock = new Lock();
  const lease = await lock.acquire();
  const waiting = lock.acquire();
  lease.release();
  (await waiting).release();
  assert.equal(lock.locked, false);
});

nodeTest(
  "Lock: a run that waits for it while another run's main ends holding it gets BrokenResourceError (§6)",
  async () => {
    const lock = new Lock();
    const { promise: taken, resolve: took } = Promise.withResolvers<void>();
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const first = run(async () => {
      await lock.acquire();
      took();
      await mayEnd;
    });
    await taken;
    const second = run(async () => {
      const waiting = lock.acquire();
      end();
      await assert.rejects(waiting, BrokenResourceError);
    });
    await Promise.all([first, second]);
  },
);
