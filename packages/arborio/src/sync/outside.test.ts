import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { ScopeClosedError } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { currentScope } from "./current.ts";
import { outsideScopes } from "./outside.ts";

const test = onEveryBackend(nodeTest);

test("outsideScopes: callbacks registered in it outlive the scope; without it they get ScopeClosedError (§1.7)", async () => {
  const callbacks: (() => Promise<void>)[] = [];
  const register = (): void => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const called = promise.then(() => checkpoint());
    called.catch(() => {});
    callbacks.push(() => {
      resolve();
      return called;
    });
  };
  await new CancelScope().run(() => {
    register();
    outsideScopes(register);
  });
  const [inside, outside] = callbacks as [() => Promise<void>, () => Promise<void>];
  await assert.rejects(inside(), ScopeClosedError);
  await outside();
});

test("outsideScopes: runs its function at once under the run's root scope, and returns what it returns (§1.7)", async () => {
  const scope = new CancelScope();
  await scope.run(() => {
    scope.cancel();
    const root = outsideScopes(() => currentScope());
    assert.notEqual(root, scope);
    assert.equal(root.cancelCalled, false);
    assert.equal(
      outsideScopes(() => outsideScopes(() => currentScope())),
      root,
    );
    assert.equal(currentScope(), scope);
  });
  assert.throws(
    () =>
      outsideScopes(() => {
        throw new RangeError("from fn");
      }),
    RangeError,
  );
  assert.throws(() => outsideScopes(undefined as never), TypeError);
});

nodeTest("outsideScopes: outside runs, it is the host's root scope (§1.5)", async () => {
  const root = currentScope();
  assert.equal(
    outsideScopes(() => currentScope()),
    root,
  );
  await new CancelScope().run(() => {
    assert.equal(
      outsideScopes(() => currentScope()),
      root,
    );
  });
});
