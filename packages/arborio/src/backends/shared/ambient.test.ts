import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import { asyncLocalStorage, outsideContext } from "./ambient.ts";

test("outsideContext: no context inside, the caller's after it", () => {
  asyncLocalStorage.run("a", () => {
    assert.equal(
      outsideContext(() => asyncLocalStorage.getStore()),
      undefined,
    );
    assert.equal(asyncLocalStorage.getStore(), "a");
  });
});

test("outsideContext: another flow that goes on meanwhile keeps its context (Deno runs microtasks while it loads a module)", () => {
  const inOther = asyncLocalStorage.run("other", () => AsyncLocalStorage.snapshot());
  const seen = outsideContext(() => inOther(() => asyncLocalStorage.getStore()));
  assert.equal(seen, "other");
});
