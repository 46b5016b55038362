import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { Cancelled } from "../core/cancelled.ts";
import { ScopeClosedError } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { currentScope, currentSignal } from "./current.ts";

const test = onEveryBackend(nodeTest);

test("currentScope: is the innermost scope around the calling flow (§1.9)", async (group) => {
  const outer = currentScope();
  const scope = new CancelScope();
  await scope.run(async () => {
    assert.equal(currentScope(), scope);
    await Promise.resolve();
    assert.equal(currentScope(), scope);
    await new CancelScope().run((inner) => assert.equal(currentScope(), inner));
  });
  assert.equal(currentScope(), outer);
  const handle = group.startSoon(() => currentScope());
  assert.equal(await handle.result(), handle);
});

test("currentSignal: aborts when the scope becomes effectively cancelled, with the Cancelled as reason (§3.6)", async () => {
  const outer = new CancelScope();
  await outer.run(() =>
    new CancelScope().run(() => {
      const signal = currentSignal();
      assert.equal(signal, currentSignal());
      assert.equal(signal.aborted, false);
      outer.cancel("why");
      assert.ok(signal.aborted && signal.reason instanceof Cancelled);
      assert.equal(signal.reason.reason, "why");
      assert.ok(currentSignal().aborted);
    }),
  );
});

test("currentSignal: is aborted with ScopeClosedError in a flow that has outlived its scope (§1.5)", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let late: Promise<AbortSignal> | undefined;
  await new CancelScope().run(() => {
    late = promise.then(() => currentSignal());
  });
  resolve();
  const signal = await late;
  assert.ok(signal?.aborted && signal.reason instanceof ScopeClosedError);
});

nodeTest("currentSignal: outside runs, it is a signal that never aborts (§1.5)", () => {
  assert.equal(currentSignal().aborted, false);
});
