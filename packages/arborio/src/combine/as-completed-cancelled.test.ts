import assert from "node:assert/strict";
import nodeTest from "node:test";
import { checkpoint } from "../core/checkpoint.ts";
import { ScopeClosedError } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { type TaskGroup, taskGroup } from "../core/task-group.ts";
import { failAfter, sleep, sleepForever } from "../sync/timeouts.ts";
import { cancelEverywhere, onEveryBackend, waitAllTasksBlocked } from "../testing.ts";
import { asCompleted } from "./as-completed.ts";

const test = onEveryBackend(nodeTest);

/** A scope that is cancelled as soon as everything waits. */
function cancelledWhenBlocked(group: TaskGroup): CancelScope {
  const scope = new CancelScope();
  group.startSoon(async () => {
    await waitAllTasksBlocked();
    scope.cancel();
  });
  return scope;
}

const after =
  <T>(ms: number, value: T) =>
  async () => {
    await sleep(ms);
    return value;
  };

const failAfterMs = (ms: number, error: unknown) => async () => {
  await sleep(ms);
  throw error;
};

/** Never ends by itself; when cancelled, cleans up slowly and tells. */
function slowlyCleaning(): { readonly fn: () => Promise<never>; cleaned: number } {
  const slow = {
    cleaned: 0,
    fn: async (): Promise<never> => {
      try {
        return await sleepForever();
      } finally {
        await new CancelScope({ shield: true }).run(() => sleep(2));
        slow.cleaned += 1;
      }
    },
  };
  return slow;
}

test("asCompleted: cancelled in next(), it throws Cancelled when all have ended (§4.7)", async (group) => {
  const slow = slowlyCleaning();
  const scope = cancelledWhenBlocked(group);
  const seen: unknown[] = [];
  let inside: unknown;
  await scope.run(async () => {
    try {
      for await (const value of asCompleted([slow.fn, () => 1, slow.fn])) seen.push(value);
    } catch (error) {
      inside = [error, slow.cleaned];
      throw error;
    }
  });
  assert.ok(scope.cancelledCaught);
  assert.deepEqual(inside, [scope.own, 2]);
  assert.deepEqual(seen, [1]);
});

test("asCompleted: a cancellation that the functions do not see is no ordinary end (§2.3)", async (group) => {
  let closed = 0;
  const stubborn = async (): Promise<Disposable> => {
    await sleepForever().catch(() => {});
    return { [Symbol.dispose]: () => void closed++ };
  };
  const scope = cancelledWhenBlocked(group);
  await scope.run(async () => {
    for await (const _ of asCompleted([stubborn])) assert.fail("late");
    assert.fail("ended");
  });
  assert.deepEqual([closed, scope.cancelledCaught], [1, true]);
});

test("asCompleted: cancelled between two calls of next(), it waits and disposes all the same (§4.7)", async () => {
  const slow = slowlyCleaning();
  let closed = 0;
  const scope = new CancelScope();
  await scope.run(async () => {
    try {
      for await (const value of asCompleted([
        () => 1,
        slow.fn,
        after(1, { [Symbol.dispose]: () => void closed++ }),
      ])) {
        if (value === 1) await sleep(5);
        scope.cancel();
      }
    } finally {
      assert.deepEqual([slow.cleaned, closed], [1, 1]);
    }
  });
  assert.ok(scope.cancelledCaught);
});

test("asCompleted: an error beside a cancellation hides neither, in next() or between (§4.4)", async () => {
  const real = new Error("cleanup");
  const bad = async (): Promise<void> => {
    await sleepForever().catch(() => {});
    throw real;
  };
  for (const between of [false, true]) {
    const scope = new CancelScope();
    const outcome = scope.run(async () => {
      const wait = async (): Promise<void> => {
        if (!between) scope.kernel.clock.setTimer(1, () => scope.cancel());
        for await (const _ of asCompleted([() => 1, bad])) if (between) scope.cancel();
      };
      await wait();
    });
    await assert.rejects(outcome, (error) => error === real);
    assert.ok(scope.cancelledCaught);
  }
});

