import assert from "node:assert/strict";
import { test } from "node:test";

test("smoke: the matrix runs a test", () => {
  assert.equal(1 + 1, 2);
});

test("smoke: `using` parses", () => {
  const closed: string[] = [];
  {
    using resource = { [Symbol.dispose]: () => closed.push("closed") };
    assert.equal(closed.length, 0, String(resource));
  }
  assert.deepEqual(closed, ["closed"]);
});
