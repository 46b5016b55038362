import assert from "node:assert/strict";
import nodeTest from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { TaskCancelled } from "../core/errors.ts";
import { ExceptionGroup } from "../core/exception-group.ts";
import { CancelScope } from "../core/scope.ts";
import { type TaskGroup, taskGroup } from "../core/task-group.ts";
import { sleep, sleepForever } from "../sync/timeouts.ts";
import { cancelEverywhere, onEveryBackend, waitAllTasksBlocked } from "../testing.ts";
import { any, race } from "./race.ts";

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

/** Never ends by itself; when cancelled, ends with what `end` does. */
const untilCancelled =
  <T>(end: () => T) =>
  async () => {
    await sleepForever().catch(() => {});
    return end();
  };

const throwing = (error: unknown) => () => {
  throw error;
};

for (const [name, combine] of [
  ["race", race],
  ["any", any],
] as const) {
  test(`${name}: the first value wins, the others are cancelled and waited for (§4.7)`, async () => {
    let cleaned = false;
    const slow = async (): Promise<number> => {
      try {
        return await sleepForever();
      } finally {
        await new CancelScope({ shield: true }).run(() => sleep(2));
        cleaned = true;
      }
    };
    const value = await combine([slow, after(1, "won")]);
    const typed: Same<typeof value, number | string> = true;
    assert.deepEqual([value, cleaned, typed], ["won", true, true]);
  });

  test(`${name}: of values that are ready together the one that was ready first wins (§4.7)`, async () => {
    // All functions run to their first checkpoint, and in a random order in the simulator.
    const order: string[] = [];
    const fns = ["a", "b"].map((name) => () => {
      order.push(name);
      return name;
    });
    assert.equal(await combine(fns), order[0]);
  });

  test(`${name}: one function is enough, also one that gives undefined (§4.7)`, async () => {
    assert.equal(await combine(new Set([() => undefined])), undefined);
  });

  test(`${name}: a loser's late value is disposed before the winner is returned (§4.7)`, async () => {
    const log: string[] = [];
    const resource = (name: string) => ({
      [Symbol.asyncDispose]: async () => {
        await sleep(1);
        log.push(name);
      },
    });
    const winner = resource("winner");
    const late = untilCancelled(() => resource("late"));
    assert.equal(await combine([late, late, after(1, winner)]), winner);
    assert.deepEqual(log, ["late", "late"]);
  });

  test(`${name}: a late value that is the winner's own is left alone (§4.7)`, async () => {
    let closed = 0;
    const shared = { [Symbol.dispose]: () => void closed++ };
    assert.equal(await combine([untilCancelled(() => shared), after(1, shared)]), shared);
    assert.equal(closed, 0);
  });

  test(`${name}: what a late value's disposer throws is thrown, and the winner is disposed (§4.7)`, async () => {
    let closed = 0;
    const winner = { [Symbol.dispose]: () => void closed++ };
    const broken = { [Symbol.dispose]: throwing(new Error("dispose")) };
    await assert.rejects(combine([untilCancelled(() => broken), after(1, winner)]), /dispose/);
    assert.equal(closed, 1);
  });

  test(`${name}: cancelled while it waits for losers, it disposes the winner's value (§4.7)`, async (group) => {
    let closed = 0;
    const winner = { [Symbol.dispose]: () => void closed++ };
    const scope = cancelledWhenBlocked(group);
    const slow = async (): Promise<void> => {
      try {
        await sleepForever();
      } finally {
        await new CancelScope({ shield: true }).run(async () => {
          while (!scope.cancelCalled) await sleep(1);
        });
      }
    };
    const value = await scope.run(() => combine([slow, () => winner]));
    assert.deepEqual([value, closed, scope.cancelledCaught], [undefined, 1, true]);
  });

  test(`${name}: cancelled from outside it throws Cancelled when all have ended (§4.7)`, async (group) => {
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
    await scope.run(() => combine([work, work]));
    assert.deepEqual([ended, scope.cancelledCaught], [2, true]);
  });

  test(`${name}: without functions it could never end: RangeError (§4.7)`, async () => {
    await assert.rejects(combine([]), (error) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.message, new RegExp(`^${name}: got no functions, needs at least one`));
      return true;
    });
  });

  test(`${name}: is a checkpoint; wrong arguments reject before anything starts (§2.1, §2.2)`, async () => {
    let called = 0;
    await new CancelScope().run(async (scope) => {
      scope.cancel();
      await assert.rejects(combine([() => called++]), { name: "Cancelled" });
    });
    await assert.rejects(
      combine([() => called++, Promise.resolve() as never]),
      new RegExp(`${name}: item 1 is a promise`),
    );
    await assert.rejects(combine(null as never), TypeError);
    assert.equal(called, 0);
  });

  test(
    `${name}: cancelled at every step, it leaves nothing open and nothing running`,
    async () => {
      const { rounds } = await cancelEverywhere(async (round) => {
        let open = 0;
        let running = 0;
        round.after(() => assert.deepEqual([open, running], [0, 0]));
        const work = (ms: number) => async () => {
          running += 1;
          try {
            await (ms === 0 ? sleepForever().catch(() => {}) : sleep(ms));
            open += 1;
            return {
              async [Symbol.asyncDispose]() {
                await checkpoint();
                open -= 1;
              },
            };
          } finally {
            running -= 1;
          }
        };
        await combine([work(0), work(5), work(3)]);
        open -= 1;
      });
      assert.ok(rounds.entry > 3 && rounds.waiting > 1 && rounds.woken > 1);
    },
    { skip: { backend: "host", reason: "a sweep is the same everywhere" } },
  );
}

