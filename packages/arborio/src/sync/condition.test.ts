import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { BrokenResourceError, InvalidStateError } from "../core/errors.ts";
import type { ExceptionGroup } from "../core/exception-group.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { Condition } from "./condition.ts";
import { Lock } from "./lock.ts";

const test = onEveryBackend(nodeTest);

test("Condition.wait: gives the lock up, and has it back under the same lease when it returns", async (group) => {
  const condition = new Condition();
  let notified = false;
  group.startSoon(async () => {
    await waitAllTasksBlocked();
    using _lease = await condition.acquire();
    notified = true;
    condition.notify();
    await checkpoint();
  });
  using lease = await condition.acquire();
  const waiting = condition.wait();
  assert.equal(condition.lock.locked, false);
  await waiting;
  assert.ok(notified && condition.lock.locked);
  lease.release();
  assert.equal(condition.lock.locked, false);
});

test("Condition.notify: wakes the count that has waited longest; they go on one after another", async () => {
  const condition = new Condition();
  const woken: number[] = [];
  let inside = 0;
  const waiter = async (name: number): Promise<void> => {
    using _lease = condition.acquireNowait();
    await condition.wait();
    inside += 1;
    assert.equal(inside, 1);
    woken.push(name);
    await checkpoint();
    inside -= 1;
  };
  const waiters = [1, 2, 3, 4, 5].map((name) => waiter(name));
  for (const [count, expected] of [
    [0, []],
    [1, [1]],
    [2, [1, 2, 3]],
  ] as const) {
    {
      using _lease = await condition.acquire();
      condition.notify(count);
      assert.equal(condition.lock.statistics().tasksWaiting, count);
    }
    await waitAllTasksBlocked();
    assert.deepEqual(woken, expected);
  }
  {
    using _lease = await condition.acquire();
    condition.notifyAll();
  }
  await Promise.all(waiters);
  assert.deepEqual(woken, [1, 2, 3, 4, 5]);
  assert.equal(condition.lock.locked, false);
});

test("Condition.wait, waitFor, notify: without the lock they throw InvalidStateError and change nothing (§6)", async (group) => {
  const condition = new Condition();
  const assertAllThrow = async (): Promise<void> => {
    await assert.rejects(condition.wait(), InvalidStateError);
    await assert.rejects(
      condition.waitFor(() => true),
      InvalidStateError,
    );
    assert.throws(() => condition.notify(), InvalidStateError);
    assert.throws(() => condition.notifyAll(), InvalidStateError);
  };
  await assertAllThrow();
  const lease = await condition.acquire();
  await group.startSoon(assertAllThrow).wait();
  assert.ok(condition.lock.locked);
  lease.release();
  await assertAllThrow();
});

test("Condition.notify: a count that is no whole number from 0 on is an error", async () => {
  const condition = new Condition();
  using _lease = await condition.acquire();
  for (const count of [-1, 0.5, Number.NaN])
    assert.throws(() => condition.notify(count), RangeError);
  assert.throws(() => condition.notify("1" as never), TypeError);
});

test("Condition.wait: cancelled, it throws only when it has the lock back, however long that takes (§6)", async (group) => {
  const condition = new Condition();
  const scope = new CancelScope();
  let ended = false;
  group.startSoon(async () => {
    using lease = await condition.acquire();
    await scope.run(() => condition.wait());
    ended = true;
    assert.ok(condition.lock.locked);
    lease.release();
  });
  await waitAllTasksBlocked();
  const held = await condition.acquire();
  scope.cancel();
  await waitAllTasksBlocked();
  assert.deepEqual([ended, condition.statistics().tasksWaiting], [false, 0]);
  held.release();
  await waitAllTasksBlocked();
  assert.deepEqual([ended, scope.cancelledCaught, condition.lock.locked], [true, true, false]);
});

test("Condition.wait: notified, then cancelled while it waits for the lock: it returns, so the notification is not lost (§2.4, §6)", async (group) => {
  const condition = new Condition();
  const scope = new CancelScope();
  let returned = false;
  group.startSoon(async () => {
    using _lease = await condition.acquire();
    await scope.run(async () => {
      await condition.wait();
      returned = true;
      await checkpoint();
    });
  });
  await waitAllTasksBlocked();
  {
    using _lease = await condition.acquire();
    condition.notify();
    scope.cancel();
    await waitAllTasksBlocked();
    assert.equal(returned, false);
  }
  await waitAllTasksBlocked();
  assert.deepEqual([returned, scope.cancelledCaught, condition.lock.locked], [true, true, false]);
});

