import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPartState, parsePartState, type PartState } from "./part-state.ts";

const state: PartState = { url: "https://h/a", version: { validator: '"a"', totalBytes: 5 } };

test("parsePartState: what formatPartState wrote", () => {
  for (const one of [state, { ...state, version: { validator: null, totalBytes: null } }])
    assert.deepEqual(parsePartState(formatPartState(one)), one);
});

test("parsePartState: anything else is none", () => {
  const whole = formatPartState(state);
  for (let length = 0; length < whole.length - 2; length++)
    assert.equal(parsePartState(whole.slice(0, length)), null);
  for (const [from, to] of [
    ['"format":1', '"format":2'],
    ['"totalBytes":5', '"totalBytes":-5'],
    ['"totalBytes":5', '"totalBytes":"5"'],
    ['"https://h/a"', "7"],
    ['"\\"a\\""', "{}"],
  ] as const) {
    assert.ok(whole.includes(from));
    assert.equal(parsePartState(whole.replace(from, to)), null);
  }
  for (const text of ["null", "[]", "1", "{}"]) assert.equal(parsePartState(text), null);
});
