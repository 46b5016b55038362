import assert from "node:assert/strict";
import nodeTest from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { TaskCancelled } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { sleep, sleepForever } from "../sync/timeouts.ts";
import { onEveryBackend } from "../testing.ts";
import { asCompleted } from "./as-completed.ts";

const test = onEveryBackend(nodeTest);

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

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

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

const simulated = {
  skip: { backend: "host", reason: "a busy host ends short sleeps in any order" },
} as const;

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

test(
  "asCompleted: gives the values in the order of completion (§4.7)",
  async () => {
    const values = await collect(
      asCompleted([after(5, "slow"), after(1, 1), () => null, after(3, 2)]),
    );
    const typed: Same<typeof values, (string | number | null)[]> = true;
    assert.deepEqual([values, typed], [[null, 1, 2, "slow"], true]);
  },
  simulated,
);

test("asCompleted: of no functions comes no value (§4.7)", async () => {
  assert.deepEqual(await collect(asCompleted([])), []);
});

test("asCompleted: functions start together when the first value is asked for, at each iteration anew (§4.7)", async () => {
  let called = 0;
  const count = async (): Promise<number> => {
    called += 1;
    await sleep(1);
    return called;
  };
  const values = asCompleted([count, count]);
  const unused = values[Symbol.asyncIterator]();
  await checkpoint();
  assert.equal(called, 0);
  assert.deepEqual(await collect(values), [2, 2]);
  assert.deepEqual(await collect(values), [4, 4]);
  assert.deepEqual(await unused.return(), { done: true, value: undefined });
  assert.deepEqual(await unused.next(), { done: true, value: undefined });
  assert.equal(called, 4);
});

test("asCompleted: a value is given while others are not ready yet (§4.7)", async () => {
  let taken = false;
  const slow = async (): Promise<string> => {
    while (!taken) await sleep(1);
    return "slow";
  };
  const seen: string[] = [];
  for await (const value of asCompleted([slow, () => "fast"])) {
    taken = true;
    seen.push(value);
  }
  assert.deepEqual(seen, ["fast", "slow"]);
});

test(
  "asCompleted: a slow consumer loses nothing (§4.7)",
  async () => {
    const seen: number[] = [];
    for await (const value of asCompleted([after(2, 2), after(1, 1), after(3, 3)])) {
      await sleep(10);
      seen.push(value);
    }
    assert.deepEqual(seen, [1, 2, 3]);
  },
  simulated,
);

test(
  "asCompleted: the first failure cancels the rest, and is thrown bare in its turn (§4.7)",
  async () => {
    const first = new Error("first");
    const cleanup = new Error("cleanup");
    const seen: unknown[] = [];
    const slow = slowlyCleaning();
    const bad = async (): Promise<void> => {
      await sleepForever().catch(() => {});
      throw cleanup;
    };
    const loop = async (): Promise<void> => {
      for await (const value of asCompleted([
        failAfterMs(3, first),
        slow.fn,
        bad,
        after(1, 1),
        after(2, 2),
      ])) {
        await sleep(4);
        seen.push(value);
      }
    };
    const thrown = await loop().catch((error: unknown) => error);
    assert.equal(thrown, first);
    assert.deepEqual((thrown as { suppressed?: unknown }).suppressed, [cleanup]);
    assert.deepEqual([seen, slow.cleaned], [[1, 2], 1]);
  },
  simulated,
);

test("asCompleted: a failure reaches a consumer that waits, when all have ended (§4.7)", async () => {
  const slow = slowlyCleaning();
  const iterator = asCompleted([slow.fn, failAfterMs(1, new Error("bad"))])[Symbol.asyncIterator]();
  await assert.rejects(iterator.next(), /bad/);
  assert.equal(slow.cleaned, 1);
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  assert.deepEqual(await iterator.return(), { done: true, value: undefined });
});

test(
  "asCompleted: leaving the loop cancels the rest, waits for it, and disposes what was not taken (§4.7)",
  async () => {
    const log: string[] = [];
    const resource = (name: string) => ({
      name,
      [Symbol.asyncDispose]: async () => {
        await checkpoint();
        log.push(name);
      },
    });
    const late = async (): Promise<AsyncDisposable & { name: string }> => {
      await sleepForever().catch(() => {});
      return resource("late");
    };
    const slow = slowlyCleaning();
    const fns = [slow.fn, late, after(1, resource("taken")), after(2, resource("ready"))];
    for await (const value of asCompleted(fns)) {
      assert.equal(value.name, "taken");
      await sleep(5);
      break;
    }
    assert.deepEqual([log, slow.cleaned], [["late", "ready"], 1]);
  },
  simulated,
);

