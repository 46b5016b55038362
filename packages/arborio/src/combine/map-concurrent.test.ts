import assert from "node:assert/strict";
import nodeTest from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { TaskCancelled } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { type TaskGroup, taskGroup } from "../core/task-group.ts";
import { moveOnAfter, sleep, sleepForever } from "../sync/timeouts.ts";
import { cancelEverywhere, onEveryBackend, waitAllTasksBlocked } from "../testing.ts";
import { mapConcurrent } from "./map-concurrent.ts";

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

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** An iterable of 0 to `count` − 1, in both kinds, that tells what happens to it. */
class Source {
  readonly #count: number;
  pulled = 0;
  pulling = 0;
  pullsAtOnce = 0;
  ends = 0;
  returned = 0;

  constructor(count: number) {
    this.#count = count;
  }

  sync(): Iterable<number> {
    return {
      [Symbol.iterator]: () => ({ next: () => this.#next(), return: () => this.#return() }),
    };
  }

  async(waitMs = 0): AsyncIterable<number> {
    return {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          this.pullsAtOnce = Math.max(this.pullsAtOnce, ++this.pulling);
          try {
            await sleep(waitMs);
            return this.#next();
          } finally {
            this.pulling -= 1;
          }
        },
        return: async () => {
          await new CancelScope({ shield: true }).run(() => sleep(1));
          return this.#return();
        },
      }),
    };
  }

  #next(): IteratorResult<number, undefined> {
    if (this.pulled < this.#count) return { done: false, value: this.pulled++ };
    this.ends += 1;
    return { done: true, value: undefined };
  }

  #return(): IteratorReturnResult<undefined> {
    this.returned += 1;
    return { done: true, value: undefined };
  }
}

const kinds = ["sync", "async"] as const;

test("mapConcurrent: results come in the order of the items, whatever ends first (§4.7)", async () => {
  for (const kind of kinds) {
    const source = new Source(6);
    const results = await mapConcurrent(
      source[kind](),
      async (item, index) => {
        await sleep(item % 2 === 0 ? 4 : 1);
        return `${item}/${index}`;
      },
      { concurrency: 3 },
    );
    const typed: Same<typeof results, string[]> = true;
    assert.deepEqual(results, ["0/0", "1/1", "2/2", "3/3", "4/4", "5/5"]);
    assert.deepEqual([source.returned, typed], [0, true]);
  }
});

test(
  "mapConcurrent: runs no more calls at once than allowed, and as many as it can (§4.7)",
  async () => {
    for (const kind of kinds) {
      for (const [concurrency, most] of [
        [1, 1],
        [3, 3],
        [100, 8],
        [Infinity, 8],
      ] as const) {
        let running = 0;
        let seen = 0;
        const work = async (): Promise<void> => {
          seen = Math.max(seen, ++running);
          await sleep(3);
          running -= 1;
        };
        await mapConcurrent(new Source(8)[kind](), work, { concurrency });
        assert.equal(seen, most);
      }
    }
  },
  { skip: { backend: "host", reason: "a busy host ends short sleeps early" } },
);

test("mapConcurrent: pulls one item at a time, and only when a call can begin (§4.7)", async () => {
  for (const kind of kinds) {
    const source = new Source(20);
    let running = 0;
    let ended = 0;
    const work = async (): Promise<void> => {
      running += 1;
      await sleep(1 + (source.pulled % 3));
      // Of the items pulled so far, all but those that ended are being worked on: none lies ready.
      assert.ok(source.pulled - ended <= 3);
      running -= 1;
      ended += 1;
    };
    await mapConcurrent(source[kind](kind === "async" ? 1 : undefined), work, { concurrency: 3 });
    assert.deepEqual([ended, running], [20, 0]);
    if (kind === "async") assert.equal(source.pullsAtOnce, 1);
  }
});

test("mapConcurrent: of nothing comes nothing, and `fn` may be synchronous (§4.7)", async () => {
  assert.deepEqual(await mapConcurrent([], () => 1, { concurrency: 1 }), []);
  assert.deepEqual(await mapConcurrent(new Source(0).async(), () => 1, { concurrency: 1 }), []);
  assert.deepEqual(await mapConcurrent("abc", (text) => text + text, { concurrency: 2 }), [
    "aa",
    "bb",
    "cc",
  ]);
  const promises = [Promise.resolve(1)];
  const items = await mapConcurrent(promises, (item) => [item], { concurrency: 1 });
  assert.equal(items[0]?.[0], promises[0]);
});

