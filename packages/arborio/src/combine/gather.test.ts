import assert from "node:assert/strict";
import nodeTest from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { TaskCancelled } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { type TaskGroup, taskGroup } from "../core/task-group.ts";
import { moveOnAfter, sleep, sleepForever } from "../sync/timeouts.ts";
import { cancelEverywhere, onEveryBackend, waitAllTasksBlocked } from "../testing.ts";
import { gather } from "./gather.ts";

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

/** Counts resources that are open, and remembers the order of closing. */
class Ledger {
  open = 0;
  readonly closed: string[] = [];

  resource(name = ""): AsyncDisposable {
    this.open += 1;
    return {
      [Symbol.asyncDispose]: async () => {
        await checkpoint();
        this.open -= 1;
        this.closed.push(name);
      },
    };
  }
}

test("gather: values come in the order of the functions, not of completion (§4.7)", async () => {
  const values = await gather([() => sleep(3).then(() => "slow"), async () => 2, () => null]);
  const typed: Same<typeof values, [string, number, null]> = true;
  assert.deepEqual(values, ["slow", 2, null]);
  assert.ok(typed);
});

test("gather: a record of functions gives a record of values (§4.7)", async () => {
  const values = await gather({ a: async () => 1, b: () => "two", ["__proto__"]: () => 3 });
  const { a, b } = values;
  const typed: Same<typeof a, number> = true;
  assert.deepEqual([a, b, typed], [1, "two", true]);
  assert.deepEqual(Object.keys(values), ["a", "b", "__proto__"]);
});

test("gather: any iterable will do, and of nothing comes nothing (§4.7)", async () => {
  const fns = new Set([async () => 1, async () => 2]);
  const values = await gather(fns);
  const typed: Same<typeof values, number[]> = true;
  assert.deepEqual(values, [1, 2]);
  assert.ok(typed);
  const none = await gather([]);
  const empty: Same<typeof none, []> = true;
  assert.deepEqual([none, empty], [[], true]);
  assert.deepEqual(await gather({}), {});
});

test("gather: functions run at once, each in a task that bears its name (§4.7)", async () => {
  const names: string[] = [];
  const note = async (): Promise<void> => {
    names.push(ambientScope().task.name);
    await checkpoint();
  };
  await gather([async () => note(), async () => note()]);
  await gather({ left: async () => note(), right: async () => note() });
  assert.deepEqual(names.sort(), ["gather[0]", "gather[1]", "left", "right"]);
  let running = 0;
  let most = 0;
  const count = async (): Promise<void> => {
    most = Math.max(most, ++running);
    await sleep(1);
    running -= 1;
  };
  await gather([count, count, count]);
  assert.equal(most, 3);
});

test("gather: the first error is thrown bare, the others are waited for and attached (§4.7)", async () => {
  const first = new Error("first");
  const cleanup = new Error("cleanup");
  let cleaned = false;
  const slow = async (): Promise<void> => {
    try {
      await sleepForever();
    } finally {
      await new CancelScope({ shield: true }).run(() => sleep(2));
      cleaned = true;
    }
  };
  const bad = async (): Promise<void> => {
    try {
      await sleepForever();
    } finally {
      await Promise.reject(cleanup);
    }
  };
  const thrown = await gather([slow, bad, () => sleep(1).then(() => Promise.reject(first))]).catch(
    (error: unknown) => error,
  );
  assert.equal(thrown, first);
  assert.deepEqual((thrown as { suppressed?: unknown }).suppressed, [cleanup]);
  assert.ok(cleaned);
});

test("gather: a function that throws synchronously fails like any other (§4.7)", async () => {
  const error = new Error("at once");
  const fail = (): number => {
    throw error;
  };
  await assert.rejects(gather([fail, sleepForever]), (thrown) => thrown === error);
  assert.ok(!("suppressed" in error));
});

