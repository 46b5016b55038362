import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import {
  BrokenResourceError,
  CancelScope,
  ClosedResourceError,
  currentScope,
  EndOfStream,
  Event,
  gather,
  moveOnAfter,
  now,
  run,
  sleep,
  sleepForever,
  taskGroup,
} from "arborio";
import { simulator } from "arborio/sim";
import { createMemoryStreamPair, type MemoryStream } from "arborio/streams";
import { cancelEverywhere, onEveryBackend } from "arborio/testing";
import { readEventStream } from "../protocol/event-stream.test.kit.ts";
import type { BodySink } from "../web/body-producer.ts";
import { type EventProducer, type EventSink, produceEvents } from "./produce-events.ts";

const test = onEveryBackend(runnerTest);
const ON_VIRTUAL_TIME = { skip: { backend: "host", reason: "waits in virtual time" } } as const;

const utf8 = new TextEncoder();

function sinkOf(stream: MemoryStream): BodySink {
  return {
    send: (piece) => stream.send(typeof piece === "string" ? utf8.encode(piece) : piece),
  };
}

async function received(stream: MemoryStream): Promise<string> {
  let text = "";
  try {
    for (;;) text += new TextDecoder().decode(await stream.receive());
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
  }
  return text;
}

const OPTIONS = { heartbeatMs: 15_000, lastEventId: undefined };

/** What the client gets, until the stream ends in order. */
async function streamOf(produce: EventProducer, options = OPTIONS): Promise<string> {
  const [server, client] = createMemoryStreamPair();
  const [, text] = await gather([
    async () => {
      await produceEvents(sinkOf(server), produce, options);
      await server.sendEof();
    },
    () => received(client),
  ]);
  return text as string;
}

test("produceEvents: events in order, whole, and the end when the producer returns", async () => {
  const text = await streamOf(async (events) => {
    for (let id = 1; id <= 3; id++) await events.send({ id: `${id}`, data: `line\n${id}` });
  });
  assert.deepEqual(
    readEventStream(text).events.map(({ data, lastEventId }) => [data, lastEventId]),
    [
      ["line\n1", "1"],
      ["line\n2", "2"],
      ["line\n3", "3"],
    ],
  );
});

test(
  "produceEvents: a comment each time nothing was sent for heartbeatMs, none while events flow",
  async () => {
    const text = await streamOf(async (events) => {
      for (let n = 0; n < 10; n++) {
        await sleep(10_000);
        await events.send({ data: "x" });
      }
      await sleep(50_000);
      await events.send({ data: "late" });
    });
    const [flowing, quiet] = text.split(/(?<=(?:data: x\n\n){10})/) as [string, string];
    assert.equal(flowing, "data: x\n\n".repeat(10));
    assert.equal(quiet, ":\n\n:\n\n:\n\ndata: late\n\n");
  },
  ON_VIRTUAL_TIME,
);

test(
  "produceEvents: a slow client holds the producer back, with one event on its way",
  async () => {
    let sent = 0;
    let clientTook = 0;
    const sink: BodySink = {
      async send() {
        await sleep(1000);
        clientTook += 1;
      },
    };
    await produceEvents(
      sink,
      async (events) => {
        for (let n = 0; n < 20; n++) {
          await events.send({ data: "x" });
          sent += 1;
          assert.ok(sent - clientTook <= 1, `${sent} sent, ${clientTook} taken`);
        }
      },
      OPTIONS,
    );
    assert.equal(clientTook, 20);
    assert.equal(now(), 20_000);
  },
  ON_VIRTUAL_TIME,
);

test(
  "produceEvents: a send cut short sent nothing, and the stream goes on whole",
  async () => {
    const [server, client] = createMemoryStreamPair({ capacity: 4 });
    const produce: EventProducer = async (events) => {
      await events.send({ data: "first" }); // on its way: nobody receives yet
      const cut = await moveOnAfter(5, async () => {
        await events.send({ data: "second" });
        return "sent";
      });
      assert.equal(cut, undefined);
      await events.send({ data: "third" });
    };
    const [, text] = await gather([
      async () => {
        await produceEvents(sinkOf(server), produce, OPTIONS);
        await server.sendEof();
      },
      async () => {
        await sleep(50);
        return await received(client);
      },
    ]);
    assert.equal(text, "data: first\n\ndata: third\n\n");
  },
  ON_VIRTUAL_TIME,
);

test("produceEvents: an event that cannot be sent is the caller's error, and the stream goes on", async () => {
  const text = await streamOf(async (events) => {
    await assert.rejects(events.send({ id: "a\nb" }), TypeError);
    await events.send({ data: "still there" });
  });
  assert.equal(text, "data: still there\n\n");
});