test("Condition.notify: a waiter that was cancelled before it is passed over, and the next is woken (§6)", async (group) => {
  const condition = new Condition();
  const scope = new CancelScope();
  let second = false;
  group.startSoon(async () => {
    using _lease = await condition.acquire();
    await scope.run(() => condition.wait());
  });
  await waitAllTasksBlocked();
  group.startSoon(async () => {
    using _lease = await condition.acquire();
    await condition.wait();
    second = true;
  });
  await waitAllTasksBlocked();
  {
    using _lease = await condition.acquire();
    scope.cancel();
    condition.notify();
  }
  await waitAllTasksBlocked();
  assert.deepEqual([scope.cancelledCaught, second], [true, true]);
});

test("Condition.wait: already cancelled, it throws without giving up the lock (§2.2)", async () => {
  const condition = new Condition();
  const scope = new CancelScope();
  using _lease = await condition.acquire();
  await scope.run(async () => {
    scope.cancel();
    const wait = condition.wait();
    assert.ok(condition.lock.locked);
    await wait;
  });
  assert.ok(scope.cancelledCaught && condition.lock.locked);
});

test("Condition.waitFor: waits until the predicate is truthy, and returns its value", async (group) => {
  const condition = new Condition();
  let value = 0;
  let calls = 0;
  group.startSoon(async () => {
    for (let i = 0; i < 3; i++) {
      await waitAllTasksBlocked();
      using _lease = await condition.acquire();
      value += 1;
      condition.notifyAll();
    }
  });
  using _lease = await condition.acquire();
  const result = await condition.waitFor(() => {
    calls += 1;
    return value >= 3 ? { value } : undefined;
  });
  assert.deepEqual(result, { value: 3 });
  assert.equal(calls, 4);
});

test("Condition.waitFor: is a checkpoint also if the predicate holds at once (§2.1)", async () => {
  const condition = new Condition();
  using _lease = await condition.acquire();
  await assertCheckpoints(() => condition.waitFor(() => true));
  const scope = new CancelScope();
  await scope.run(async () => {
    scope.cancel();
    await condition.waitFor(() => assert.fail("called although cancelled"));
  });
  assert.ok(scope.cancelledCaught);
});

test("Condition.waitFor: what the predicate throws comes out with the lock held; a promise or no function is a TypeError", async (group) => {
  const condition = new Condition();
  let fail = false;
  group.startSoon(async () => {
    await waitAllTasksBlocked();
    using _lease = await condition.acquire();
    fail = true;
    condition.notify();
  });
  using _lease = await condition.acquire();
  const failing = condition.waitFor(() => {
    if (fail) throw new RangeError("from the predicate");
    return false;
  });
  await assert.rejects(failing, RangeError);
  assert.ok(condition.lock.locked);
  await assert.rejects(
    condition.waitFor(async () => true),
    TypeError,
  );
  await assert.rejects(condition.waitFor(true as never), TypeError);
});

test("Condition: two of them may share a lock", async (group) => {
  const lock = new Lock();
  const full = new Condition(lock);
  const empty = new Condition(lock);
  const pile: number[] = [];
  const taken: number[] = [];
  group.startSoon(async () => {
    for (let i = 0; i < 5; i++) {
      using _lease = await lock.acquire();
      await empty.waitFor(() => pile.length === 0);
      pile.push(i);
      full.notify();
    }
  });
  for (let i = 0; i < 5; i++) {
    using _lease = await lock.acquire();
    await full.waitFor(() => pile.length > 0);
    taken.push(pile.pop() as number);
    empty.notify();
  }
  assert.deepEqual(taken, [0, 1, 2, 3, 4]);
});

test("Condition.wait: while it waits, its lease gives nothing back; release throws InvalidStateError (§6)", async () => {
  const condition = new Condition();
  const lease = await condition.acquire();
  const waiting = condition.wait();
  assert.throws(() => lease.release(), InvalidStateError);
  {
    using _other = condition.acquireNowait();
    assert.throws(() => lease.release(), InvalidStateError);
    condition.notify();
  }
  await waiting;
  lease.release();
  assert.equal(condition.lock.locked, false);
});