test("mapConcurrent: the first error is thrown bare, the others attached; the iterable is closed (§4.7)", async () => {
  for (const kind of kinds) {
    const source = new Source(10);
    let cleaned = 0;
    const work = async (item: number): Promise<void> => {
      if (item === 2) throw new Error("first");
      try {
        await sleepForever();
      } finally {
        await new CancelScope({ shield: true }).run(() => sleep(1));
        cleaned += 1;
        if (item === 1) await Promise.reject(new Error("cleanup"));
      }
    };
    const thrown = await mapConcurrent(source[kind](), work, { concurrency: 3 }).catch(
      (error: unknown) => error as Error & { suppressed: Error[] },
    );
    assert.equal((thrown as Error).message, "first");
    assert.deepEqual((thrown as { suppressed: Error[] }).suppressed.map(String), [
      "Error: cleanup",
    ]);
    assert.deepEqual([cleaned, source.returned, source.pulled], [2, 1, 3]);
  }
});

test("mapConcurrent: an iterable that has ended is neither asked nor closed again (§4.7)", async () => {
  const source = new Source(2);
  const work = async (item: number): Promise<void> => {
    await sleep(1);
    if (item === 1) throw new Error("bad");
  };
  await assert.rejects(mapConcurrent(source.sync(), work, { concurrency: 5 }), /bad/);
  assert.deepEqual([source.ends, source.returned], [1, 0]);
});

test("mapConcurrent: results that nobody gets are disposed, also late ones (§4.7)", async () => {
  const log: number[] = [];
  const work = async (item: number): Promise<Disposable> => {
    if (item === 2) await sleepForever().catch(() => {});
    if (item === 3) await sleep(1).then(() => Promise.reject(new Error("bad")));
    return { [Symbol.dispose]: () => void log.push(item) };
  };
  await assert.rejects(mapConcurrent(new Source(5).sync(), work, { concurrency: 2 }), /bad/);
  assert.deepEqual(log, [2, 1, 0]);
});

test("mapConcurrent: an error of the iterable cancels the calls, and it is not closed (§4.7)", async () => {
  let cancelled = 0;
  let returned = 0;
  const work = (): Promise<never> =>
    sleepForever().catch((error: unknown) => {
      cancelled += 1;
      throw error;
    });
  let pulls = 0;
  const next = (): IteratorResult<number> => {
    if (pulls++ === 2) throw new Error("iterable");
    return { done: false, value: pulls };
  };
  const close = (): IteratorResult<number> => ({ done: true, value: returned++ });
  const sync = { [Symbol.iterator]: () => ({ next, return: close }) };
  const async = {
    [Symbol.asyncIterator]: () => ({ next: async () => next(), return: async () => close() }),
  };
  for (const iterable of [sync, async]) {
    pulls = 0;
    await assert.rejects(mapConcurrent(iterable, work, { concurrency: 3 }), /iterable/);
  }
  assert.deepEqual([cancelled, returned], [4, 0]);
});

test("mapConcurrent: what closing throws is attached (§4.7)", async () => {
  const iterable = {
    [Symbol.iterator]: () => ({
      next: () => ({ done: false, value: 1 }),
      return: () => {
        throw new Error("close");
      },
    }),
  };
  const bad = new Error("bad");
  const fail = (): never => {
    throw bad;
  };
  const thrown = await mapConcurrent(iterable, fail, { concurrency: 1 }).catch(
    (error: unknown) => error,
  );
  assert.equal(thrown, bad);
  assert.deepEqual((bad as { suppressed?: Error[] }).suppressed?.map(String), ["Error: close"]);
});

test("mapConcurrent: an async generator is cancelled while it waits, and its `finally` has run (§4.7)", async () => {
  const log: string[] = [];
  async function* items(): AsyncGenerator<number> {
    try {
      yield 1;
      yield await sleepForever();
    } finally {
      log.push("closed");
    }
  }
  const work = async (): Promise<never> => {
    await sleep(1);
    throw new Error("bad");
  };
  await assert.rejects(mapConcurrent(items(), work, { concurrency: 2 }), /bad/);
  assert.deepEqual(log, ["closed"]);
});

test("mapConcurrent: cancelled from outside, it throws Cancelled when all have ended (§4.7)", async (group) => {
  for (const kind of kinds) {
    const source = new Source(9);
    let ended = 0;
    const work = async (): Promise<void> => {
      try {
        await sleepForever();
      } finally {
        await new CancelScope({ shield: true }).run(() => sleep(1));
        ended += 1;
      }
    };
    const scope = cancelledWhenBlocked(group);
    await scope.run(() => mapConcurrent(source[kind](), work, { concurrency: 2 }));
    assert.deepEqual(
      [ended, source.pulled, source.returned, scope.cancelledCaught],
      [2, 2, 1, true],
    );
  }
});

