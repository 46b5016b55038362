import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { Event, gather, moveOnAfter, now, run, sleep, sleepForever, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { onEveryBackend } from "arborio/testing";
import { testClient } from "../testing.ts";
import { eventStreamResponse } from "./event-stream-response.ts";
import type { EventProducer } from "./produce-events.ts";

const test = onEveryBackend(runnerTest);

const serving = (produce: EventProducer) => (request: Request) =>
  eventStreamResponse(request, produce);

/** The pieces of a body as they come. */
function piecesOf(response: Response): {
  next(): Promise<string | undefined>;
  leave(): Promise<void>;
} {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  return {
    async next() {
      const { value, done } = await reader.read();
      return done ? undefined : new TextDecoder().decode(value);
    },
    leave: () => reader.cancel(),
  };
}

test("an event stream over the server: each event comes when it is sent, and the end when the producer returns", async () => {
  const goOn = new Event();
  await using client = testClient(
    serving(async (events) => {
      await events.send({ data: "first" });
      await goOn.wait();
      await events.send({ data: "second" });
    }),
  );
  const response = await client.fetch("/");
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const pieces = piecesOf(response);
  assert.equal(await pieces.next(), "data: first\n\n");
  goOn.set();
  assert.equal(await pieces.next(), "data: second\n\n");
  assert.equal(await pieces.next(), undefined);
});

test("an event stream over the server: when the client leaves, the producer is cancelled and has cleaned up", async () => {
  const cleaned = new Event();
  const reports: unknown[] = [];
  await using client = testClient(
    serving(async (events) => {
      try {
        await events.send({ data: "first" });
        await sleepForever();
      } finally {
        cleaned.set();
      }
    }),
    { onError: (error) => void reports.push(error) },
  );
  const pieces = piecesOf(await client.fetch("/"));
  await pieces.next();
  await pieces.leave();
  await cleaned.wait();
  assert.deepEqual(reports, []);
});

test("an event stream over the server: a producer that fails breaks the stream off, and is reported", async () => {
  const failure = new Error("no more");
  const goOn = new Event();
  const reports: unknown[] = [];
  await using client = testClient(
    serving(async (events) => {
      await events.send({ data: "first" });
      await goOn.wait();
      throw failure;
    }),
    { onError: (error) => void reports.push(error) },
  );
  const pieces = piecesOf(await client.fetch("/"));
  assert.equal(await pieces.next(), "data: first\n\n");
  goOn.set();
  await assert.rejects(pieces.next());
  assert.deepEqual(reports, [failure]);
});

test("an event stream over the server: HEAD does not call the producer", async () => {
  let called = false;
  await using client = testClient(serving(async () => void (called = true)));
  const response = await client.fetch("/", { method: "HEAD" });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "");
  assert.equal(called, false);
});

test("an event stream over the server: a shutdown ends the stream in order, long before its grace is over", async () => {
  const client = testClient(
    serving(async (events) => {
      await events.send({ id: "1", data: "first" });
      await sleepForever();
    }),
    { graceMs: 60_000 },
  );
  const pieces = piecesOf(await client.fetch("/"));
  assert.equal(await pieces.next(), "id: 1\ndata: first\n\n");
  const begun = now();
  const [rest] = await gather([() => pieces.next(), () => client.close()]);
  assert.equal(rest, undefined);
  assert.ok(now() - begun < 5000);
});

runnerTest(
  "an event stream over the server: a client that reads nothing more holds the producer, and is given up after writeMs",
  () =>
    run(
      async () => {
        let sent = 0;
        const cleaned = new Event();
        const piece = "x".repeat(10_000);
        await using client = testClient(
          serving(async (events) => {
            try {
              for (;;) {
                await events.send({ data: piece });
                sent += 1;
              }
            } finally {
              cleaned.set();
            }
          }),
          { timeouts: { writeMs: 20_000 } },
        );
        const response = await client.fetch("/");
        await sleep(10_000);
        const held = sent;
        assert.ok(held > 0 && held < 100, `${held} pieces of 10 kB were sent`);
        await sleep(5000);
        assert.equal(sent, held);
        await moveOnAfter(60_000, () => cleaned.wait());
        assert.ok(cleaned.isSet);
        await response.body?.cancel();
      },
      { backend: simulator({ seed: 1 }) },
    ),
);

for (const cleanup of ["works", "fails"]) {
  test(`an event stream over the server: a client that leaves tasks of a producer whose cleanup ${cleanup} ends nothing but its connection`, async () => {
    const ended = new Event();
    const reports: unknown[] = [];
    const failure = new Error("the cleanup failed");
    const fail = (): never => {
      throw failure;
    };
    const produce: EventProducer = async (events) => {
      try {
        await taskGroup(async (group) => {
          group.startSoon(() => sleepForever());
          for (;;) await events.send({ data: "x".repeat(10_000) });
        });
      } finally {
        ended.set();
        if (cleanup === "fails") fail();
      }
    };
    const handler = serving(produce);
    await using client = testClient(
      (request) => (request.url.endsWith("/other") ? new Response("fine") : handler(request)),
      { onError: (error) => void reports.push(error) },
    );
    const pieces = piecesOf(await client.fetch("/"));
    await pieces.next();
    await pieces.leave();
    await ended.wait();
    const other = await client.fetch("/other");
    assert.equal(await other.text(), "fine");
    await client.close();
    assert.deepEqual(reports, cleanup === "fails" ? [failure] : []);
  });
}
