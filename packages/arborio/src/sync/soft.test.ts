import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { shielded } from "./shield.ts";
import { soft } from "./soft.ts";
import { now, sleep, sleepForever } from "./timeouts.ts";

const test = onEveryBackend(nodeTest);

test("soft: a shutdown cancels it at once and it returns undefined, while the rest runs on (§3.8)", async (group) => {
  const scope = new CancelScope();
  const steps: unknown[] = [];
  group.startSoon(async () => {
    await waitAllTasksBlocked();
    scope.shutdown({ graceMs: Infinity });
    steps.push("asked");
  });
  await scope.run(async () => {
    steps.push(await soft(() => sleepForever()));
    assert.equal(scope.shuttingDown, true);
    await checkpoint();
    steps.push("finished");
  });
  assert.deepEqual([steps, scope.cancelledCaught], [["asked", undefined, "finished"], false]);
});

test("soft: opened after the asking it is cancelled from the start (§3.8)", async () => {
  const scope = new CancelScope();
  await scope.run(async () => {
    scope.shutdown({ graceMs: Infinity });
    let ran = false;
    const value = await soft(async () => {
      ran = true;
      await checkpoint();
      return 1;
    });
    assert.deepEqual([ran, value], [true, undefined]);
    await checkpoint();
  });
});

test("soft: a shield around it hides it from the asking (§3.8)", async () => {
  const scope = new CancelScope();
  await scope.run(() =>
    shielded(async () => {
      scope.shutdown({ graceMs: Infinity });
      assert.equal(await soft(() => checkpoint().then(() => 1)), 1);
    }),
  );
});

test("soft: what does not end within the grace is cancelled, soft or not (§3.8)", async () => {
  const scope = new CancelScope();
  const start = now();
  await scope.run(async () => {
    scope.shutdown({ graceMs: 5 });
    await soft(() => sleepForever());
    await sleep(60_000);
  });
  assert.ok(scope.cancelledCaught && now() - start >= 5);
});

test("soft: without a shutdown it returns what its body returns, and is no checkpoint (§2.1)", async () => {
  const scope = new CancelScope();
  await scope.run(async () => {
    assert.equal(await soft(() => sleep(1).then(() => "done")), "done");
    scope.cancel();
    assert.equal(await soft(() => 2), 2);
  });
  await assert.rejects(soft(3 as never), TypeError);
});