test("mapConcurrent: a cancellation that no call sees still ends it before the next item (§2.3)", async () => {
  const scope = new CancelScope();
  const work = async (item: number): Promise<void> => {
    if (item === 1) scope.cancel();
  };
  const source = new Source(5);
  await scope.run(() => mapConcurrent(source.sync(), work, { concurrency: 1 }));
  assert.deepEqual([source.pulled, source.returned, scope.cancelledCaught], [2, 1, true]);
});

test("mapConcurrent: an error beside a cancellation hides neither (§4.4)", async (group) => {
  const real = new Error("cleanup");
  const work = async (): Promise<void> => {
    await sleepForever().catch(() => {});
    throw real;
  };
  const scope = cancelledWhenBlocked(group);
  const outcome = scope.run(() => mapConcurrent([1], work, { concurrency: 1 }));
  await assert.rejects(outcome, (error) => error === real);
  assert.ok(scope.cancelledCaught);
});

test("mapConcurrent: a call that cancels its own task fails with TaskCancelled (§4.6)", async () => {
  const quit = (): void => ambientScope().cancel("enough");
  await assert.rejects(mapConcurrent([1, 2], quit, { concurrency: 1 }), TaskCancelled);
});

test("mapConcurrent: calls that never wait let other tasks run (§2.5)", async () => {
  const mapped: number[] = [];
  let ticks = 0;
  await taskGroup(async (group) => {
    group.startSoon(
      async () => {
        for (;;) {
          await sleep(1);
          ticks += 1;
        }
      },
      { daemon: true },
    );
    const began = ambientScope().kernel.clock.now();
    const until = (): boolean => ticks >= 2 || ambientScope().kernel.clock.now() - began > 5000;
    function* endless(): Generator<number> {
      for (let n = 0; !until(); n++) yield n;
    }
    await mapConcurrent(endless(), (n) => void mapped.push(n), { concurrency: 2 });
  });
  assert.ok(ticks >= 2);
});

test("mapConcurrent: is a checkpoint; wrong arguments reject before anything is pulled (§2.1)", async () => {
  const source = new Source(3);
  const work = (): number => 1;
  await moveOnAfter(0, () => mapConcurrent(source.sync(), work, { concurrency: 1 }));
  for (const concurrency of [0, -1, 1.5, NaN]) {
    await assert.rejects(mapConcurrent(source.sync(), work, { concurrency }), (error) => {
      assert.ok(error instanceof RangeError);
      assert.match(
        error.message,
        /mapConcurrent\(\{ concurrency \}\): got .*, needs a whole number, at least 1/,
      );
      return true;
    });
  }
  await assert.rejects(
    mapConcurrent(source.sync(), work, { concurrency: "2" as never }),
    TypeError,
  );
  await assert.rejects(mapConcurrent(source.sync(), work, {} as never), TypeError);
  await assert.rejects(mapConcurrent([], work, undefined as never), /needs an object such as/);
  await assert.rejects(
    mapConcurrent(source.sync(), undefined as never, { concurrency: 1 }),
    TypeError,
  );
  await assert.rejects(
    mapConcurrent(5 as never, work, { concurrency: 1 }),
    /mapConcurrent: got 5, needs an iterable/,
  );
  await assert.rejects(
    mapConcurrent(null as never, work, { concurrency: 1 }),
    /mapConcurrent: got null/,
  );
  assert.equal(source.pulled, 0);
});

test(
  "mapConcurrent: cancelled at every step, it leaves nothing open and nothing running",
  async () => {
    for (const kind of kinds) {
      const { rounds } = await cancelEverywhere(async (round) => {
        const source = new Source(5);
        let open = 0;
        let running = 0;
        round.after(() => {
          assert.deepEqual([open, running, source.pulling], [0, 0, 0]);
          assert.ok(source.returned <= 1);
        });
        const work = async (item: number): Promise<Disposable> => {
          running += 1;
          try {
            await sleep(item % 2);
            open += 1;
            return { [Symbol.dispose]: () => void (open -= 1) };
          } finally {
            running -= 1;
          }
        };
        const results = await mapConcurrent(source[kind](), work, { concurrency: 2 });
        assert.equal(results.length, 5);
        open -= 5;
      });
      assert.ok(rounds.entry > 10 && rounds.waiting >= 2 && rounds.woken >= 2);
    }
  },
  { skip: { backend: "host", reason: "a sweep is the same everywhere" } },
);