test("asCompleted: an error that waits for its turn survives a cancellation (§4.4)", async () => {
  const real = new Error("bad");
  const scope = new CancelScope();
  const outcome = scope.run(async () => {
    for await (const _ of asCompleted([() => 1, () => 2, failAfterMs(1, real)])) {
      await sleep(5);
      scope.cancel();
    }
  });
  await assert.rejects(outcome, (error) => error === real);
  assert.ok(scope.cancelledCaught);
});

test("asCompleted: a scope around one next() cuts only that short (§2.2)", async (group) => {
  let open = false;
  const gate = async (): Promise<string> => {
    while (!open) await sleep(1);
    return "late";
  };
  const iterator = asCompleted([gate, () => "early"])[Symbol.asyncIterator]();
  assert.deepEqual(await iterator.next(), { done: false, value: "early" });
  const scope = new CancelScope();
  group.startSoon(() => sleep(3).then(() => scope.cancel()));
  assert.equal(await scope.run(() => iterator.next()), undefined);
  open = true;
  assert.deepEqual(await iterator.next(), { done: false, value: "late" });
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
});

test("asCompleted: return() is no cancellation point (§2.1)", async () => {
  const slow = slowlyCleaning();
  const scope = new CancelScope();
  let left = false;
  await scope.run(async () => {
    const iterator = asCompleted([() => 1, slow.fn])[Symbol.asyncIterator]();
    await iterator.next();
    scope.cancel();
    await iterator.return();
    left = slow.cleaned === 1;
    await iterator[Symbol.asyncDispose]();
  });
  assert.deepEqual([left, scope.cancelledCaught], [true, false]);
});

test("asCompleted: an iterator that nobody ends does not outlive the scope it was made in (§1.6)", async () => {
  const slow = slowlyCleaning();
  const iterators: AsyncIterator<unknown>[] = [];
  await new CancelScope().run(async () => {
    const iterator = asCompleted([() => 1, slow.fn])[Symbol.asyncIterator]();
    iterators.push(iterator);
    // The scope of the first next() is not the iterator's home.
    await failAfter(1000, () => iterator.next());
    await checkpoint();
    assert.equal(slow.cleaned, 0);
  });
  assert.equal(slow.cleaned, 1);
  const [iterator] = iterators as [AsyncIterator<unknown>];
  const unused = await new CancelScope().run(async () =>
    asCompleted([() => 1])[Symbol.asyncIterator](),
  );
  await assert.rejects((unused as AsyncIterator<unknown>).next(), ScopeClosedError);
  await assert.rejects(iterator.next(), ScopeClosedError);
});

test("asCompleted: the consumer may open scopes and groups between values (§4.7)", async () => {
  const seen: number[] = [];
  for await (const value of asCompleted([after(1, 1), after(3, 2)])) {
    await taskGroup(async (group) => {
      group.startSoon(() => sleep(1));
      await failAfter(1000, () => sleep(1));
    });
    seen.push(value);
  }
  assert.deepEqual(seen, [1, 2]);
});

test(
  "asCompleted: cancelled at every step, it leaves nothing open and nothing running",
  async () => {
    const { rounds } = await cancelEverywhere(async (round) => {
      let open = 0;
      let running = 0;
      round.after(() => assert.deepEqual([open, running], [0, 0]));
      const work = (ms: number) => async () => {
        running += 1;
        try {
          await sleep(ms);
          open += 1;
          return { [Symbol.dispose]: () => void (open -= 1) };
        } finally {
          running -= 1;
        }
      };
      for await (const value of asCompleted([work(5), work(1), work(2), work(9)])) {
        value[Symbol.dispose]();
        await sleep(2);
      }
    });
    assert.ok(rounds.entry > 5 && rounds.waiting > 5 && rounds.woken > 5);
  },
  { skip: { backend: "host", reason: "a sweep is the same everywhere" } },
);
