import { ambientScope } from "../../core/ambient.ts";
import { Cancelled } from "../../core/cancelled.ts";
import { checkpoint, checkpointIfCancelled } from "../../core/checkpoint.ts";
import { InvalidStateError } from "../../core/errors.ts";
import { ExceptionGroup } from "../../core/exception-group.ts";
import { CLOSED } from "../../core/flags.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { CancelScope } from "../../core/scope.ts";
import { type TaskGroup, taskGroup } from "../../core/task-group.ts";
import { shielded } from "../../sync/shield.ts";
import { soft } from "../../sync/soft.ts";
import { failAfter, moveOnAfter, sleep, sleepForever } from "../../sync/timeouts.ts";
import { deepEqual, equal, errorOf, ok, rejects, throws } from "./assert.ts";
import { foreign, microtasks, Parking } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** The tree of scopes and the ambient context. */
export const scopes: ConformanceSuite = {
  name: "scopes",
  define(test) {
    test("CancelScope.run: returns the value of its body (§1.2)", async () => {
      const scope = new CancelScope();
      equal(await scope.run(() => 42), 42);
      equal(await new CancelScope().run(async () => "later"), "later");
      equal(scope.cancelCalled, false);
      equal(scope.cancelledCaught, false);
    });

    test("CancelScope.run: passes on what its body throws, at once or later (§1.2)", async () => {
      const error = new Error("expected");
      const throwing = (): never => {
        throw error;
      };
      equal(await errorOf(new CancelScope().run(throwing)), error);
      equal(await errorOf(new CancelScope().run(async () => throwing())), error);
      const scope = new CancelScope();
      scope.cancel();
      equal(await errorOf(scope.run(throwing)), error);
      equal(scope.cancelledCaught, false);
    });

    test("CancelScope.run: a body may return any thenable; one that is broken rejects, and the scope is closed (§1.2)", async () => {
      // oxlint-disable-next-line unicorn/no-thenable -- this is what the test is about
      const thenable = { then: (resolve: (value: string) => void) => resolve("value") } as unknown;
      equal(await new CancelScope().run(() => thenable), "value");
      class Unusual extends Promise<string> {
        constructor() {
          super((resolve) => resolve("never seen"));
        }
      }
      for (const broken of [
        () => new Unusual(),
        () => Object.create(Promise.prototype) as object,
      ]) {
        const scope = new CancelScope();
        await rejects(scope.run(broken), TypeError);
        ok((scope.flags & CLOSED) !== 0);
        await rejects(taskGroup(broken), ExceptionGroup);
      }
    });

    test("CancelScope.run: a scope runs once, a second run rejects, also during the first (§1.2)", async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        await rejects(
          scope.run(() => 1),
          InvalidStateError,
        );
        await checkpoint();
      });
      await rejects(
        scope.run(() => 1),
        InvalidStateError,
      );
      const failed = new CancelScope();
      await errorOf(failed.run(() => Promise.reject(new Error("expected"))));
      await rejects(
        failed.run(() => 1),
        InvalidStateError,
      );
    });

    test("CancelScope.run: cancel() before run is honoured at the first checkpoint inside (§1.2)", async () => {
      const scope = new CancelScope();
      scope.cancel("early");
      ok(scope.cancelCalled);
      const seen: string[] = [];
      const value = await scope.run(async () => {
        seen.push("started");
        await Promise.resolve();
        seen.push("no checkpoint yet");
        await checkpoint();
        seen.push("never");
      });
      equal(value, undefined);
      deepEqual(seen, ["started", "no checkpoint yet"]);
      ok(scope.cancelledCaught);
    });

    test("CancelScope.run: a body without a checkpoint keeps its value in a cancelled scope (§1.2)", async () => {
      const scope = new CancelScope();
      scope.cancel();
      equal(await scope.run(async () => "done"), "done");
      equal(scope.cancelledCaught, false);
      ok(scope.cancelCalled);
    });

    test("CancelScope: scopes form a tree, cancelling one leaves its siblings and parents alone (§1.2)", async () => {
      const parking = new Parking();
      const scopes = [new CancelScope(), new CancelScope(), new CancelScope()] as const;
      const ends: string[] = [];
      await taskGroup(async (group) => {
        group.startSoon(async () => {
          await scopes[0].run(async () => {
            await Promise.all([
              scopes[1].run(() => parking.wait()).then(() => ends.push("first")),
              scopes[2].run(() => parking.wait()).then(() => ends.push("second")),
            ]);
          });
        });
        await waitAllTasksBlocked();
        scopes[1].cancel();
        await waitAllTasksBlocked();
        deepEqual(ends, ["first"]);
        parking.wakeAll();
      });
      deepEqual(
        scopes.map((scope) => scope.cancelledCaught),
        [false, true, false],
      );
    });

    test("CancelScope: cancelling a scope reaches every scope below it (§1.3)", async () => {
      const outer = new CancelScope();
      const inner = [new CancelScope(), new CancelScope()] as const;
      await outer.run(async () => {
        await Promise.all(
          inner.map((scope) =>
            scope.run(async () => {
              if (scope === inner[1]) outer.cancel();
              await checkpoint();
            }),
          ),
        );
      });
      ok(outer.cancelledCaught);
      for (const scope of inner) {
        equal(scope.cancelledCaught, false);
        equal(scope.cancelCalled, false, "a scope is not called cancelled by its parent");
      }
    });

    test("CancelScope: a shielded scope is not effectively cancelled by its parent, only by itself (§1.3)", async () => {
      const outer = new CancelScope();
      const shielded = new CancelScope({ shield: true });
      const seen: string[] = [];
      await outer.run(async () => {
        outer.cancel();
        await shielded.run(async () => {
          await checkpoint();
          await new CancelScope().run(() => checkpoint());
          seen.push("shielded");
          shielded.cancel();
          await checkpoint();
          seen.push("never");
        });
        seen.push("after");
        await checkpoint();
        seen.push("never");
      });
      deepEqual(seen, ["shielded", "after"]);
      ok(shielded.cancelledCaught);
      ok(outer.cancelledCaught);
    });

    test("CancelScope: a scope opened in a cancelled scope is effectively cancelled from the start (§1.3)", async () => {
      const outer = new CancelScope();
      const inner = new CancelScope();
      await outer.run(async () => {
        outer.cancel();
        await inner.run(() => sleepForever());
      });
      ok(outer.cancelledCaught);
      equal(inner.cancelledCaught, false);
    });

    test("CancelScope and TaskGroup: no disposers, a scope is never opened with using (§1.4)", async (group) => {
      for (const object of [new CancelScope(), group] as object[]) {
        equal(Symbol.dispose in object, false);
        equal(Symbol.asyncDispose in object, false);
      }
    });
  },
};