test("race: a failure that settles first is thrown bare, the others' attached (§4.7)", async () => {
  const first = new Error("first");
  const cleanup = new Error("cleanup");
  let closed = 0;
  const late = untilCancelled(() => ({ [Symbol.dispose]: () => void closed++ }));
  const thrown = await race([late, untilCancelled(throwing(cleanup)), failAfterMs(1, first)]).catch(
    (error: unknown) => error,
  );
  assert.equal(thrown, first);
  assert.deepEqual((thrown as { suppressed?: unknown }).suppressed, [cleanup]);
  assert.equal(closed, 1);
});

test("race: a loser's error is not swallowed, and the winner's value is disposed (§4.7)", async () => {
  const real = new Error("cleanup");
  let closed = 0;
  const winner = { [Symbol.dispose]: () => void closed++ };
  await assert.rejects(
    race([untilCancelled(throwing(real)), after(1, winner)]),
    (error) => error === real,
  );
  assert.equal(closed, 1);
});

test("race: an error that comes after the cancellation is thrown beside it (§4.4)", async (group) => {
  const real = new Error("cleanup");
  const scope = cancelledWhenBlocked(group);
  const outcome = scope.run(() => race([untilCancelled(throwing(real)), sleepForever]));
  await assert.rejects(outcome, (error) => error === real);
  assert.ok(scope.cancelledCaught);
});

test("race: a synchronous throw is a failure (§4.7)", async () => {
  const error = new Error("at once");
  await assert.rejects(race([throwing(error), sleepForever]), (thrown) => thrown === error);
});

test("race: a function that cancels its own task settles with TaskCancelled (§4.6)", async () => {
  const quit = async (): Promise<void> => {
    ambientScope().cancel("enough");
    await checkpoint();
  };
  await assert.rejects(race([quit, sleepForever]), TaskCancelled);
});

test("any: failures are passed over, before and after the success (§4.7)", async () => {
  const fns = [
    throwing(new Error("at once")),
    failAfterMs(1, new Error("later")),
    untilCancelled(throwing(new Error("in cleanup"))),
    () =>
      taskGroup((group) => {
        group.startSoon(untilCancelled(throwing(new Error("nested, beside a Cancelled"))));
      }),
    after(3, "won"),
  ];
  assert.equal(await any(fns), "won");
});

test("any: if all fail, it throws one group of all errors in the order of the functions (§4.7)", async () => {
  const errors = [new Error("0"), new Error("1"), new Error("2")];
  const outcome = any(errors.map((error, index) => failAfterMs(3 - index, error)));
  await assert.rejects(outcome, (thrown) => {
    assert.ok(thrown instanceof ExceptionGroup);
    assert.deepEqual(thrown.errors, errors);
    assert.equal(thrown.title, "any: all functions failed");
    return true;
  });
});

test("any: when cancelled, errors of those that had failed, or fail then, are dropped (§4.7)", async (group) => {
  const scope = cancelledWhenBlocked(group);
  const bad = throwing(new Error("bad"));
  await scope.run(() => any([bad, untilCancelled(bad), sleepForever]));
  assert.ok(scope.cancelledCaught);
});

test("any: if all fail in a cancelled scope, one Cancelled is the last leaf (§4.4)", async () => {
  const scope = new CancelScope();
  let inside: unknown;
  const outcome = scope.run(async () => {
    const fns = ["a", "b"].map((text) => untilCancelled(throwing(new Error(text))));
    scope.kernel.clock.setTimer(1, () => scope.cancel());
    await any(fns).catch((error: unknown) => {
      inside = error;
      throw error;
    });
  });
  const thrown = await outcome.catch((error: unknown) => error as ExceptionGroup);
  assert.deepEqual((inside as ExceptionGroup).errors.map(String), [
    "Error: a",
    "Error: b",
    "Cancelled: cancelled",
  ]);
  assert.equal((thrown as ExceptionGroup).errors.length, 2);
  assert.ok(scope.cancelledCaught);
});

test("any: a function that cancels its own task has failed (§4.6)", async () => {
  const quit = async (): Promise<string> => {
    ambientScope().cancel("enough");
    await checkpoint();
    return "never";
  };
  assert.equal(await any([quit, after(1, "won")]), "won");
  await assert.rejects(any([quit]), (error) => {
    return error instanceof ExceptionGroup && error.errors[0] instanceof TaskCancelled;
  });
});
