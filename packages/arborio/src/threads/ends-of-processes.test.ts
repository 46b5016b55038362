/** That a call in a process ends clearly however its process ends, and that a cancelled one leaves nothing behind. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import {
  CancelScope,
  CapacityLimiter,
  checkpoint,
  failAfter,
  moveOnAfter,
  sleep,
  taskGroup,
} from "../index.ts";
import { statOf } from "../process/processes.test.kit.ts";
import { cancelEverywhere } from "../testing.ts";
import { BrokenWorkerError, runInProcess, workerStatistics } from "../threads.ts";
import {
  assertNothingHeld,
  hostTest,
  processWork,
  withPath,
  work,
} from "./process-calls.test.kit.ts";
import { untilTold } from "./process-work.test.kit.ts";

hostTest(
  "runInProcess: a process that ends fails its call, says how, and is replaced",
  async () => {
    await assert.rejects(runInProcess(work, "exit", { args: [3] }), (error) => {
      assert.ok(error instanceof BrokenWorkerError);
      assert.deepEqual([error.exitCode, error.signal], [3, undefined]);
      assert.match(error.message, /ended during exit, by exit code 3/);
      return true;
    });
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      await assert.rejects(runInProcess(processWork, "kill", { args: [signal] }), (error) => {
        assert.ok(error instanceof BrokenWorkerError);
        assert.deepEqual([error.exitCode, error.signal], [undefined, signal]);
        return true;
      });
    }
    await assert.rejects(runInProcess(processWork, "closeChannel"), BrokenWorkerError);
    assert.equal(await runInProcess(work, "add", { args: [1, 2] }), 3);
  },
);

hostTest(
  "runInProcess: a process that ended before its call came to it: another one gets the call",
  async () => {
    const pid = await runInProcess(processWork, "pidOf");
    process.kill(pid, "SIGKILL");
    const { started } = workerStatistics("process");
    assert.notEqual(await runInProcess(processWork, "pidOf"), pid);
    assert.equal(workerStatistics("process").started, started + 1);
  },
);

for (const how of ["throw", "reject"] as const) {
  hostTest(`runInProcess: an error that nobody caught (${how}) is told`, async () => {
    await assert.rejects(runInProcess(work, "failAside", { args: [how] }), (error) => {
      assert.ok(error instanceof BrokenWorkerError);
      assert.equal(error.exitCode, 1);
      assert.ok(error.cause instanceof RangeError);
      assert.equal(error.cause.message, "aside");
      return true;
    });
  });

  hostTest(
    `runInProcess: who failed by what nobody caught (${how}) has no say any more`,
    async () => {
      const call = runInProcess(work, "failAsideAndAnswer", { args: [how] });
      await assert.rejects(call, BrokenWorkerError);
      assert.equal(await runInProcess(work, "add", { args: [1, 2] }), 3);
    },
  );
}

hostTest("runInProcess: cancelled anywhere, no process and no token is lost", async () => {
  await cancelEverywhere(async (round) => {
    round.after(assertNothingHeld);
    await runInProcess(work, "later", { args: ["x"] });
  });
});

/** Cancels a call when its function has begun. */
async function cancelWhenBegun(path: string, call: () => Promise<unknown>): Promise<CancelScope> {
  const scope = new CancelScope();
  await taskGroup((group) => {
    group.startSoon(async () => {
      await untilTold(path, "began");
      scope.cancel();
    });
    return scope.run(call);
  });
  return scope;
}

for (const name of ["compute", "wait"] as const) {
  hostTest(`runInProcess: a cancelled function sees it (${name}), and its process lives`, () =>
    withPath(async (path) => {
      const pid = await runInProcess(processWork, "pidOf");
      const scope = await cancelWhenBegun(path, () =>
        runInProcess(processWork, name, { args: [path], graceMs: Infinity }),
      );
      assert.ok(scope.cancelledCaught);
      await untilTold(path, "left");
      assert.equal(await runInProcess(processWork, "pidOf"), pid);
    }),
  );
}