/** Which scope is current in which flow. */
export const ambientContext: ConformanceSuite = {
  name: "ambient context",
  define(test) {
    test("current scope: follows a flow through await, callbacks and foreign promises (§1.1)", async () => {
      const gate = foreign();
      const scope = new CancelScope();
      const running = scope.run(async () => {
        equal(ambientScope(), scope);
        await Promise.resolve();
        equal(ambientScope(), scope);
        await gate.promise;
        equal(ambientScope(), scope);
        await Promise.resolve().then(() => equal(ambientScope(), scope));
        await checkpoint();
        equal(ambientScope(), scope);
      });
      await new CancelScope().run(async () => gate.resolve());
      await running;
    });

    test("current scope: entering does not leak into the caller (§1.1)", async () => {
      const before = ambientScope();
      const scope = new CancelScope();
      const running = scope.run(() => checkpoint());
      equal(ambientScope(), before);
      await running;
      equal(ambientScope(), before);
      const grouping = taskGroup((group) => {
        group.startSoon(() => checkpoint());
      });
      equal(ambientScope(), before);
      await grouping;
      equal(ambientScope(), before);
    });

    test("current scope: flows under Promise.all have each their own (§1.1)", async () => {
      const outer = ambientScope();
      const flow = async (rounds: number): Promise<void> => {
        const scope = new CancelScope();
        await scope.run(async () => {
          for (let round = 0; round < rounds; round++) {
            await checkpoint();
            equal(ambientScope(), scope);
            equal(ambientScope().parent, outer);
          }
        });
        equal(ambientScope(), outer);
      };
      await Promise.all([flow(1), flow(3), flow(2)]);
    });

    test("current scope: an async generator waits in the scope of whoever asks for its next item (§1.1)", async () => {
      const generate = async function* (): AsyncGenerator<number> {
        yield 1;
        await sleepForever();
        yield 2;
      };
      const generator = generate();
      equal((await generator.next()).value, 1);
      const scope = new CancelScope();
      await scope.run(async () => {
        const next = generator.next();
        scope.cancel();
        await next;
      });
      ok(scope.cancelledCaught);
    });

    test("current scope: each task has its own, below the scope of its group (§1.1)", async () => {
      let parent: unknown;
      const tasks: unknown[] = [];
      await taskGroup((group) => {
        parent = group.scope;
        for (let index = 0; index < 2; index++)
          group.startSoon(async () => {
            await checkpoint();
            tasks.push(ambientScope());
            equal(ambientScope().parent, group.scope);
            equal(ambientScope().task as unknown, ambientScope());
          });
      });
      ok(parent !== undefined);
      ok(tasks[0] !== tasks[1]);
    });

    test("scope openers: every callback receives its scope or group (§1.9)", async () => {
      const scope = new CancelScope();
      const check = (given: CancelScope): void => equal(given, ambientScope());
      await scope.run((given) => equal(given, scope));
      await moveOnAfter(1000, check);
      await failAfter(1000, check);
      await taskGroup((group: TaskGroup) => equal(group.scope, ambientScope()));
    });

    test("scope openers: not checkpoints, they run their body at once and pass on its value when cancelled (§2.1)", async () => {
      const scope = new CancelScope();
      scope.cancel();
      const value = await scope.run(async () => {
        let turn = 0;
        const atOnce = (): number => turn;
        const values = [
          new CancelScope().run(atOnce),
          taskGroup(atOnce),
          moveOnAfter(1000, atOnce),
          failAfter(1000, atOnce),
        ];
        turn = 1;
        return await Promise.all(values);
      });
      deepEqual(value, [0, 0, 0, 0]);
      equal(scope.cancelledCaught, false);
    });

    test("wrong arguments: reported by rejecting, never by a synchronous throw (§2.1)", async (group) => {
      const wrong = 5 as never;
      const calls = [
        () => new CancelScope().run(wrong),
        () => taskGroup(wrong),
        () => moveOnAfter(1, wrong),
        () => failAfter(1, wrong),
        () => group.start(wrong),
      ];
      for (const call of calls) {
        const promise = call();
        ok(promise instanceof Promise);
        await rejects(promise, TypeError);
      }
      await rejects(
        moveOnAfter(Number.NaN, () => {}),
        RangeError,
      );
      await rejects(
        failAfter(Number.NaN, () => {}),
        RangeError,
      );
      await rejects(sleep(Number.NaN), RangeError);
      await rejects(new CancelScope().run(Promise.resolve() as never), /got a promise/);
      throws(() => group.startSoon(Promise.resolve() as never), /got a promise/);
      await rejects(shielded(wrong), /shielded: got 5, needs a function/);
      await rejects(soft(wrong), /soft: got 5, needs a function/);
      throws(() => new CancelScope({ shield: 1 as never }), /shield: got 1, needs true or false/);
      throws(() => (new CancelScope().shield = "no" as never), TypeError);
    });

    test("checkpointIfCancelled: the one synchronous function that throws Cancelled (§2.1)", async () => {
      checkpointIfCancelled();
      const scope = new CancelScope();
      await scope.run(() => {
        scope.cancel();
        throws(() => checkpointIfCancelled(), Cancelled);
      });
      await microtasks();
    });
  },
};
