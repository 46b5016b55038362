/** Clients and handlers that take too long: answered where that can be, ended in bounded time, and others served meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cancelled, now, sleep, sleepForever } from "arborio";
import { testClient } from "../testing/test-client.ts";
import { HttpResponse } from "../web/http-response.ts";
import { runHeldUp } from "./held-up-process.test.kit.ts";
import { fieldsOf, get, RawClient, simTest } from "./raw-client.test.kit.ts";

const hello = (): Response => new HttpResponse("hello");

function assertBetween(ms: number, least: number, most: number): void {
  assert.ok(ms >= least && ms <= most, `${ms} ms, expected ${least} to ${most}`);
}

simTest("headMs: a connection that brings nothing is closed, without a word", async () => {
  await using client = testClient(hello, { timeouts: { headMs: 1000 } });
  const raw = new RawClient(client.connect());
  const before = now();
  assert.equal(await raw.end(), "end");
  assertBetween(now() - before, 1000, 1300);
});

simTest(
  "headMs: a slow loris is 408 however often it sends, the first time and later; others are served",
  async () => {
    await using client = testClient(hello, { timeouts: { headMs: 1000 } });
    for (const isFirst of [true, false]) {
      const raw = new RawClient(client.connect());
      if (!isFirst) {
        await raw.send(get());
        await raw.response();
        await sleep(5000);
      }
      const before = now();
      let isAnswered = false;
      await Promise.all([
        (async () => {
          await raw.send("GET / HTTP/1.1\r\nhost: a\r\n");
          while (!isAnswered) {
            await sleep(100);
            if (!isAnswered) await raw.send("x: y\r\n");
          }
        })(),
        (async () => {
          const { head } = await raw.response();
          isAnswered = true;
          assert.equal(head.status, 408);
          assert.deepEqual(fieldsOf(head, "connection"), ["close"]);
          assertBetween(now() - before, 1000, 1300);
        })(),
        (async () => {
          await sleep(500);
          assert.equal(await (await client.fetch("/")).text(), "hello");
        })(),
      ]);
    }
  },
);

simTest(
  "idleMs: a connection that waits for another request is closed, and one that is used is not",
  async () => {
    await using client = testClient(hello, { timeouts: { idleMs: 1000 } });
    const raw = new RawClient(client.connect());
    for (let count = 0; count < 5; count++) {
      await raw.send(get());
      assert.equal((await raw.response()).body, "hello");
      await sleep(900);
    }
    const before = now();
    assert.equal(await raw.end(), "end");
    assertBetween(now() - before, 100, 400);
  },
);

simTest(
  "handlerMs: a handler that takes longer is cancelled, its cleanup waited for, and the client gets 503",
  async () => {
    let seen: unknown;
    let cleanedAt = 0;
    await using client = testClient(
      async () => {
        try {
          return await sleepForever();
        } catch (error) {
          seen = error;
          throw error;
        } finally {
          cleanedAt = now();
        }
      },
      { timeouts: { handlerMs: 1000 } },
    );
    const raw = new RawClient(client.connect());
    const before = now();
    await raw.send(get());
    const { head } = await raw.response();
    assert.equal(head.status, 503);
    assert.deepEqual(fieldsOf(head, "connection"), ["close"]);
    assertBetween(cleanedAt - before, 1000, 1300);
    assert.ok(seen instanceof Cancelled);
  },
);

simTest("handlerMs: is not for the body of the response", async () => {
  await using client = testClient(
    () =>
      new HttpResponse(async (sink) => {
        for (let count = 0; count < 4; count++) {
          await sleep(1000);
          await sink.send("x");
        }
      }),
    { timeouts: { handlerMs: 1000 } },
  );
  assert.equal(await (await client.fetch("/")).text(), "xxxx");
});

simTest("a handler's own TimeoutError is 504", async () => {
  const { failAfter } = await import("arborio");
  await using client = testClient(() => failAfter(10, () => sleepForever()), { onError() {} });
  assert.equal((await client.fetch("/")).status, 504);
});

simTest("deadlines: none is early, and none later than a sixteenth of its length", async () => {
  for (const headMs of [100, 777, 4321]) {
    await using client = testClient(hello, {
      timeouts: { headMs, idleMs: Infinity, bodyMs: Infinity, writeMs: Infinity },
    });
    for (const delay of [0, 13, 50]) {
      await sleep(delay);
      const raw = new RawClient(client.connect());
      const before = now();
      await raw.end();
      assertBetween(now() - before, headMs, headMs * 1.07);
    }
  }
});

simTest("Infinity: nobody is hurried", async () => {
  await using client = testClient(hello, {
    timeouts: { headMs: Infinity, idleMs: Infinity, bodyMs: Infinity },
  });
  const raw = new RawClient(client.connect());
  await sleep(1e7);
  await raw.send("GET / HTTP/1.1\r\n");
  await sleep(1e7);
  await raw.send("host: a\r\n\r\n");
  assert.equal((await raw.response()).body, "hello");
  await sleep(1e7);
  await raw.send(get());
  assert.equal((await raw.response()).body, "hello");
});

test("a program that has computed for long leaves all of its time to what begins to be waited for then", async () => {
  await runHeldUp(async ({ holdUp }) => {
    const limitMs = 400;
    await using client = testClient(
      async () => {
        await sleep(300);
        return new HttpResponse("hello");
      },
      { timeouts: { headMs: limitMs, idleMs: limitMs, bodyMs: limitMs, handlerMs: limitMs } },
    );
    await sleep(1000);
    holdUp(5000);
    const raw = new RawClient(client.connect());
    for (let count = 0; count < 2; count++) {
      if (count > 0) holdUp(5000);
      await raw.send("GET / HTTP/1.1\r\n");
      await sleep(300);
      await raw.send("host: a\r\n\r\n");
      assert.equal((await raw.response()).body, "hello");
    }
    // They end all the same.
    holdUp(5000);
    const before = now();
    assert.equal(await raw.end(), "end");
    assertBetween(now() - before, 0, limitMs);
  });
});
