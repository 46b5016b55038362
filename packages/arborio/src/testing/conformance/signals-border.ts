import { Cancelled } from "../../core/cancelled.ts";
import { checkpoint } from "../../core/checkpoint.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { CancelScope } from "../../core/scope.ts";
import { taskGroup } from "../../core/task-group.ts";
import { currentSignal } from "../../sync/current.ts";
import { moveOnAfter, sleepForever } from "../../sync/timeouts.ts";
import { deepEqual, equal, instance, ok } from "./assert.ts";
import { cancelledBy, inCancelledScope, Parking } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** Stands for `fetch` and its like: a promise that a signal rejects with its reason. */
function abortable(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

/** `scope.signal`: cancellation for what knows only `AbortSignal`. */
export const signalsAtTheBorder: ConformanceSuite = {
  name: "signals at the border",
  define(test) {
    test("scope.signal: aborts when the scope is cancelled, its reason is the Cancelled (§3.6)", async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        const { signal } = scope;
        equal(scope.signal, signal, "one object");
        equal(signal.aborted, false);
        scope.cancel("stop");
        equal(signal.aborted, true);
        const cancelled = await cancelledBy(checkpoint);
        equal(signal.reason, cancelled);
        throw cancelled;
      });
      ok(scope.cancelledCaught);
    });

    test("scope.signal: aborts for an ancestor, a deadline, and at entry of a cancelled scope (§3.6)", async () => {
      const outer = new CancelScope();
      await outer.run(async () => {
        await new CancelScope().run((inner) => {
          const { signal } = inner;
          outer.cancel("outer");
          equal(signal.reason, outer.own);
        });
      });
      await moveOnAfter(1, async (scope) => {
        await abortable(scope.signal);
      });
      await inCancelledScope(async () => {
        const scope = new CancelScope();
        const { signal } = scope;
        equal(signal.aborted, false);
        await scope.run(() => equal(signal.aborted, true));
      });
      await inCancelledScope((scope) => ok(scope.signal.aborted, "first used after the fact"));
    });

    test("scope.signal: cancelled before run, it is aborted at once (§3.6)", async () => {
      const scope = new CancelScope();
      const { signal } = scope;
      scope.cancel("before");
      ok(signal.aborted);
      await scope.run(() => ok(scope.signal.aborted));
    });

    test("scope.signal: a shield keeps an ancestor's cancellation from it, clearing the shield aborts it (§3.6)", async () => {
      const outer = new CancelScope();
      const shielded = new CancelScope({ shield: true });
      await outer.run(() =>
        shielded.run(async () => {
          const { signal } = shielded;
          outer.cancel();
          equal(signal.aborted, false);
          shielded.shield = false;
          ok(signal.aborted);
          await checkpoint();
        }),
      );
      ok(outer.cancelledCaught);
    });

    test("scope.signal: what a foreign function rejects with is owned by the scope (§3.6)", async () => {
      const scope = new CancelScope();
      await taskGroup(async (group) => {
        group.startSoon(() => scope.run(() => abortable(scope.signal)));
        await waitAllTasksBlocked();
        scope.cancel();
      });
      ok(scope.cancelledCaught);
    });

    test("scope.signal: a fetch-like call inside a shield and a cancelled scope is not stray (§3.6)", async () => {
      const outer = new CancelScope();
      await outer.run(async () => {
        const shielded = new CancelScope({ shield: true });
        outer.cancel();
        await shielded.run(() => abortable(outer.signal));
      });
      ok(outer.cancelledCaught);
    });

    test("scope.signal: released on close, a later cancel does not abort it (§3.6)", async () => {
      const scope = new CancelScope();
      const signal = await scope.run(() => scope.signal);
      scope.cancel();
      equal(signal?.aborted, false);
      equal(scope.extras?.controller, undefined);
    });

    test("scope.signal: listeners may cancel, wake and open scopes at will (§3.5)", async () => {
      const parking = new Parking();
      const [outer, other] = [new CancelScope(), new CancelScope()] as const;
      const log: string[] = [];
      await taskGroup(async (group) => {
        group.startSoon(() => other.run(() => sleepForever()));
        group.startSoon(() => parking.wait());
        group.startSoon(() =>
          outer.run((scope) => {
            scope.signal.addEventListener("abort", () => {
              log.push("aborted");
              outer.cancel("again");
              other.cancel("from a listener");
              parking.wake();
              group.startSoon(() => void log.push("started"));
              void new CancelScope().run(() => log.push("opened"));
            });
            return new CancelScope().run((inner) => abortable(inner.signal));
          }),
        );
        await waitAllTasksBlocked();
        outer.cancel("first");
      });
      deepEqual(log, ["aborted", "opened", "started"]);
      ok(outer.cancelledCaught);
      ok(other.cancelledCaught);
    });

    test("currentSignal: the signal of the current scope, found from anywhere inside (§1.9)", async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        const find = async (): Promise<AbortSignal> => {
          await checkpoint();
          return currentSignal();
        };
        equal(await find(), scope.signal);
        scope.cancel("found");
        instance(currentSignal().reason, Cancelled);
      });
    });
  },
};
