import assert from "node:assert/strict";
import nodeTest from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { ExceptionGroup } from "../core/exception-group.ts";
import { CancelScope } from "../core/scope.ts";
import type { TaskGroup } from "../core/task-group.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import { now, sleep, sleepForever } from "../sync/timeouts.ts";
import { cancelEverywhere, onEveryBackend, waitAllTasksBlocked } from "../testing.ts";
import { exponentialBackoff } from "./backoff.ts";
import { retry } from "./retry.ts";
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

const simulated = { skip: { backend: "host", reason: "exact times" } } as const;

/** Fails so many times, then returns the number of the attempt. */
const flaky = (failures: number) => {
  const attempts: number[] = [];
  const errors: Error[] = [];
  const fn = async (attempt: number): Promise<number> => {
    attempts.push(attempt);
    await checkpoint();
    if (attempt > failures) return attempt;
    errors.push(new Error(`attempt ${attempt}`));
    throw errors.at(-1);
  };
  return { fn, attempts, errors };
};

test("retry: calls until it succeeds, and gives the number of the attempt (§4.7)", async () => {
  const { fn, attempts } = flaky(2);
  assert.equal(await retry(fn, { attempts: 5 }), 3);
  assert.deepEqual(attempts, [1, 2, 3]);
  assert.equal(await retry(() => "at once", { attempts: 1 }), "at once");
});

test("retry: after the last attempt its error is thrown bare, the earlier ones attached (§4.7)", async () => {
  const { fn, errors } = flaky(9);
  const thrown = await retry(fn, { attempts: 3 }).catch((error: unknown) => error);
  assert.equal(thrown, errors[2]);
  assert.deepEqual((thrown as { suppressed?: unknown }).suppressed, errors.slice(0, 2));
  assert.equal(errors.length, 3);
});

test("retry: a synchronous throw, and an error thrown twice, are failures like any other (§4.7)", async () => {
  const error = new Error("same");
  let called = 0;
  const fail = (): never => {
    called += 1;
    throw error;
  };
  await assert.rejects(retry(fail, { attempts: 3 }), (thrown) => thrown === error);
  assert.equal(called, 3);
  assert.ok(!("suppressed" in error));
});

test("retry: `when` decides which errors are retried, a class or a predicate (§4.7)", async () => {
  const errors = [new RangeError("again"), new RangeError("again"), new TypeError("no")];
  for (const when of [RangeError, (error: unknown) => (error as Error).message === "again"]) {
    const thrown = await retry((attempt) => Promise.reject(errors[attempt - 1] as Error), {
      attempts: 9,
      when,
    }).catch((error: unknown) => error);
    assert.equal(thrown, errors[2]);
    assert.deepEqual((thrown as { suppressed?: unknown }).suppressed, errors.slice(0, 2));
    delete (thrown as { suppressed?: unknown }).suppressed;
  }
});

test(
  "retry: waits the backoff between attempts, a number or a function of the attempt (§4.7)",
  async () => {
    for (const [backoff, expected] of [
      [undefined, [0, 0, 0]],
      [100, [0, 100, 200]],
      [(attempt: number) => attempt * 1000, [0, 1000, 3000]],
      [exponentialBackoff({ initialMs: 10, factor: 3 }), [0, 10, 40]],
    ] as const) {
      const began = now();
      const at: number[] = [];
      const fn = (attempt: number): void => {
        at.push(Math.round(now() - began));
        if (attempt < 3) throw new Error("again");
      };
      await retry(fn, { attempts: 3, ...(backoff === undefined ? {} : { backoff }) });
      assert.deepEqual(at, expected);
    }
  },
  simulated,
);

test("retry: Cancelled is never retried nor asked about (§4.7)", async (group) => {
  let called = 0;
  const options = { attempts: Infinity, when: () => assert.fail("asked") } as const;
  const scope = cancelledWhenBlocked(group);
  await scope.run(() =>
    retry(async () => {
      called += 1;
      await sleepForever();
    }, options),
  );
  assert.deepEqual([called, scope.cancelledCaught], [1, true]);
});

test("retry: errors that hold a Cancelled are not retried (§4.7)", async (group) => {
  const real = new Error("cleanup");
  const bad = async (): Promise<void> => {
    await sleepForever().catch(() => {});
    throw real;
  };
  const holders: ((error: unknown) => unknown)[] = [
    (error) => new AggregateError([error]),
    (error) => new ExceptionGroup([error]),
    (error) => new ExceptionGroup([real, error]),
  ];
  for (const hold of holders) {
    let called = 0;
    const scope = cancelledWhenBlocked(group);
    const fn = async (): Promise<void> => {
      called += 1;
      await sleepForever().catch((error: unknown) => {
        throw hold(error);
      });
    };
    await scope.run(() => retry(fn, { attempts: 9 })).catch(() => {});
    assert.deepEqual([called, scope.cancelledCaught], [1, true]);
  }
  let called = 0;
  const outcome = cancelledWhenBlocked(group).run(() =>
    retry(() => (called++, gather([bad])), { attempts: 9 }),
  );
  await assert.rejects(outcome, (error) => error === real);
  assert.equal(called, 1);
});

test("retry: cancelled while it waits, it throws Cancelled (§4.7)", async (group) => {
  const { fn, attempts } = flaky(9);
  const scope = cancelledWhenBlocked(group);
  await scope.run(() => retry(fn, { attempts: 9, backoff: 60_000 }));
  assert.ok(scope.cancelledCaught);
  assert.deepEqual(attempts, [1]);
});

