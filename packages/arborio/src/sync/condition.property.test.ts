/** Random waits and notifications on a condition, with random cancellation, against a model that is one list of waits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import { Condition } from "./condition.ts";
import { moveOnAfter, sleep } from "./timeouts.ts";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# condition.property: seed ${printedSeed}`);

type Outcome = "pending" | "notified" | "cancelled";

class Wait {
  readonly scope: CancelScope = new CancelScope();
  outcome: Outcome = "pending";
  expected: Outcome = "pending";
  done: Promise<void> = Promise.resolve();

  /** One flow: takes the lock, waits, and holds the lock again whatever came. */
  start(condition: Condition, inside: { count: number }): void {
    this.done = (async () => {
      using _lease = await condition.acquire();
      await this.scope.run(() => condition.wait());
      inside.count += 1;
      assert.equal(inside.count, 1);
      this.outcome = this.scope.cancelledCaught ? "cancelled" : "notified";
      await Promise.resolve();
      inside.count -= 1;
    })();
  }
}

const commands = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant({ do: "wait" as const, on: 0 }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("notify" as const), on: fc.nat({ max: 3 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant("cancel" as const), on: fc.nat({ max: 30 }) }),
    },
    // In one turn with the lock held: notify, then cancel, or the other way round.
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("notifyThenCancel" as const),
        on: fc.nat({ max: 30 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("cancelThenNotify" as const),
        on: fc.nat({ max: 30 }),
      }),
    },
  ),
  { maxLength: 40 },
);

test("Condition.wait: each wait is notified or cancelled, whichever came first, and no notification is lost (§2.4, §6)", async () => {
  await fc.assert(
    fc.asyncProperty(commands, fc.nat(), (list, seed) =>
      run(
        async () => {
          const condition = new Condition();
          const inside = { count: 0 };
          const waits: Wait[] = [];
          const pending = (): Wait[] => waits.filter((wait) => wait.expected === "pending");
          const cancel = (on: number): void => {
            const wait = waits[on % Math.max(waits.length, 1)];
            if (wait === undefined) return;
            if (wait.expected === "pending") wait.expected = "cancelled";
            wait.scope.cancel();
          };
          const notify = (count: number): void => {
            for (const wait of pending().slice(0, count)) wait.expected = "notified";
            condition.notify(count);
          };
          for (const command of list) {
            if (command.do === "wait") {
              const wait = new Wait();
              wait.start(condition, inside);
              waits.push(wait);
              await waitAllTasksBlocked();
            } else {
              using _lease = await condition.acquire();
              if (command.do === "notify") notify(command.on);
              if (command.do === "cancel") cancel(command.on);
              if (command.do === "notifyThenCancel") notify(1);
              if (/ThenCancel|cancelThen/.test(command.do)) cancel(command.on);
              if (command.do === "cancelThenNotify") notify(1);
            }
            assert.equal(condition.statistics().tasksWaiting, pending().length);
          }
          for (let at = 0; at < waits.length; at++) cancel(at);
          await Promise.all(waits.map((wait) => wait.done));
          assert.deepEqual(
            waits.map((wait) => wait.outcome),
            waits.map((wait) => wait.expected),
          );
          assert.equal(condition.lock.locked, false);
        },
        { backend: simulator({ seed }) },
      ),
    ),
    { numRuns: 500, seed: printedSeed },
  );
});

test("Condition: a bounded pile built on it loses and doubles nothing, under random timeouts and orders (§6)", async () => {
  const actions = fc.array(
    fc.record({
      puts: fc.boolean(),
      afterMs: fc.nat({ max: 20 }),
      patienceMs: fc.nat({ max: 20 }),
    }),
    { maxLength: 15 },
  );
  await fc.assert(
    fc.asyncProperty(actions, fc.integer({ min: 1, max: 3 }), fc.nat(), (list, room, seed) =>
      run(
        async () => {
          const changed = new Condition();
          const pile: number[] = [];
          const put: number[] = [];
          const taken: number[] = [];
          await taskGroup(async (group) => {
            for (const [item, { puts, afterMs, patienceMs }] of list.entries()) {
              group.startSoon(async () => {
                await sleep(afterMs);
                await moveOnAfter(patienceMs, async () => {
                  using _lease = await changed.acquire();
                  await changed.waitFor(() => (puts ? pile.length < room : pile.length > 0));
                  (puts ? put : taken).push(puts ? item : (pile.shift() as number));
                  if (puts) pile.push(item);
                  changed.notifyAll();
                });
              });
            }
          });
          assert.ok(pile.length <= room);
          assert.deepEqual([...taken, ...pile], put);
          const { tasksWaiting, lock } = changed.statistics();
          assert.deepEqual([tasksWaiting, lock.locked, lock.tasksWaiting], [0, false, 0]);
        },
        { backend: simulator({ seed }) },
      ),
    ),
    { numRuns: 300, seed: printedSeed },
  );
});