test("produceEvents: the producer's error comes out bare, after what was sent before it", async () => {
  const pieces: unknown[] = [];
  const sink: BodySink = { send: async (piece) => void pieces.push(piece) };
  const broken = new Error("no more ticks");
  await assert.rejects(
    produceEvents(
      sink,
      async (events) => {
        await events.send({ data: "a" });
        throw broken;
      },
      OPTIONS,
    ),
    (error) => error === broken,
  );
  assert.deepEqual(pieces, ["data: a\n\n"]);
});

test("produceEvents: a client that is gone cancels the producer; its cleanup has run, the error is the connection's", async () => {
  const gone = new BrokenResourceError("the client has left");
  const sink: BodySink = { send: () => Promise.reject(gone) };
  let cleaned = false;
  const produce: EventProducer = async (events) => {
    try {
      await events.send({ data: "a" });
      await sleepForever();
    } finally {
      cleaned = true;
    }
  };
  await assert.rejects(produceEvents(sink, produce, OPTIONS), (error) => error === gone);
  assert.ok(cleaned);
});

test("produceEvents: when the cleanup fails after the client has gone, that is the error", async () => {
  const gone = new BrokenResourceError("the client has left");
  const failure = new Error("the cleanup failed");
  const fail = (): never => {
    throw failure;
  };
  const produce: EventProducer = async (events) => {
    try {
      await events.send({ data: "a" });
      await sleepForever();
    } finally {
      fail();
    }
  };
  const sink: BodySink = { send: () => Promise.reject(gone) };
  await assert.rejects(produceEvents(sink, produce, OPTIONS), (error) => error === failure);
});

test(
  "produceEvents: a client that is gone is found by a heartbeat while nothing happens",
  async () => {
    const gone = new BrokenResourceError("the client has left");
    const sink: BodySink = { send: () => Promise.reject(gone) };
    await assert.rejects(
      produceEvents(sink, () => sleepForever(), OPTIONS),
      gone,
    );
    assert.equal(now(), 15_000);
  },
  ON_VIRTUAL_TIME,
);

test("produceEvents: a shutdown ends producer and stream in order, with the event on its way", async () => {
  const [server, client] = createMemoryStreamPair({ capacity: 4 });
  const scope = new CancelScope();
  const sending = new Event();
  let asked = false;
  const produce: EventProducer = async (events) => {
    await events.send({ data: "a long event, of which four bytes fit" });
    sending.set();
    try {
      await events.send({ data: "never" });
    } finally {
      asked = currentScope().shuttingDown;
    }
  };
  const [, text] = await gather([
    async () => {
      await scope.run(() => produceEvents(sinkOf(server), produce, OPTIONS));
      await server.sendEof();
    },
    async () => {
      await sending.wait();
      scope.shutdown({ graceMs: 10_000 });
      return await received(client);
    },
  ]);
  assert.equal(text, "data: a long event, of which four bytes fit\n\n");
  assert.ok(asked);
  assert.equal(scope.cancelledCaught, false);
});

test("produceEvents: several tasks may send; an EventSink that is kept says that the stream has ended", async () => {
  let kept: EventSink | undefined;
  const text = await streamOf(
    async (events) => {
      kept = events;
      assert.equal(events.lastEventId, "41");
      await taskGroup((group) => {
        for (let n = 0; n < 5; n++) group.startSoon(() => events.send({ data: `${n}` }));
      });
    },
    { ...OPTIONS, lastEventId: "41" as never },
  );
  const data = readEventStream(text).events.map((event) => event.data);
  assert.deepEqual(data.sort(), ["0", "1", "2", "3", "4"]);
  await assert.rejects(kept?.send({ data: "x" }) as Promise<void>, (error) => {
    assert.ok(error instanceof ClosedResourceError);
    assert.match(error.message, /has ended/);
    return true;
  });
});

runnerTest(
  "produceEvents: cancelled at every checkpoint, the producer has cleaned up and only whole events were begun",
  () =>
    run(
      async () => {
        const sweep = await cancelEverywhere(async (round) => {
          const [server, client] = createMemoryStreamPair({ capacity: 8 });
          let entered = 0;
          let cleaned = 0;
          const pieces: string[] = [];
          const sink: BodySink = {
            async send(piece) {
              pieces.push(piece as string);
              await server.send(utf8.encode(piece as string));
            },
          };
          round.after(() => {
            assert.equal(cleaned, entered);
            for (const piece of pieces) assert.match(piece, /^(?::\n\n|data: [ab]\n\n)$/);
          });
          await gather([
            async () => {
              await produceEvents(
                sink,
                async (events) => {
                  entered += 1;
                  try {
                    await events.send({ data: "a" });
                    await sleep(20_000);
                    await events.send({ data: "b" });
                  } finally {
                    cleaned += 1;
                  }
                },
                OPTIONS,
              );
              await server.sendEof();
            },
            () => received(client),
          ]);
          assert.deepEqual(pieces, ["data: a\n\n", ":\n\n", "data: b\n\n"]);
        });
        assert.ok(sweep.rounds.waiting >= 8, JSON.stringify(sweep.rounds));
      },
      { backend: simulator({ seed: 1 }) },
    ),
);
