import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { BusyResourceError } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { ResourceGuard } from "./resource-guard.ts";

const test = onEveryBackend(nodeTest);

test("ResourceGuard.enter: throws BusyResourceError at once while somebody is inside, and says at what", async (group) => {
  const guard = new ResourceGuard("reading from");
  group.startSoon(async () => {
    using _lease = guard.enter();
    await waitAllTasksBlocked();
  });
  while (!guard.busy) await checkpoint();
  assert.throws(() => guard.enter(), BusyResourceError);
  assert.throws(() => guard.enter(), /another task is already reading from this resource/);
});

test("ResourceGuard.enter: may be entered again after the lease was released", () => {
  const guard = new ResourceGuard();
  for (let i = 0; i < 2; i++) {
    using _lease = guard.enter();
    assert.throws(() => guard.enter(), /already using this resource/);
  }
  assert.equal(guard.busy, false);
});
