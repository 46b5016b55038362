import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import process from "node:process";
import { describe, test } from "node:test";
import {
  Cancelled,
  CancelScope,
  checkpoint,
  currentScope,
  currentTask,
  ExceptionGroup,
  InvalidStateError,
  moveOnAfter,
  now,
  run,
  runningTasks,
  type RunOptions,
  sleep,
  sleepForever,
  TaskCancelled,
  taskGroup,
  waitAllTasksBlocked,
} from "../index.ts";
import { backend as nodeBackend } from "../backends/node/index.ts";
import { instrument, runSyncSoon, startSystemTask, suspend } from "../lowlevel.ts";
import { simulator } from "../sim.ts";
import { hostBackend } from "./host.ts";

// What `run` does with its process is in process.test.ts; what holds inside it is in the conformance suites.

const backends: Readonly<Record<string, () => RunOptions>> = {
  [hostBackend.name]: () => ({ signals: [] }),
  // Usable on Bun and Deno too, through their node: modules.
  nodeBackend: () => ({ signals: [], backend: nodeBackend }),
  simulator: () => ({ signals: [], backend: simulator({ seed: 3 }) }),
};

/** What a promise rejects with; not `assert.rejects`, which on Deno compares prototypes. */
async function errorOf(promise: PromiseLike<unknown>): Promise<unknown> {
  const outcome = await Promise.allSettled([promise]);
  assert.equal(outcome[0].status, "rejected");
  return (outcome[0] as PromiseRejectedResult).reason;
}

