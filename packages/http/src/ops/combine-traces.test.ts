import assert from "node:assert/strict";
import { test } from "node:test";
import { ExceptionGroup } from "arborio";
import { combineTraces } from "./combine-traces.ts";
import type { TracedEnd, TracedRequest } from "./server-trace.ts";

const REQUEST: TracedRequest = {
  connection: {
    peer: { host: "127.0.0.1", port: 5000 },
    local: { host: "127.0.0.1", port: 80 },
    tls: undefined,
    openedAt: 0,
  },
  scheme: "http",
  head: null,
  startedAt: 0,
};
const END: TracedEnd = { outcome: "sent", status: 400, fields: [], bodyBytes: 0, endedAt: 1 };

test("combineTraces: calls each in order with the same facts, and has only the hooks that one has", () => {
  const seen: unknown[] = [];
  const trace = combineTraces(
    { requestStart: (request) => void seen.push(["first", request]) },
    {},
    {
      requestStart: (request) => void seen.push(["second", request]),
      requestEnd: (request, end) => void seen.push([request, end]),
    },
  );
  assert.deepEqual(Object.keys(trace).sort(), ["requestEnd", "requestStart"]);
  trace.requestStart?.(REQUEST);
  trace.requestEnd?.(REQUEST, END);
  assert.deepEqual(seen, [
    ["first", REQUEST],
    ["second", REQUEST],
    [REQUEST, END],
  ]);
});

test("combineTraces: a hook that throws keeps no other from being called; hooks keep their this", () => {
  class Counter {
    count = 0;
    requestStart(): void {
      this.count += 1;
    }
  }
  const counter = new Counter();
  const trace = combineTraces(
    {
      requestStart: () => {
        throw new Error("first");
      },
    },
    counter,
  );
  assert.throws(() => trace.requestStart?.(REQUEST), /first/);
  assert.equal(counter.count, 1);
  const both = combineTraces(trace, trace);
  assert.throws(
    () => both.requestStart?.(REQUEST),
    (error) => {
      assert.ok(error instanceof ExceptionGroup);
      assert.equal(error.leaves().length, 2);
      return true;
    },
  );
  assert.equal(counter.count, 3);
});