hostTest("runInProcess: a call that was cancelled before it began does not begin", () =>
  withPath(async (path) => {
    const pid = await runInProcess(processWork, "pidOf");
    process.kill(pid, "SIGSTOP");
    const scope = new CancelScope();
    await taskGroup(async (group) => {
      const limiter = new CapacityLimiter(1);
      const args = [path] as const;
      const call = group.startSoon(() =>
        scope.run(() => runInProcess(processWork, "compute", { args, limiter, graceMs: Infinity })),
      );
      while (limiter.borrowedTokens === 0) await checkpoint();
      scope.cancel();
      process.kill(pid, "SIGCONT");
      await call.wait();
    });
    assert.ok(scope.cancelledCaught);
    assert.equal(existsSync(path), false);
  }),
);

hostTest("runInProcess: what code tells a parent by process.send disturbs no call", async () => {
  const callbacks = { heard: () => "heard" };
  assert.equal(await runInProcess(processWork, "tellParent", { callbacks }), "heard");
});

hostTest("runInProcess: an endless loop is killed after its grace", () =>
  withPath(async (path) => {
    const pid = await runInProcess(processWork, "pidOf");
    const scope = await cancelWhenBegun(path, () =>
      runInProcess(processWork, "loop", { args: [path], graceMs: 50 }),
    );
    assert.ok(scope.cancelledCaught);
    assert.equal(statOf(pid), undefined);
    assert.notEqual(await runInProcess(processWork, "pidOf"), pid);
  }),
);

hostTest("runInProcess({ abandonOnCancel }): the caller goes on, the token is held", () =>
  withPath(async (path) => {
    const limiter = new CapacityLimiter(1);
    await cancelWhenBegun(path, () =>
      runInProcess(processWork, "wait", { args: [path], limiter, abandonOnCancel: true }),
    );
    assert.equal(limiter.borrowedTokens, 1);
    assert.equal(await runInProcess(work, "add", { args: [1, 2], limiter }), 3);
    assert.equal(limiter.borrowedTokens, 0);
  }),
);

hostTest("runInProcess: what a function has started ends with its process", async () => {
  const limiter = new CapacityLimiter(1);
  const crashed = await runInProcess(processWork, "startOther", { limiter });
  assert.notEqual(statOf(crashed), undefined);
  await assert.rejects(runInProcess(work, "exit", { args: [0], limiter }), BrokenWorkerError);
  await failAfter(20_000, () => untilGone(crashed));
  const killed = await runInProcess(processWork, "startOther", { limiter });
  await withPath(async (path) => {
    await cancelWhenBegun(path, () =>
      runInProcess(processWork, "loop", { args: [path], graceMs: 0, limiter }),
    );
  });
  await failAfter(20_000, () => untilGone(killed));
});

/** One that nobody reaps counts as gone. */
async function untilGone(pid: number): Promise<void> {
  while ((statOf(pid)?.state ?? "Z") !== "Z") await sleep(2);
}

hostTest("runInProcess: marks of cancellation leave no files", () =>
  withPath(async (path) => {
    const directory = dirname(path);
    const { TMPDIR } = process.env;
    process.env["TMPDIR"] = directory;
    try {
      // New processes: one that works, one that is killed while it starts.
      const limiter = new CapacityLimiter(1);
      await assert.rejects(runInProcess(work, "exit", { args: [0], limiter }), BrokenWorkerError);
      await runInProcess(work, "nothing", { limiter });
      assert.deepEqual(readdirSync(directory), []);
      await assert.rejects(runInProcess(work, "exit", { args: [0], limiter }), BrokenWorkerError);
      const { started } = workerStatistics("process");
      await moveOnAfter(1, () => runInProcess(work, "later", { args: ["x"], limiter, graceMs: 0 }));
      assert.ok(workerStatistics("process").started > started);
      assert.deepEqual(readdirSync(directory), []);
    } finally {
      if (TMPDIR === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = TMPDIR;
    }
  }),
);
