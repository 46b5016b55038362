import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import { simulator } from "arborio/sim";
import { childTrace, parseTrace, traceFields } from "./trace-context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const PARENT = `00-${TRACE}-${SPAN}-01`;

function parse(traceparent: string, tracestate?: string) {
  return parseTrace(
    new Headers(tracestate === undefined ? { traceparent } : { traceparent, tracestate }),
  );
}

test("parseTrace: reads what the specification allows, also of later versions", () => {
  assert.deepEqual(parse(PARENT), { traceId: TRACE, spanId: SPAN, sampled: true, state: "" });
  assert.equal(parse(`00-${TRACE}-${SPAN}-00`)?.sampled, false);
  assert.equal(parse(`00-${TRACE}-${SPAN}-fe`)?.sampled, false);
  assert.equal(parse(`00-${TRACE}-${SPAN}-03`)?.sampled, true);
  assert.equal(parse(`cc-${TRACE}-${SPAN}-01`)?.traceId, TRACE);
  assert.equal(parse(`cc-${TRACE}-${SPAN}-01-what.comes.later`)?.traceId, TRACE);
});

test("parseTrace: what is malformed belongs to no trace", () => {
  const bad = [
    "",
    "00",
    `${PARENT}-more`,
    `${PARENT}.`,
    `cc-${TRACE}-${SPAN}-01.more`,
    `ff-${TRACE}-${SPAN}-01`,
    `0-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-0x`,
    `00-${TRACE}-${SPAN}`,
  ];
  for (const value of bad) assert.equal(parse(value), null, value);
  assert.equal(parseTrace(new Headers()), null);
  const twice = new Headers({ traceparent: PARENT });
  twice.append("traceparent", PARENT);
  assert.equal(parseTrace(twice), null);
});

test("parseTrace: a tracestate is passed on as it is, a malformed or overlong one is left out", () => {
  const state = (value: string) => parse(PARENT, value)?.state;
  assert.equal(
    state("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
    "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
  );
  assert.equal(state(" a=1 ,\t, b=x y "), "a=1,b=x y");
  assert.equal(state("tenant@sys=1"), "tenant@sys=1");
  for (const bad of [
    "a",
    "=1",
    "a=",
    "A=1",
    "a=1,a=2",
    "a=b=c",
    "é=1",
    `a=${"x".repeat(257)}`,
    `${"k".repeat(257)}=1`,
  ])
    assert.equal(state(bad), "", bad);
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => `k${index}=1`).join(",");
  assert.equal(state(many(32)), many(32));
  assert.equal(state(many(33)), "");
  assert.equal(state(`a=${"x".repeat(250)},b=${"x".repeat(250)},c=${"x".repeat(10)}`), "");
  const lines = new Headers({ traceparent: PARENT, tracestate: "a=1" });
  lines.append("tracestate", "b=2");
  assert.equal(parseTrace(lines)?.state, "a=1,b=2");
});

test("childTrace, traceFields: the same trace, another span; without a parent a trace of its own, the same for the same seed", async () => {
  const made = () =>
    run(
      () =>
        [
          childTrace(parse(PARENT, "a=1")),
          childTrace(parse(`00-${TRACE}-${SPAN}-00`)),
          childTrace(null),
        ] as const,
      {
        backend: simulator({ seed: 3 }),
      },
    );
  const [child, unsampled, root] = await made();
  assert.equal(child.traceId, TRACE);
  assert.match(child.spanId, /^[0-9a-f]{16}$/);
  assert.notEqual(child.spanId, SPAN);
  assert.deepEqual(traceFields(child), {
    traceparent: `00-${TRACE}-${child.spanId}-01`,
    tracestate: "a=1",
  });
  assert.deepEqual(traceFields(unsampled), { traceparent: `00-${TRACE}-${unsampled.spanId}-00` });
  assert.deepEqual(parseTrace(new Headers(traceFields(root))), root);
  assert.notEqual(root.traceId, TRACE);
  assert.deepEqual(await made(), [child, unsampled, root]);
});