test("Condition.wait: if the block of its lease is left while it floats, nobody keeps the lock", async () => {
  const condition = new Condition();
  let floating: Promise<void>;
  {
    using _lease = await condition.acquire();
    floating = condition.wait();
  }
  {
    using _other = await condition.acquire();
    condition.notify();
  }
  await floating;
  assert.equal(condition.lock.locked, false);
});

test("Condition.wait: gets BrokenResourceError if a task ends holding the lock, since nobody can ever notify (§6)", async () => {
  const condition = new Condition();
  const errors: unknown[] = [];
  await taskGroup(async (group) => {
    for (let i = 0; i < 2; i++) {
      group.startSoon(async () => {
        using _lease = await condition.acquire();
        await condition.wait().catch((error: unknown) => errors.push(error));
      });
    }
    await waitAllTasksBlocked();
    group.startSoon(async () => {
      await condition.acquire();
    });
  });
  assert.equal(errors.length, 2);
  assert.ok(errors.every((error) => error instanceof BrokenResourceError));
  assert.equal(condition.statistics().tasksWaiting, 0);
});

test("Condition.wait: notified, and then the lock breaks before it has it back: BrokenResourceError (§6)", async () => {
  const condition = new Condition();
  let error: unknown;
  await taskGroup(async (group) => {
    group.startSoon(async () => {
      using _lease = await condition.acquire();
      await condition.wait().catch((reason: unknown) => (error = reason));
    });
    await waitAllTasksBlocked();
    group.startSoon(async () => {
      await condition.acquire();
      condition.notify();
    });
  });
  assert.ok(error instanceof BrokenResourceError);
});

test("Condition.wait: if a task fails holding the lock, waits of its group are cancelled and add no errors of their own (§6, §4.4)", async () => {
  for (const cancelledBefore of [false, true]) {
    const condition = new Condition();
    const scope = new CancelScope();
    const failing = taskGroup(async (group) => {
      group.startSoon(async () => {
        using _lease = await condition.acquire();
        await scope.run(() => condition.wait());
      });
      await waitAllTasksBlocked();
      group.startSoon(async () => {
        await condition.acquire();
        if (cancelledBefore) scope.cancel();
        await waitAllTasksBlocked();
        throw new RangeError("real");
      });
    });
    const error = (await failing.catch((reason: unknown) => reason)) as ExceptionGroup;
    assert.deepEqual(
      error.errors.map((leaf: Error) => leaf.name),
      ["RangeError"],
    );
  }
});

test("Condition.statistics: is frozen and tells who waits where", async () => {
  const condition = new Condition();
  const flows = [1, 2].map(async () => {
    using _lease = condition.acquireNowait();
    await condition.wait();
  });
  const lease = await condition.acquire();
  assert.ok(Object.isFrozen(condition.statistics()));
  assert.equal(condition.statistics().tasksWaiting, 2);
  condition.notify();
  assert.equal(condition.statistics().tasksWaiting, 1);
  assert.equal(condition.statistics().lock.tasksWaiting, 1);
  condition.notify();
  lease.release();
  await Promise.all(flows);
  assert.equal(condition.statistics().lock.locked, false);
});

test("Condition: cancelled at every checkpoint, the lock is free and nobody waits", async () => {
  await cancelEverywhere(async (round) => {
    const condition = new Condition();
    let items = 0;
    let consumed = 0;
    round.after(() => {
      const { tasksWaiting, lock } = condition.statistics();
      assert.deepEqual([tasksWaiting, lock.locked, lock.tasksWaiting], [0, false, 0]);
      assert.ok(consumed <= 2);
    });
    await taskGroup(async (group) => {
      for (let i = 0; i < 2; i++) {
        group.startSoon(async () => {
          using _lease = await condition.acquire();
          await condition.waitFor(() => items > 0);
          items -= 1;
          consumed += 1;
        });
      }
      for (let i = 0; i < 2; i++) {
        group.startSoon(async () => {
          using _lease = await condition.acquire();
          items += 1;
          condition.notify();
          await checkpoint();
        });
      }
    });
  });
});
