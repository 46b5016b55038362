import assert from "node:assert/strict";
import nodeTest from "node:test";
import { ExceptionGroup } from "../core/exception-group.ts";
import { CancelScope } from "../core/scope.ts";
import type { TaskGroup } from "../core/task-group.ts";
import { now, sleep, sleepForever } from "../sync/timeouts.ts";
import { cancelEverywhere, onEveryBackend, waitAllTasksBlocked } from "../testing.ts";
import { hedge } from "./hedge.ts";

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

const simulated = { skip: { backend: "host", reason: "exact times" } } as const;

/** Starts of attempts, each by its number and the time it started at. */
class Starts {
  readonly #began = now();
  readonly at: number[] = [];

  attempt<T>(ms: number, end: () => T): () => Promise<T> {
    return async () => {
      this.at.push(Math.round(now() - this.#began));
      await sleep(ms);
      return end();
    };
  }
}

const failing = (text: string) => (): never => {
  throw new Error(text);
};

test(
  "hedge: starts the next attempt after the delay, beside those that run; the first success wins (§4.7)",
  async () => {
    const starts = new Starts();
    const value = await hedge(
      [
        starts.attempt(590, () => 1),
        starts.attempt(420, () => "second"),
        starts.attempt(900, () => true),
        starts.attempt(0, () => null),
      ],
      { afterMs: 200 },
    );
    const typed: Same<typeof value, number | string | boolean | null> = true;
    assert.deepEqual([value, typed], [1, true]);
    assert.deepEqual(starts.at, [0, 200, 400]);
  },
  simulated,
);

test(
  "hedge: starts the next attempt at once when one fails, whichever it was (§4.7)",
  async () => {
    const starts = new Starts();
    const value = await hedge(
      [
        starts.attempt(50, failing("first")),
        starts.attempt(100, failing("second")),
        starts.attempt(500, () => "slow"),
        starts.attempt(10, failing("fourth")),
        starts.attempt(10, () => "won"),
      ],
      { afterMs: 200 },
    );
    assert.equal(value, "won");
    assert.deepEqual(starts.at, [0, 50, 150, 350, 360]);
  },
  simulated,
);

test(
  "hedge: each failure starts one more attempt, also when several fail at once (§4.7)",
  async () => {
    const starts = new Starts();
    const fns = [
      starts.attempt(100, failing("first")),
      starts.attempt(80, failing("second")),
      starts.attempt(30, () => "won"),
      starts.attempt(90, () => "slow"),
      starts.attempt(90, () => "never"),
    ];
    assert.equal(await hedge(fns, { afterMs: 20 }), "won");
    assert.deepEqual(starts.at, [0, 20, 40, 60]);
    const again = new Starts();
    const together = [
      again.attempt(100, failing("first")),
      again.attempt(40, failing("second")),
      again.attempt(50, () => "won"),
      again.attempt(50, () => "won, too"),
      again.attempt(50, () => "never"),
    ];
    assert.match(await hedge(together, { afterMs: 60 }), /^won/);
    assert.deepEqual(again.at, [0, 60, 100, 100]);
  },
  simulated,
);

test(
  "hedge: with an infinite delay the next attempt waits for a failure (§4.7)",
  async () => {
    const starts = new Starts();
    const fns = [starts.attempt(1000, failing("first")), starts.attempt(1, () => "second")];
    assert.equal(await hedge(fns, { afterMs: Infinity }), "second");
    assert.deepEqual(starts.at, [0, 1000]);
  },
  simulated,
);

test(
  "hedge: without a delay all attempts start at once (§4.7)",
  async () => {
    for (const afterMs of [0, -5]) {
      const starts = new Starts();
      const fns = [10, 5, 20].map((ms) => starts.attempt(ms, () => ms));
      assert.equal(await hedge(fns, { afterMs }), 5);
      assert.deepEqual(starts.at, [0, 0, 0]);
    }
  },
  simulated,
);

test("hedge: a first attempt that succeeds is the only one (§4.7)", async () => {
  let called = 0;
  assert.equal(await hedge([() => "first", () => called++], { afterMs: 60_000 }), "first");
  assert.equal(called, 0);
});

test("hedge: if all fail, it throws one group of all errors in the order of the functions (§4.7)", async () => {
  const fns = [
    async (): Promise<never> => {
      await sleep(3);
      throw new Error("0");
    },
    failing("1"),
    failing("2"),
  ];
  await assert.rejects(hedge(fns, { afterMs: 0 }), (thrown) => {
    assert.ok(thrown instanceof ExceptionGroup);
    assert.deepEqual(
      thrown.errors.map((error: Error) => error.message),
      ["0", "1", "2"],
    );
    return true;
  });
});

test("hedge: losers are cancelled, waited for, and their late values disposed (§4.7)", async () => {
  const log: string[] = [];
  const stubborn = async (): Promise<Disposable> => {
    await sleepForever().catch(() => {});
    await new CancelScope({ shield: true }).run(() => sleep(1));
    return { [Symbol.dispose]: () => void log.push("late") };
  };
  const slow = async (): Promise<void> => {
    try {
      await sleepForever();
    } finally {
      await new CancelScope({ shield: true }).run(() => sleep(2));
      log.push("cleaned");
    }
  };
  assert.equal(await hedge([stubborn, slow, () => "won"], { afterMs: 1 }), "won");
  assert.deepEqual(log.sort(), ["cleaned", "late"]);
});

test("hedge: cancelled from outside, it throws Cancelled when all have ended, and starts no more (§4.7)", async (group) => {
  let started = 0;
  let ended = 0;
  const work = async (): Promise<void> => {
    started += 1;
    try {
      await sleepForever();
    } finally {
      await new CancelScope({ shield: true }).run(() => sleep(1));
      ended += 1;
    }
  };
  const scope = cancelledWhenBlocked(group);
  await scope.run(() => hedge([work, work, work], { afterMs: Infinity }));
  assert.deepEqual([started, ended, scope.cancelledCaught], [1, 1, true]);
});

test("hedge: is a checkpoint; wrong arguments reject before anything starts (§2.1, §2.2)", async () => {
  let called = 0;
  const fns = [() => called++];
  await new CancelScope().run(async (scope) => {
    scope.cancel();
    await assert.rejects(hedge(fns, { afterMs: 1 }), { name: "Cancelled" });
  });
  await assert.rejects(hedge([], { afterMs: 1 }), RangeError);
  await assert.rejects(hedge([...fns, 5 as never], { afterMs: 1 }), /hedge: item 1 is 5/);
  await assert.rejects(hedge(fns, { afterMs: NaN }), RangeError);
  await assert.rejects(hedge(fns, { afterMs: "1" as never }), TypeError);
  await assert.rejects(hedge(fns, undefined as never), /got undefined, needs an object such as/);
  assert.equal(called, 0);
});

test(
  "hedge: cancelled at every step, it leaves nothing open and nothing running",
  async () => {
    const { rounds } = await cancelEverywhere(async (round) => {
      let open = 0;
      let running = 0;
      round.after(() => assert.deepEqual([open, running], [0, 0]));
      const work = (ms: number) => async () => {
        running += 1;
        try {
          await (ms === 0 ? sleepForever().catch(() => {}) : sleep(ms));
          if (ms === 3) throw new Error("the next one, please");
          open += 1;
          return { [Symbol.dispose]: () => void (open -= 1) };
        } finally {
          running -= 1;
        }
      };
      await hedge([work(0), work(3), work(50), work(7)], { afterMs: 5 });
      open -= 1;
    });
    assert.ok(rounds.entry > 5 && rounds.waiting > 3 && rounds.woken > 3);
  },
  { skip: { backend: "host", reason: "a sweep is the same everywhere" } },
);
