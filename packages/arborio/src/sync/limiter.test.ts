import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { InvalidStateError, WouldBlock } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import type { Lease } from "./lease.ts";
import { CapacityLimiter } from "./limiter.ts";

const test = onEveryBackend(nodeTest);

test("CapacityLimiter.acquire: no more tasks hold a token than there are", async () => {
  const limiter = new CapacityLimiter(2);
  let most = 0;
  await taskGroup(async (group) => {
    for (let i = 0; i < 6; i++) {
      group.startSoon(async () => {
        using _lease = await limiter.acquire();
        most = Math.max(most, limiter.borrowedTokens);
        await checkpoint();
      });
    }
  });
  assert.deepEqual([most, limiter.borrowedTokens, limiter.availableTokens], [2, 0, 2]);
});

test("CapacityLimiter.acquire: is a checkpoint also when a token is free, and takes it at once (§2.1, §2.5)", async () => {
  const limiter = new CapacityLimiter(1);
  await assertCheckpoints(async () => {
    using _lease = await limiter.acquire();
  });
  const scope = new CancelScope();
  await scope.run(async () => {
    scope.cancel();
    await limiter.acquire();
  });
  assert.deepEqual([scope.cancelledCaught, limiter.borrowedTokens], [true, 0]);
  const acquiring = limiter.acquire();
  assert.equal(limiter.borrowedTokens, 1);
  (await acquiring).release();
});

test("CapacityLimiter.acquire: one token per borrower; the same task a second time gets InvalidStateError (§6)", async () => {
  const limiter = new CapacityLimiter(3);
  using _lease = await limiter.acquire();
  await assert.rejects(limiter.acquire(), InvalidStateError);
  assert.throws(() => limiter.acquireNowait(), InvalidStateError);
  assert.equal(limiter.borrowedTokens, 1);
});

test("CapacityLimiter.acquire: a borrower that waits already gets InvalidStateError, and none of the waits hangs (§6)", async () => {
  const limiter = new CapacityLimiter(1);
  const first = limiter.acquireOnBehalfOfNowait("first");
  const waiting = limiter.acquireOnBehalfOf("second");
  await assert.rejects(limiter.acquireOnBehalfOf("second"), /waits for this limiter already/);
  assert.throws(() => limiter.acquireOnBehalfOfNowait("second"), InvalidStateError);
  first.release();
  (await waiting).release();
  (await limiter.acquireOnBehalfOf("second")).release();
});

test("CapacityLimiter.acquire: a borrower whose wait was cancelled may ask again", async () => {
  const limiter = new CapacityLimiter(1);
  const first = limiter.acquireOnBehalfOfNowait("first");
  const scope = new CancelScope();
  const cancelled = scope.run(() => limiter.acquireOnBehalfOf("second"));
  scope.cancel();
  await cancelled;
  const again = limiter.acquireOnBehalfOf("second");
  first.release();
  (await again).release();
  assert.equal(limiter.borrowedTokens, 0);
});

test("CapacityLimiter: a token given back belongs to who has waited longest at once, so nobody gets in between (§6)", async () => {
  const limiter = new CapacityLimiter(1);
  const first = limiter.acquireOnBehalfOfNowait("first");
  const waiting = limiter.acquireOnBehalfOf("second");
  first.release();
  assert.deepEqual(limiter.statistics().borrowers, ["second"]);
  assert.throws(() => limiter.acquireOnBehalfOfNowait("third"), WouldBlock);
  (await waiting).release();
});

test("CapacityLimiter.totalTokens: raising it wakes as many as there are tokens more, longest waiting first (§6)", async () => {
  const limiter = new CapacityLimiter(0);
  const got: string[] = [];
  const waits = ["a", "b", "c"].map((name) =>
    limiter.acquireOnBehalfOf(name).then(() => got.push(name)),
  );
  limiter.totalTokens = 2;
  assert.deepEqual(limiter.statistics(), {
    totalTokens: 2,
    borrowedTokens: 2,
    borrowers: ["a", "b"],
    tasksWaiting: 1,
  });
  await waitAllTasksBlocked();
  assert.deepEqual(got.toSorted(), ["a", "b"]);
  limiter.totalTokens = Infinity;
  await Promise.all(waits);
});

test("CapacityLimiter.totalTokens: lowering it takes nothing away, and raising it again never over-grants (§6)", async () => {
  const limiter = new CapacityLimiter(3);
  const leases = ["a", "b", "c"].map((name) => limiter.acquireOnBehalfOfNowait(name));
  let fourth: Lease | undefined;
  const waiting = limiter.acquireOnBehalfOf("d").then((lease) => (fourth = lease));
  limiter.totalTokens = 1;
  assert.deepEqual([limiter.borrowedTokens, limiter.availableTokens], [3, -2]);
  limiter.totalTokens = 2;
  assert.deepEqual([limiter.borrowedTokens, limiter.availableTokens], [3, -1]);
  leases[0]?.release();
  await waitAllTasksBlocked();
  assert.deepEqual([limiter.borrowedTokens, fourth], [2, undefined]);
  leases[1]?.release();
  await waiting;
  assert.deepEqual(limiter.statistics().borrowers, ["c", "d"]);
});

test("CapacityLimiter: totals that are no whole numbers from 0 on are errors, and change nothing", () => {
  for (const total of [-1, 1.5, Number.NaN, -Infinity]) {
    assert.throws(() => new CapacityLimiter(total), RangeError);
    const limiter = new CapacityLimiter(1);
    assert.throws(() => (limiter.totalTokens = total), RangeError);
    assert.equal(limiter.totalTokens, 1);
  }
  assert.throws(() => new CapacityLimiter(undefined as never), TypeError);
});

test("CapacityLimiter.acquireNowait: takes a free token, throws WouldBlock otherwise, and is no checkpoint", async () => {
  const limiter = new CapacityLimiter(1);
  const scope = new CancelScope();
  await scope.run(() => {
    scope.cancel();
    using _lease = limiter.acquireNowait();
    assert.throws(() => limiter.acquireOnBehalfOfNowait("other"), WouldBlock);
  });
  assert.equal(limiter.borrowedTokens, 0);
});

test("CapacityLimiter.statistics: is frozen, and names tasks by their handles", async (group) => {
  const limiter = new CapacityLimiter(1);
  const borrower = group.startSoon(async () => {
    using _lease = await limiter.acquire();
    await waitAllTasksBlocked();
  });
  await checkpoint();
  while (limiter.borrowedTokens === 0) await checkpoint();
  const statistics = limiter.statistics();
  assert.ok(Object.isFrozen(statistics) && Object.isFrozen(statistics.borrowers));
  assert.equal(statistics.borrowers[0], borrower);
  await borrower.wait();
  assert.equal(limiter.borrowedTokens, 0);
});

test("CapacityLimiter: cancelled at every checkpoint, all tokens are back and nobody counts as waiting", async () => {
  await cancelEverywhere(async (round) => {
    const limiter = new CapacityLimiter(1);
    round.after(() => {
      assert.deepEqual([limiter.borrowedTokens, limiter.statistics().tasksWaiting], [0, 0]);
      for (let borrower = 0; borrower < 4; borrower++) {
        limiter.acquireOnBehalfOfNowait(borrower).release();
      }
    });
    await taskGroup(async (group) => {
      for (let borrower = 0; borrower < 4; borrower++) {
        group.startSoon(async () => {
          using _lease = await limiter.acquireOnBehalfOf(borrower);
          await checkpoint();
        });
      }
      await waitAllTasksBlocked();
      limiter.totalTokens = 2;
    });
  });
});
