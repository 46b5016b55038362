import assert from "node:assert/strict";
import { test } from "node:test";
import { parseKeepAlive } from "./keep-alive-field.ts";

test("parseKeepAlive: timeout and max; what is neither is passed over", () => {
  const table: readonly (readonly [string, number | null, number | null])[] = [
    ["timeout=5, max=100", 5000, 100],
    ["timeout=5", 5000, null],
    ["max=0", null, 0],
    ["Timeout = 15 ,MAX=\t7", 15_000, 7],
    ['timeout="5", max="1"', 5000, 1],
    ["timeout=5, timeout=6", 5000, null],
    ["timeout=x, timeout=6", 6000, null],
    [", ,timeout=1,, max=2,", 1000, 2],
    ['x="timeout=1,max=2", max=3', null, 3],
    ["timeout=999999999", 999_999_999_000, null],
    ["timeout=1000000000, max=9999999999", null, null],
    ["timeout=-1, max=1.5", null, null],
    ["timeout=5 6, max=5;", null, null],
    ["timeout, max=", null, null],
    ["=5", null, null],
    ["300", null, null],
    ["", null, null],
    [`${"a,".repeat(16)}max=5`, null, null],
  ];
  for (const [value, timeoutMs, requestsMax] of table) {
    assert.deepEqual(parseKeepAlive(value), { timeoutMs, requestsMax }, value);
  }
});
