import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { currentScope, run, sleep } from "arborio";
import { onEveryBackend } from "arborio/testing";
import { simulator } from "arborio/sim";
import { readEventStream } from "../protocol/event-stream.test.kit.ts";
import { eventStreamResponse } from "./event-stream-response.ts";

const test = onEveryBackend(runnerTest);
const URL = "http://localhost/events";

test("eventStreamResponse: an event stream that nobody keeps, with what the producer sends", async () => {
  const response = eventStreamResponse(
    new Request(URL),
    async (events) => {
      await events.send({ id: "1", data: "one" });
      await events.send({ event: "bye", data: "two" });
    },
    { retryMs: 2000 },
  );
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("x-accel-buffering"), "no");
  const seen = readEventStream(await response.text());
  assert.equal(seen.retryMs, 2000);
  assert.deepEqual(seen.events, [
    { type: "message", data: "one", lastEventId: "1" },
    { type: "bye", data: "two", lastEventId: "1" },
  ]);
});

runnerTest("eventStreamResponse: the producer is not called until the body is sent", () => {
  let called = false;
  eventStreamResponse(new Request(URL), async () => {
    called = true;
  });
  assert.equal(called, false);
});

test("eventStreamResponse: the last event id is what the client sent, in UTF-8", async () => {
  const sent = [undefined, "", "41", "\u00c3\u00a9", "\u00f0\u009f\u0098\u0080", "\u00e9"];
  const got: (string | undefined)[] = [];
  for (const id of sent) {
    const headers = id === undefined ? [] : [["last-event-id", id] as [string, string]];
    const response = eventStreamResponse(new Request(URL, { headers }), async (events) => {
      got.push(events.lastEventId);
    });
    assert.equal(await response.text(), "");
  }
  assert.deepEqual(got, [undefined, undefined, "41", "é", "😀", "\ufffd"]);
});

runnerTest(
  "eventStreamResponse: a comment after 15 seconds of silence, or as given, or never",
  async () => {
    const quiet = (options: { heartbeatMs?: number }) =>
      run(() => eventStreamResponse(new Request(URL), () => sleep(60_000 - 1), options).text(), {
        backend: simulator({ seed: 1 }),
      });
    assert.equal(await quiet({}), ":\n\n:\n\n:\n\n");
    assert.equal(await quiet({ heartbeatMs: 30_000 }), ":\n\n");
    assert.equal(await quiet({ heartbeatMs: Infinity }), "");
  },
);

test("eventStreamResponse: fields of the caller come too, and win", async () => {
  const response = eventStreamResponse(new Request(URL), async () => assert.ok(currentScope()), {
    headers: [
      ["Cache-Control", "no-cache"],
      ["X-Mine", "1"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ],
  });
  assert.equal(response.headers.get("cache-control"), "no-cache");
  assert.equal(response.headers.get("x-mine"), "1");
  assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
  assert.equal(await response.text(), "");
});

runnerTest("eventStreamResponse: wrong options are refused before anything is sent", () => {
  const request = new Request(URL);
  const nothing = () => Promise.resolve();
  for (const heartbeatMs of [0, -1, Number.NaN])
    assert.throws(() => eventStreamResponse(request, nothing, { heartbeatMs }), RangeError);
  assert.throws(() => eventStreamResponse(request, nothing, { retryMs: 0.5 }), RangeError);
  assert.throws(
    () => eventStreamResponse(request, nothing, { headers: { "x-a": "a\nb" } }),
    TypeError,
  );
  assert.throws(() => eventStreamResponse(request, undefined as never), /needs a function/);
});