for (const [name, options] of Object.entries(backends)) {
  describe(`run on ${name}`, () => {
    test("run: returns main's value when main and all tasks have ended (§9)", async () => {
      let ended = false;
      const value = await run(async (group) => {
        group.startSoon(async () => {
          await sleep(2);
          ended = true;
        });
        return "value";
      }, options());
      assert.equal(value, "value");
      assert.ok(ended);
      assert.equal(await run(() => 1, options()), 1);
    });

    test("run: throws main's error bare, at once or later, when all tasks have ended (§9)", async () => {
      const error = new RangeError("main");
      let cleanedUp = false;
      const failed = run(async (group) => {
        group.startSoon(async () => {
          try {
            await sleepForever();
          } finally {
            cleanedUp = true;
          }
        });
        await checkpoint();
        throw error;
      }, options());
      assert.equal(await errorOf(failed), error);
      assert.ok(cleanedUp);
      const throwing = (): never => {
        throw error;
      };
      assert.equal(await errorOf(run(throwing, options())), error);
    });

    test("run: tasks of the root group that fail come out as an ExceptionGroup, main's error first (§9)", async () => {
      const child = new Error("child");
      const alone = run((group) => void group.startSoon(() => Promise.reject(child)), options());
      const error = await errorOf(alone);
      assert.ok(error instanceof ExceptionGroup);
      assert.deepEqual(error.errors, [child]);
      const main = new Error("main");
      const both = run(async (group) => {
        group.startSoon(() => Promise.reject(child));
        try {
          await sleepForever();
        } catch {
          throw main;
        }
      }, options());
      assert.deepEqual(((await errorOf(both)) as ExceptionGroup).errors, [main, child]);
    });

    test("run: TaskCancelled if main cancelled its own group and was cut short (§9)", async () => {
      const cut = run(async (group) => {
        group.cancel();
        await checkpoint();
      }, options());
      assert.ok((await errorOf(cut)) instanceof TaskCancelled);
    });

    test("run: inside a run it rejects, and the run goes on (§9)", async () => {
      const value = await run(async () => {
        const error = await errorOf(run(() => 1, options()));
        assert.ok(error instanceof InvalidStateError);
        await checkpoint();
        return "went on";
      }, options());
      assert.equal(value, "went on");
    });

    test("run: runs side by side are independent (§9)", async () => {
      const log: string[] = [];
      const cut = run(async (group) => {
        await sleep(1);
        group.cancel();
        await checkpoint();
      }, options());
      const whole = run(async () => {
        await sleep(3);
        log.push("whole");
      }, options());
      assert.ok((await errorOf(cut)) instanceof TaskCancelled);
      await whole;
      assert.deepEqual(log, ["whole"]);
    });

    test("run: the root task has the name given, or that of main (§9)", async () => {
      const main = (): string => currentTask().name;
      assert.equal(await run(main, options()), "main");
      assert.equal(await run(main, { ...options(), name: "server" }), "server");
      assert.equal(await run(async () => runningTasks().length, options()), 1);
    });

    test("startSystemTask: runs beside main, is cancelled when main ends, and waited for (§1.7)", async () => {
      const log: string[] = [];
      await run(async (group) => {
        startSystemTask(async () => {
          try {
            await sleepForever();
          } finally {
            await new CancelScope({ shield: true }).run(() => sleep(1));
            log.push("system task cleaned up");
          }
        });
        group.startSoon(async () => {
          await sleep(1);
          log.push("child");
        });
        await waitAllTasksBlocked();
      }, options());
      assert.deepEqual(log, ["child", "system task cleaned up"]);
      assert.ok(
        (await errorOf((async () => startSystemTask(() => {}))())) instanceof InvalidStateError,
      );
    });

    test("startSystemTask: outlives the scope and the group it was started in (§1.7)", async () => {
      const log: string[] = [];
      await run(async () => {
        const scope = new CancelScope();
        await scope.run(() =>
          taskGroup(async (group) => {
            startSystemTask(async () => {
              await sleep(1);
              log.push("system task");
            });
            group.cancel();
            scope.cancel();
            await checkpoint();
          }),
        );
        await sleep(3);
      }, options());
      assert.deepEqual(log, ["system task"]);
    });

    test("startSystemTask: its failure cancels the run, which fails with it (§1.7)", async () => {
      const error = await errorOf(
        run(async () => {
          startSystemTask(() => Promise.reject(new RangeError("system")));
          await sleepForever();
        }, options()),
      );
      assert.ok(error instanceof ExceptionGroup);
      assert.ok(error.leaves()[0] instanceof RangeError);
    });

    test("onUnhandled: gets what nobody awaits: of runSyncSoon, instruments and abort functions (§9)", async () => {
      const unhandled: string[] = [];
      let calls = 0;
      await run(
        async () => {
          runSyncSoon(() => {
            throw new Error("runSyncSoon");
          });
          await waitAllTasksBlocked();
          const attached = instrument({
            taskSpawned() {
              calls += 1;
              throw new Error("instrument");
            },
          });
          await taskGroup((group) => {
            group.startSoon(() => {});
            group.startSoon(() => {});
          });
          attached[Symbol.dispose]();
          const scope = new CancelScope();
          let aborted = false;
          await scope.run(async () => {
            const waits = [
              suspend({ kind: "test" }, () => () => {
                throw new Error("abort");
              }),
              suspend({ kind: "test" }, () => () => void (aborted = true)),
            ];
            scope.cancel();
            await Promise.allSettled(waits);
          });
          assert.ok(aborted, "the others are aborted all the same");
        },
        { ...options(), onUnhandled: (error) => unhandled.push((error as Error).message) },
      );
      assert.deepEqual(unhandled, ["runSyncSoon", "instrument", "abort"]);
      assert.equal(calls, 1, "an instrument that throws is taken out");
    });

    test("run: leaves no listener and no patched function behind (§9)", async () => {
      const state = (): unknown => [
        Reflect.get(process, "emit"),
        process.listenerCount("SIGINT"),
        process.listenerCount("SIGTERM"),
        process.listenerCount("unhandledRejection"),
        process.listenerCount("uncaughtException"),
      ];
      const before = state();
      await run(
        async () => {
          await moveOnAfter(1, () => sleepForever());
        },
        { ...options(), signals: ["SIGINT", "SIGTERM"] },
      );
      await errorOf(run(() => Promise.reject(new Error("expected")), options()));
      assert.deepEqual(state(), before);
    });

    test("run: a child keeps its caller's async context, other stores' too (§4.2)", async () => {
      const store = new AsyncLocalStorage<string>();
      const seen: (string | undefined)[] = [];
      await store.run("outside", () =>
        run(async (group) => {
          const child = store.run("caller", () =>
            group.startSoon(async () => {
              seen.push(store.getStore());
              await checkpoint();
              seen.push(store.getStore());
            }),
          );
          await child.wait();
          seen.push(store.getStore());
        }, options()),
      );
      assert.deepEqual(seen, ["caller", "caller", "outside"]);
    });
  });
}