test("asCompleted: an error in the loop's body leaves the loop (§4.7)", async () => {
  const slow = slowlyCleaning();
  const loop = async (): Promise<void> => {
    for await (const value of asCompleted([() => "value", slow.fn])) throw new Error(value);
  };
  await assert.rejects(loop(), /^Error: value$/);
  assert.equal(slow.cleaned, 1);
});

test("asCompleted: an error with which the rest ends comes out of break (§4.7)", async () => {
  const cleanup = new Error("cleanup");
  const bad = async (): Promise<void> => {
    await sleepForever().catch(() => {});
    throw cleanup;
  };
  const broken = {
    [Symbol.dispose]: () => Promise.reject(new Error("not awaited")).catch(() => {}),
  };
  const loop = async (): Promise<void> => {
    for await (const _ of asCompleted([() => 1, bad, () => broken])) break;
  };
  await assert.rejects(loop(), (error) => error === cleanup);
});

test("asCompleted: what a disposer throws comes out of break (§4.7)", async () => {
  const broken = {
    [Symbol.dispose]: () => {
      throw new Error("dispose");
    },
  };
  const late = async (): Promise<Disposable> => {
    await sleepForever().catch(() => {});
    return broken;
  };
  for (const fn of [after(1, broken), late]) {
    const iterator = asCompleted([() => null, fn])[Symbol.asyncIterator]();
    await iterator.next();
    await sleep(5);
    await assert.rejects(iterator.return(), /dispose/);
  }
});

test(
  "asCompleted: calls of next() that overlap are served in their order (§4.7)",
  async () => {
    const iterator = asCompleted([after(5, "a"), after(1, "b")])[Symbol.asyncIterator]();
    const results = await Promise.all([iterator.next(), iterator.next(), iterator.next()]);
    assert.deepEqual(
      results.map(({ value }) => value),
      ["b", "a", undefined],
    );
    const other = asCompleted([failAfterMs(1, new Error("bad"))])[Symbol.asyncIterator]();
    const [first, second] = await Promise.allSettled([other.next(), other.next()]);
    assert.deepEqual([first.status, second.status], ["rejected", "fulfilled"]);
  },
  simulated,
);

test("asCompleted: return() ends a next() that waits (§4.7)", async () => {
  const slow = slowlyCleaning();
  const iterator = asCompleted([slow.fn])[Symbol.asyncIterator]();
  const waiting = iterator.next();
  await checkpoint();
  const results = await Promise.all([waiting, iterator.return()]);
  assert.deepEqual(
    results.map(({ done }) => done),
    [true, true],
  );
  assert.equal(slow.cleaned, 1);
});

test(
  "asCompleted: an async generator may loop over it (§4.7)",
  async () => {
    const slow = slowlyCleaning();
    async function* doubled(): AsyncGenerator<number> {
      for await (const value of asCompleted([after(1, 1), slow.fn, after(2, 2)])) yield value * 2;
    }
    const seen: number[] = [];
    for await (const value of doubled()) if (seen.push(value) === 2) break;
    assert.deepEqual([seen, slow.cleaned], [[2, 4], 1]);
  },
  simulated,
);

test("asCompleted: a function that cancels its own task fails with TaskCancelled (§4.6)", async () => {
  const quit = async (): Promise<void> => {
    ambientScope().cancel("enough");
    await checkpoint();
  };
  await assert.rejects(collect(asCompleted([quit, sleepForever])), TaskCancelled);
});

test("asCompleted: next() is a checkpoint and starts nothing when cancelled; wrong arguments throw at once (§2.1)", async () => {
  let called = 0;
  await new CancelScope().run(async (scope) => {
    scope.cancel();
    await assert.rejects(collect(asCompleted([() => called++])), { name: "Cancelled" });
  });
  assert.throws(
    () => asCompleted([Promise.resolve() as never]),
    /asCompleted: item 0 is a promise/,
  );
  assert.throws(() => asCompleted(5 as never), /asCompleted: got 5, needs an iterable/);
  assert.equal(called, 0);
});
