import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyedStates } from "./keyed-states.ts";

interface State {
  isIdle: boolean;
}

function states(max: number): KeyedStates<State> {
  return new KeyedStates<State>(
    () => ({ isIdle: true }),
    max,
    ({ isIdle }) => isIdle,
  );
}

test("KeyedStates: the one that is idle and was not used for longest is forgotten first", () => {
  const known = states(3);
  const a = known.get("a");
  const b = known.get("b");
  const c = known.get("c");
  assert.equal(known.get("a"), a);
  known.get("d");
  assert.equal(known.peek("b"), undefined);
  assert.deepEqual([known.peek("a"), known.peek("c")], [a, c]);
  c.isIdle = false;
  known.get("e");
  assert.equal(known.peek("a"), undefined);
  assert.equal(known.peek("c"), c);
  assert.notEqual(known.get("b"), b);
});

test("KeyedStates: there are never more than these, even if none is idle", () => {
  const known = states(100);
  for (let count = 0; count < 1000; count++) known.get(`${count}`).isIdle = false;
  let kept = 0;
  for (let count = 0; count < 1000; count++) if (known.peek(`${count}`) !== undefined) kept += 1;
  assert.equal(kept, 100);
  assert.notEqual(known.peek("999"), undefined);
});
