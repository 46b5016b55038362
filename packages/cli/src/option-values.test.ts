import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgumentError } from "commander";
import { parseCount, parseDuration } from "./option-values.ts";

test("parseDuration: a number with its unit", () => {
  for (const [text, ms] of [
    ["0s", 0],
    ["250ms", 250],
    ["1.5s", 1_500],
    ["2m", 120_000],
    ["1h", 3_600_000],
  ] as const)
    assert.equal(parseDuration(text), ms);
  for (const text of ["", "10", "s", "-1s", "1 s", "1d", "1e3s", "Infinity", ".5s"])
    assert.throws(() => parseDuration(text), InvalidArgumentError, text);
});

test("parseCount: a whole number within its limits", () => {
  assert.equal(parseCount(0, 10)("10"), 10);
  for (const text of ["", "11", "-1", "1.0", "1e1", "0x1", " 1"])
    assert.throws(() => parseCount(0, 10)(text), /from 0 to 10\.$/, text);
  assert.throws(() => parseCount(1, Number.MAX_SAFE_INTEGER)("0"), /from 1 on\.$/);
});
