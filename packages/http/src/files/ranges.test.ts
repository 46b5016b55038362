import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseRange, type RangeDecision, RANGES_MAX } from "./ranges.ts";

const shown = (decision: RangeDecision): string =>
  typeof decision === "string"
    ? decision
    : decision.map(({ start, end }) => `${start}-${end}`).join();

test("parseRange: single, open, suffix and several", () => {
  for (const [field, size, decision] of [
    ["bytes=0-0", 10, "0-1"],
    ["bytes=0-9", 10, "0-10"],
    ["bytes=0-99", 10, "0-10"],
    ["bytes=4-", 10, "4-10"],
    ["bytes=-3", 10, "7-10"],
    ["bytes=-30", 10, "0-10"],
    ["BYTES= 1-2 ", 10, "1-3"],
    ["bytes=00000000000000000001-2", 10, "1-3"],
    ["bytes=0-99999999999999999999999999", 10, "0-10"],
    ["bytes=0-1,500-501", 1000, "0-2,500-502"],
    ["bytes=500-501 ,\t, 0-1,", 1000, "500-502,0-2"],
    ["bytes=0-1,2000-,500-501", 1000, "0-2,500-502"],
    ["bytes=0-1,-1", 1000, "0-2,999-1000"],
  ] as const)
    assert.equal(shown(parseRange(field, size)), decision, field);
});

test("parseRange: what overlaps or nearly touches becomes one, where the first was asked for", () => {
  for (const [field, decision] of [
    ["bytes=900-,0-9,5-20", "900-1000,0-21"],
    ["bytes=0-9,10-19", "0-20"],
    ["bytes=0-9,90-99", "0-100"],
    ["bytes=0-9,91-99", "0-10,91-100"],
    ["bytes=500-,0-9,-600", "400-1000,0-10"],
  ] as const)
    assert.equal(shown(parseRange(field, 1000)), decision, field);
});

test("parseRange: nothing of it there is 416", () => {
  for (const [field, size] of [
    ["bytes=10-", 10],
    ["bytes=10-20,99999999999999999999-", 10],
    ["bytes=-0", 10],
    ["bytes=0-", 0],
  ] as const)
    assert.equal(parseRange(field, size), "unsatisfiable", field);
});

test("parseRange: what breaks the grammar is ignored; digits are ASCII (CVE-2025-69225)", () => {
  for (const field of [
    "",
    "bytes",
    "bytes=",
    "bytes=,",
    "bytes=-",
    "bytes=5-4",
    "bytes=0-1,5-4",
    "bytes=0-1,x",
    "bytes = 0-1",
    "bytes=0 -1",
    "bytes=+0-1",
    "bytes=0x0-1",
    "bytes=0-1.0",
    "bytes=1e0-2",
    "bytes=٠-١",
    "bytes=０-１",
    "bytes=\u00a00-1",
    "bytes=--1",
    "bytes=0-1-2",
    "bytes=0-1;2-3",
    "bytes=0-1\n",
    "lines=0-1",
    "xbytes=0-1",
  ])
    assert.equal(parseRange(field, 10), "ignore", JSON.stringify(field));
  assert.equal(parseRange("bytes=-5", 0), "ignore");
});

test("parseRange: more than 16 ranges, or more than two overlaps, get the whole", () => {
  const many = (count: number): string =>
    `bytes=${Array.from({ length: count }, (_, at) => `${at * 1000}-${at * 1000}`).join()}`;
  assert.equal(parseRange(many(RANGES_MAX), 1_000_000).length, RANGES_MAX);
  assert.equal(parseRange(many(RANGES_MAX + 1), 1_000_000), "ignore");
  assert.equal(shown(parseRange(`bytes=${"0-,".repeat(3)}`, 100)), "0-100");
  assert.equal(parseRange(`bytes=${"0-,".repeat(4)}`, 100), "ignore");
  assert.equal(parseRange(`bytes=${",".repeat(100_000)}0-1`, 100), "ignore");
});

const spec = fc.oneof(
  fc.tuple(fc.nat(300), fc.nat(300)).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
  fc.nat(300).map((start) => `${start}-`),
  fc.nat(300).map((length) => `-${length}`),
);

/** The bytes that a list of ranges asks for, by its plainest reading. */
function wanted(specs: readonly string[], size: number): Set<number> {
  const positions = new Set<number>();
  for (const one of specs) {
    const [first, last] = one.split("-") as [string, string];
    for (let at = 0; at < size; at++) {
      const isIn =
        first === ""
          ? at >= size - Number(last)
          : at >= Number(first) && (last === "" || at <= Number(last));
      if (isIn) positions.add(at);
    }
  }
  return positions;
}

test("parseRange: gives every byte asked for once, and besides only short gaps", () => {
  fc.assert(
    fc.property(fc.array(spec, { minLength: 1, maxLength: 5 }), fc.nat(250), (specs, size) => {
      const decision = parseRange(`bytes=${specs.join(", ")}`, size);
      const asked = wanted(specs, size);
      if (decision === "ignore") return;
      if (decision === "unsatisfiable") {
        assert.equal(asked.size, 0);
        return;
      }
      const given: number[] = [];
      for (const { start, end } of decision) {
        assert.ok(0 <= start && start < end && end <= size);
        assert.ok(asked.has(start) && asked.has(end - 1), "a part begins or ends with a gap");
        for (let at = start; at < end; at++) given.push(at);
      }
      assert.equal(new Set(given).size, given.length, "a byte is given twice");
      for (const at of asked) assert.ok(given.includes(at), `byte ${at} is missing`);
      if (specs.length === 1) assert.equal(given.length, asked.size);
    }),
    { numRuns: 500 },
  );
});
