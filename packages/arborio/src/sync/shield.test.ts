import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { ScopeClosedError } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { shielded } from "./shield.ts";
import { now, sleep, sleepForever } from "./timeouts.ts";

const test = onEveryBackend(nodeTest);

test("shielded: hides the cancellation of the scopes around it, which counts again after it (§1.3)", async () => {
  const outer = new CancelScope();
  let value: number | undefined;
  await outer.run(async () => {
    outer.cancel();
    value = await shielded(async () => {
      await checkpoint();
      await sleep(1);
      return 1;
    });
    await checkpoint();
    assert.fail("went on although cancelled");
  });
  assert.deepEqual([value, outer.cancelledCaught], [1, true]);
});

test("shielded: its own scope can be cancelled, and bounded by a deadline", async () => {
  assert.equal(
    await shielded(async (scope) => {
      scope.cancel();
      await checkpoint();
    }),
    undefined,
  );
  const outer = new CancelScope();
  const start = now();
  await outer.run(async () => {
    outer.cancel();
    await shielded((scope) => {
      scope.deadline = now() + 5;
      return sleepForever();
    });
  });
  assert.ok(now() - start >= 5);
});

test("shielded: is no checkpoint, and passes on what its body throws (§2.1)", async () => {
  const outer = new CancelScope();
  await outer.run(async () => {
    outer.cancel();
    assert.equal(await shielded(() => 1), 1);
    await assert.rejects(
      shielded(() => {
        throw new RangeError("from the body");
      }),
      RangeError,
    );
  });
  assert.equal(outer.cancelledCaught, false);
  await assert.rejects(shielded(Promise.resolve() as never), TypeError);
});

test("shielded: opened by a flow that has outlived its scope it throws ScopeClosedError (§1.5)", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let late: Promise<unknown> | undefined;
  await new CancelScope().run(() => {
    late = promise.then(() => shielded(() => 1)).catch((error: unknown) => error);
  });
  resolve();
  assert.ok((await late) instanceof ScopeClosedError);
});