test("run: wrong arguments reject, with what was given and what is needed (§2.1)", async () => {
  const wrong: readonly [() => Promise<unknown>, RegExp][] = [
    [() => run(5 as never), /run: got 5, needs a function/],
    [() => run(Promise.resolve() as never), /got a promise/],
    [() => run(() => {}, { graceMs: Number.NaN }), /graceMs.*NaN/],
    [() => run(() => {}, { backend: {} as never }), /needs a backend/],
    [() => run(() => {}, { backend: "node" as never }), /needs a backend/],
    [() => run(() => {}, { signals: "SIGINT" as never }), /signals.*got "SIGINT", needs an array/],
  ];
  for (const [call, pattern] of wrong)
    assert.match(((await errorOf(call())) as Error).message, pattern);
});

test("run: takes a backend object; the same one gives runs that share its clock (§9)", async () => {
  const backend = { ...hostBackend, name: "copied" };
  const first = await run(() => now(), { backend, signals: [] });
  const second = await run(() => now(), { backend, signals: [] });
  assert.ok(second >= first);
});

test("outside run: the root scope, which currentScope() is there, refuses to be cancelled (§1.5)", async () => {
  const root = currentScope();
  assert.throws(() => root.cancel(), /root scope.*never cancelled.*needs a scope of your own/);
  assert.throws(() => root.shutdown({ graceMs: 1 }), InvalidStateError);
  assert.throws(() => (root.deadline = 0), InvalidStateError);
  await checkpoint();
});

test("outside run: checkpoints, sleeps, scopes and groups work, in a root scope that is never cancelled (§1.5)", async () => {
  await checkpoint();
  await sleep(1);
  assert.equal(await moveOnAfter(1, () => sleepForever()), undefined);
  const scope = new CancelScope();
  await scope.run(async () => {
    assert.ok(scope.parent?.parent === null, "directly in the root scope");
    scope.cancel();
    assert.ok((await errorOf(checkpoint())) instanceof Cancelled);
  });
  assert.equal(scope.parent?.cancelCalled, false);
  const value = await taskGroup(async (group) => {
    group.startSoon(() => sleep(1));
    return "value";
  });
  assert.equal(value, "value");
});

/** Runs `main` in dev mode; what was told to the developer. */
async function warningsOf(main: () => unknown): Promise<string[]> {
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const backend = { ...hostBackend, process: { ...hostBackend.process, warn } as never };
  await run(main, { backend, dev: true, signals: [] });
  return warnings;
}

test("dev: what floats is reported once per call site, with the site (§1.6)", async () => {
  const warnings = await warningsOf(async () => {
    for (let round = 0; round < 3; round++)
      await new CancelScope().run(() => {
        void sleep(1e6);
        void moveOnAfter(1e6, () => sleepForever());
      });
  });
  assert.equal(warnings.length, 2, warnings.join("\n"));
  for (const warning of warnings) assert.match(warning, /run\.test\.[jt]s:\d+/);
});

test("dev: nothing is reported of a program that awaits everything (§1.6)", async () => {
  const warnings = await warningsOf(() =>
    taskGroup(async (group) => {
      group.startSoon(() => moveOnAfter(1, () => sleepForever()));
      await sleep(2);
    }),
  );
  assert.deepEqual(warnings, []);
});

test("dev: ScopeClosedError says where the scope was opened (§1.5)", async () => {
  const gate = Promise.withResolvers<void>();
  let late: Promise<unknown> | undefined;
  await warningsOf(async () => {
    await new CancelScope().run(() => {
      late = gate.promise.then(() => errorOf(checkpoint()));
    });
    gate.resolve();
    await late;
  });
  assert.match(((await late) as Error).message, /opened.*run\.test\.[jt]s:\d+/);
});
