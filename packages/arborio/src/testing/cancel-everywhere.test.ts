import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { checkpoint, Event, Lock, sleep, taskGroup, waitAllTasksBlocked } from "../index.ts";
import { suspend, type Wakeable } from "../lowlevel.ts";
import { cancelEverywhere } from "./cancel-everywhere.ts";
import { onEveryBackend } from "./every-backend.ts";

const test = onEveryBackend(runnerTest);

async function errorOf(promise: Promise<unknown>): Promise<Error | undefined> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome.status === "rejected" ? (outcome.reason as Error) : undefined;
}

/** A lock with a hole at one of the three moments at which cancellation may come. */
class LeakyLock {
  readonly hole: "entry" | "waiting" | "woken";
  held = 0;
  readonly waiting: Wakeable<void>[] = [];

  constructor(hole: "entry" | "waiting" | "woken") {
    this.hole = hole;
  }

  async acquire(): Promise<void> {
    if (this.hole === "entry") this.held += 1;
    await checkpoint();
    if (this.hole !== "entry") this.held += 1;
    // Between the acquiring and whatever releases there must be no checkpoint.
    if (this.hole === "woken") await sleep(1);
  }

  wait(): Promise<void> {
    return suspend({ kind: "leaky" }, (waiter) => {
      this.waiting.push(waiter);
      return () => {
        if (this.hole !== "waiting") this.waiting.splice(this.waiting.indexOf(waiter), 1);
      };
    });
  }
}

test("cancelEverywhere: cancels at the entry of each checkpoint, in each wait, and after each wake-up", async () => {
  const ends: string[] = [];
  const { rounds } = await cancelEverywhere(async ({ moment }) => {
    const log: string[] = [];
    try {
      await checkpoint();
      log.push("one");
      await sleep(1);
      log.push("two");
      await sleep(1);
      log.push("three");
    } finally {
      ends.push(`${moment ?? "whole"}: ${log.length}`);
    }
  });
  assert.deepEqual(rounds, { entry: 3, waiting: 2, woken: 2 });
  // The value of a wait that was woken first is kept; the next checkpoint throws.
  assert.deepEqual(
    ends.join(", "),
    "whole: 3, entry: 0, entry: 1, entry: 2, entry: 3, waiting: 1, waiting: 2, waiting: 3, woken: 2, woken: 3, woken: 3",
  );
});

test("cancelEverywhere: finds a leak at the entry, in a wait and after a wake-up", async () => {
  for (const hole of ["entry", "woken"] as const) {
    const sweep = cancelEverywhere(async (round) => {
      const lock = new LeakyLock(hole);
      round.after(() => assert.equal(lock.held, 0, "held for ever"));
      await lock.acquire();
      lock.held -= 1;
    });
    assert.match((await errorOf(sweep))?.message ?? "nothing found", /failed when cancelled at/);
  }
  const sweep = cancelEverywhere(async (round) => {
    const lock = new LeakyLock("waiting");
    round.after(() => assert.equal(lock.waiting.length, 0, "queued for ever"));
    await taskGroup(async (group) => {
      group.startSoon(() => lock.wait());
      await waitAllTasksBlocked();
      lock.waiting.shift()?.wake();
    });
  });
  const error = await errorOf(sweep);
  assert.match(error?.message ?? "nothing found", /failed when cancelled at waiting/);
  assert.match((error?.cause as Error | undefined)?.message ?? "", /queued for ever/);
});

test("cancelEverywhere: passes what holds its promises", async () => {
  await cancelEverywhere(async (round) => {
    const [lock, event] = [new Lock(), new Event()];
    round.after(() => assert.equal(lock.statistics().locked, false));
    await taskGroup((group) => {
      for (let index = 0; index < 2; index++)
        group.startSoon(async () => {
          const lease = await lock.acquire();
          try {
            await event.wait();
          } finally {
            lease.release();
          }
        });
      group.startSoon(() => event.set());
    });
  });
});

test("cancelEverywhere: throws what the uncancelled round throws, and what cancelled ones do unless expected", async () => {
  const bare = new Error("always");
  assert.equal(await errorOf(cancelEverywhere(() => Promise.reject(bare))), bare);
  const failing = async (): Promise<void> => {
    try {
      await sleep(1);
    } catch {
      throw new RangeError("instead of Cancelled");
    }
  };
  const error = await errorOf(cancelEverywhere(failing));
  assert.ok(error?.cause instanceof RangeError);
  await cancelEverywhere(failing, { expected: (one) => one instanceof RangeError });
});

test("cancelEverywhere: finds a deadline that was left behind", async (group) => {
  const sweep = cancelEverywhere(async () => {
    // In a task of the group outside: it outlives the round.
    group.startSoon(() => sleep(50));
    await checkpoint();
    await waitAllTasksBlocked();
  });
  assert.match((await errorOf(sweep))?.message ?? "nothing found", /deadlines were left behind/);
  group.cancel();
});