test("gather: what cannot carry others is thrown as it is (§4.7)", async () => {
  const fail = (what: unknown) => async () => {
    await checkpoint();
    throw what;
  };
  const frozen = Object.freeze(new Error("frozen"));
  const shared = new Error("shared");
  for (const what of [undefined, null, "text", frozen]) {
    const thrown = await gather([fail(what), fail(what)]).catch((error: unknown) => error);
    assert.equal(thrown, what);
  }
  await assert.rejects(gather([fail(shared), fail(shared)]), (error) => error === shared);
  assert.ok(!("suppressed" in shared));
});

test("gather: values that nobody gets are disposed when it fails, also late ones (§4.7)", async () => {
  const ledger = new Ledger();
  const late = async (): Promise<AsyncDisposable> => {
    await sleepForever().catch(() => {});
    return ledger.resource("late");
  };
  const bad = new Error("bad");
  const fns = [
    () => ledger.resource("early"),
    late,
    () => sleep(1).then(() => Promise.reject(bad)),
  ];
  await assert.rejects(gather(fns), (error) => error === bad);
  assert.deepEqual(ledger.closed, ["late", "early"]);
  assert.equal(ledger.open, 0);
});

test("gather: disposers prefer asyncDispose, and what they throw is attached (§4.7)", async () => {
  const log: string[] = [];
  const both = {
    [Symbol.asyncDispose]: async () => void log.push("async"),
    [Symbol.dispose]: () => void log.push("sync"),
  };
  const sync = { [Symbol.dispose]: () => void log.push("only sync") };
  const broken = {
    [Symbol.dispose]: () => {
      throw new Error("dispose");
    },
  };
  const thrown = await gather([
    () => both,
    () => sync,
    () => broken,
    () => sync,
    () => sleep(1).then(() => Promise.reject(new Error("bad"))),
  ]).catch((error: unknown) => error as Error & { suppressed: Error[] });
  assert.deepEqual(log, ["only sync", "async"]);
  assert.deepEqual((thrown as { suppressed: Error[] }).suppressed.map(String), ["Error: dispose"]);
});

test("gather: cancelled from outside it throws Cancelled when all have ended (§4.7)", async () => {
  let cleaned = 0;
  const work = async (): Promise<void> => {
    try {
      await sleepForever();
    } finally {
      await new CancelScope({ shield: true }).run(() => sleep(1));
      cleaned += 1;
    }
  };
  const scope = new CancelScope();
  await scope.run(() => gather([work, work, () => sleep(1).then(() => scope.cancel())]));
  assert.equal(cleaned, 2);
  assert.ok(scope.cancelledCaught);
});

test("gather: an error beside a cancellation hides neither (§4.4)", async (group) => {
  const real = new Error("cleanup");
  const work = async (): Promise<void> => {
    try {
      await sleepForever();
    } finally {
      await Promise.reject(real);
    }
  };
  const scope = cancelledWhenBlocked(group);
  let inside: unknown;
  const outcome = scope.run(async () => {
    await gather([work, sleepForever]).catch((error: unknown) => {
      inside = error;
      throw error;
    });
  });
  await assert.rejects(outcome, (error) => error === real);
  assert.equal((inside as Error).name, "SuppressedError");
  assert.equal((inside as SuppressedError).error, real);
  assert.ok(scope.cancelledCaught);
});

test("gather: a failed task group inside a cancelled gather comes out pruned (§3.3)", async () => {
  const real = new Error("cleanup");
  const inner = (): Promise<unknown> =>
    taskGroup((group) => {
      group.startSoon(async () => {
        try {
          await sleepForever();
        } finally {
          await Promise.reject(real);
        }
      });
    });
  const bad = new Error("bad");
  const thrown = await gather([inner, () => sleep(1).then(() => Promise.reject(bad))]).catch(
    (error: unknown) => error as { suppressed: AggregateError[] },
  );
  assert.equal(thrown, bad);
  assert.deepEqual((thrown as unknown as { suppressed: AggregateError[] }).suppressed[0]?.errors, [
    real,
  ]);
});