test("retry: between attempts without a delay it is a checkpoint (§2.1)", async () => {
  const fail = (): never => {
    throw new Error("again");
  };
  const scope = new CancelScope();
  ambientScope().kernel.clock.setTimer(1, () => scope.cancel());
  await scope.run(() => retry(fail, { attempts: Infinity }));
  assert.ok(scope.cancelledCaught);
});

test("retry: an endless one keeps the latest errors only (§4.7)", async () => {
  const { fn, errors } = flaky(500);
  const thrown = await retry(fn, { attempts: 300 }).catch((error: unknown) => error);
  assert.deepEqual((thrown as { suppressed?: unknown }).suppressed, errors.slice(199, 299));
});

test("retry: if `when` or the backoff throws, the errors so far are attached to that (§4.7)", async () => {
  const { fn, errors } = flaky(9);
  const broken = new Error("broken");
  const fail = (): never => {
    throw broken;
  };
  const outcome = retry(fn, { attempts: 9, backoff: fail });
  await assert.rejects(outcome, (error) => error === broken);
  assert.deepEqual((broken as { suppressed?: unknown }).suppressed, errors);
  const other = new Error("other");
  const asking = retry(fn, {
    attempts: 9,
    when: () => {
      throw other;
    },
  });
  await assert.rejects(asking, (error) => error === other);
  assert.deepEqual((other as { suppressed?: unknown }).suppressed, errors.slice(1));
  await assert.rejects(
    retry(fn, { attempts: 9, backoff: () => NaN }),
    /retry\(\{ backoff \}\): got NaN/,
  );
});

test("retry: is a checkpoint; wrong arguments reject before the first attempt (§2.1)", async () => {
  let called = 0;
  const fn = (): number => called++;
  await new CancelScope().run(async (scope) => {
    scope.cancel();
    await assert.rejects(retry(fn, { attempts: 1 }), { name: "Cancelled" });
  });
  for (const attempts of [0, 1.5, NaN]) await assert.rejects(retry(fn, { attempts }), RangeError);
  await assert.rejects(retry(fn, {} as never), TypeError);
  await assert.rejects(retry(fn, undefined as never), /needs an object such as/);
  await assert.rejects(retry(Promise.resolve() as never, { attempts: 1 }), /retry: got a promise/);
  await assert.rejects(retry(fn, { attempts: 1, backoff: "1" as never }), TypeError);
  await assert.rejects(retry(fn, { attempts: 1, backoff: NaN }), RangeError);
  await assert.rejects(retry(fn, { attempts: 1, when: "x" as never }), TypeError);
  assert.equal(called, 0);
});

test(
  "retry: cancelled at every step, it leaves no timer",
  async () => {
    const { rounds } = await cancelEverywhere(async () => {
      const { fn } = flaky(2);
      assert.equal(await retry(fn, { attempts: 3, backoff: 5 }), 3);
      await sleep(1);
    });
    assert.ok(rounds.entry > 5 && rounds.waiting > 2 && rounds.woken > 2);
  },
  { skip: { backend: "host", reason: "a sweep is the same everywhere" } },
);

test("exponentialBackoff: delays grow by the factor up to the maximum", () => {
  const delays = (options: Parameters<typeof exponentialBackoff>[0]): number[] =>
    [1, 2, 3, 4].map(exponentialBackoff(options));
  assert.deepEqual(delays(undefined), [100, 200, 400, 800]);
  assert.deepEqual(delays({ initialMs: 10, factor: 3, maxMs: 50 }), [10, 30, 50, 50]);
  assert.deepEqual(delays({ initialMs: 7, factor: 1 }), [7, 7, 7, 7]);
  assert.equal(exponentialBackoff()(5000), 30_000);
  assert.equal(exponentialBackoff({ initialMs: 0 })(5000), 0);
});

test("exponentialBackoff: jitter takes away up to its share, by the given chance", () => {
  const draws = [0, 0.5, 0.75, 0];
  const random = (): number => draws.shift() as number;
  const backoff = exponentialBackoff({ initialMs: 100, jitter: 0.5, random });
  assert.deepEqual([1, 2, 3, 4].map(backoff), [100, 150, 250, 800]);
  const full = exponentialBackoff({ initialMs: 100, jitter: 1, random: () => 0.25 });
  assert.equal(full(1), 75);
});

nodeTest(
  "exponentialBackoff: jitter comes from the backend, in the simulator from its seed",
  async () => {
    const draw = (seed: number): Promise<number> =>
      run(() => exponentialBackoff({ initialMs: 1000, jitter: 1 })(1), {
        backend: simulator({ seed }),
      });
    assert.equal(await draw(1), await draw(1));
    assert.notEqual(await draw(1), await draw(2));
  },
);

test("exponentialBackoff: options out of range throw", () => {
  assert.throws(
    () => exponentialBackoff({ initialMs: -1 }),
    /exponentialBackoff\(\{ initialMs \}\): got -1, needs a number from 0/,
  );
  assert.throws(() => exponentialBackoff({ factor: 0.5 }), RangeError);
  assert.throws(() => exponentialBackoff({ maxMs: NaN }), RangeError);
  assert.throws(() => exponentialBackoff({ jitter: 2, random: () => 0 }), RangeError);
  assert.throws(() => exponentialBackoff({ jitter: 0.5, random: 0.5 as never }), TypeError);
  assert.throws(() => exponentialBackoff({ initialMs: "1" as never }), TypeError);
});