test("gather: errors of nested gathers pile up on the first one (§4.7)", async () => {
  const errors = [new Error("0"), new Error("1"), new Error("2")] as const;
  const cleanup = (error: Error) => async () => {
    try {
      await sleepForever();
    } finally {
      await Promise.reject(error);
    }
  };
  const inner = (): Promise<unknown> =>
    gather([cleanup(errors[1]), () => Promise.reject(errors[0])]);
  const thrown = await gather([inner, cleanup(errors[2])]).catch((error: unknown) => error);
  assert.equal(thrown, errors[0]);
  assert.deepEqual((thrown as { suppressed?: unknown }).suppressed, [errors[1], errors[2]]);
});

test("gather: an error object that is thrown again and again does not collect others for ever (§4.7)", async () => {
  const constant = new Error("constant");
  const cleanup = async (): Promise<void> => {
    await sleepForever().catch(() => {});
    throw new Error("cleanup");
  };
  const cleanups = Array.from({ length: 300 }, () => cleanup);
  for (let round = 0; round < 4; round++) {
    await assert.rejects(gather([() => Promise.reject(constant), ...cleanups]));
  }
  assert.equal((constant as { suppressed?: unknown[] }).suppressed?.length, 1000);
});

test("gather: a function that cancels its own task has no value (§4.6)", async () => {
  const ledger = new Ledger();
  const quit = async (): Promise<void> => {
    ambientScope().cancel("enough");
    await checkpoint();
  };
  await assert.rejects(gather([quit, () => ledger.resource()]), TaskCancelled);
  assert.equal(ledger.open, 0);
});

test("gather: is a checkpoint and starts nothing when cancelled (§2.2)", async () => {
  let called = 0;
  await moveOnAfter(0, () => gather([() => called++]));
  await moveOnAfter(0, () => gather([]));
  await new CancelScope().run(async (scope) => {
    scope.cancel();
    await assert.rejects(gather([() => called++]), { name: "Cancelled" });
    await assert.rejects(gather({}), { name: "Cancelled" });
  });
  assert.equal(called, 0);
});

test("gather: wrong arguments reject before anything starts (§2.1)", async () => {
  let called = 0;
  const wrong = async (fns: unknown, message: RegExp): Promise<void> => {
    await assert.rejects(gather(fns as []), (error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, message);
      return true;
    });
  };
  await wrong(
    [() => called++, Promise.resolve()],
    /gather: item 1 is a promise, needs a function .*write \(\) => work\(\)/,
  );
  await wrong([() => called++, 5], /gather: item 1 is 5, needs a function/);
  await wrong({ a: () => called++, b: "text" }, /gather: item b is "text", needs a function/);
  await wrong(Promise.resolve(), /gather: got an object of Promise, needs an iterable or a record/);
  await wrong(() => called++, /gather: got function .*needs an iterable or a record/);
  await wrong(null, /gather: got null/);
  await wrong(undefined, /gather: got undefined/);
  const broken = {
    *[Symbol.iterator]() {
      yield () => called++;
      throw new Error("iterable");
    },
  };
  await assert.rejects(gather(broken), /iterable/);
  assert.equal(called, 0);
});

test(
  "gather: cancelled at every step, it leaves nothing open and nothing running",
  async () => {
    const { rounds } = await cancelEverywhere(async (round) => {
      const ledger = new Ledger();
      let running = 0;
      round.after(() => assert.deepEqual([ledger.open, running], [0, 0]));
      const work = (ms: number) => async () => {
        running += 1;
        try {
          await sleep(ms);
          return ledger.resource();
        } finally {
          running -= 1;
        }
      };
      const values = await gather([work(0), work(5), work(3)]);
      assert.equal(values.length, 3);
      ledger.open -= 3;
    });
    assert.ok(rounds.entry > 3 && rounds.waiting > 1 && rounds.woken > 1);
  },
  { skip: { backend: "host", reason: "a sweep is the same everywhere" } },
);
