/** Clients that leave, at every byte of a request and of a response: the handler's cleanup has run, and nothing is left. */
import assert from "node:assert/strict";
import { Cancelled, runningTasks, sleep } from "arborio";
import type { MemoryStream } from "arborio/streams";
import { testClient } from "../testing/test-client.ts";
import { HttpResponse } from "../web/http-response.ts";
import { bytesOf, get, lines, post, RawClient, simTest } from "./raw-client.test.kit.ts";

/** Longest time, in milliseconds, from the client's leaving to the end of the handler's cleanup. */
const CLEANUP_MS_MAX = 10;

/** How a client leaves. */
type Departure = (stream: MemoryStream) => void;
const DEPARTURES: readonly (readonly [string, Departure])[] = [
  ["end", (stream) => stream.close()],
  ["reset", (stream) => stream.abort()],
];

/** Handlers that have begun and not ended, with their bodies. */
class Work {
  running = 0;
  begun = 0;
  readonly errors: unknown[] = [];

  async handle(request: Request): Promise<Response> {
    return await this.#during(async () => {
      const text = await request.text();
      await sleep(1);
      return new HttpResponse(async (sink) => {
        await this.#during(async () => {
          for (let count = 0; count < 3; count++) {
            await sink.send(`${text}${count}`);
            await sleep(1);
          }
        });
      });
    });
  }

  async #during<T>(fn: () => Promise<T>): Promise<T> {
    this.running += 1;
    this.begun += 1;
    try {
      return await fn();
    } catch (error) {
      this.errors.push(error);
      throw error;
    } finally {
      this.running -= 1;
    }
  }
}

const REQUESTS: readonly (readonly [string, string])[] = [
  ["a body of known length", post("some text")],
  [
    "chunks and trailers",
    lines(
      "POST / HTTP/1.1",
      "host: a",
      "transfer-encoding: chunked",
      "",
      "4",
      "some",
      "0",
      "x-t: 1",
      "",
    ),
  ],
  ["two requests", get() + get()],
];

for (const [name, request] of REQUESTS) {
  for (const [how, leave] of DEPARTURES) {
    simTest(
      `a client that leaves by ${how} at each byte of a request with ${name}: nothing is left`,
      async () => {
        const work = new Work();
        const reported: unknown[] = [];
        const client = testClient((one) => work.handle(one), {
          onError: (error) => void reported.push(error),
        });
        await client.fetch("/").then((response) => response.text());
        await sleep(CLEANUP_MS_MAX);
        const tasksBefore = runningTasks().length;
        for (let bytes = 0; bytes <= request.length; bytes++) {
          const stream = client.connect();
          await stream.send(bytesOf(request.slice(0, bytes)));
          await sleep(1.5);
          leave(stream);
          await sleep(CLEANUP_MS_MAX);
          assert.equal(work.running, 0, `after ${bytes} bytes`);
          assert.equal(client.statistics().connectionsOpen, 0, `after ${bytes} bytes`);
          assert.equal(runningTasks().length, tasksBefore, `after ${bytes} bytes`);
        }
        assert.deepEqual(reported, []);
        assert.ok(work.errors.length > 0);
        for (const error of work.errors) assert.ok(error instanceof Cancelled, String(error));
        await client.close();
      },
      [1],
    );
  }
}

for (const [how, leave] of DEPARTURES) {
  simTest(
    `a client that leaves by ${how} at each byte of a response: nothing is left`,
    async () => {
      const work = new Work();
      const reported: unknown[] = [];
      await using client = testClient((one) => work.handle(one), {
        onError: (error) => void reported.push(error),
      });
      const whole = await (async () => {
        const raw = new RawClient(client.connect());
        await raw.send(get("/", "connection: close"));
        return (await raw.rest())[0].length;
      })();
      for (let bytes = 0; bytes <= whole; bytes += 1) {
        // So little room that the server waits for the client, byte by byte.
        const stream = client.connect(1);
        const sending = stream.send(bytesOf(get("/", "connection: close")));
        for (let received = 0; received < bytes; received++) await stream.receive(1);
        await sending;
        leave(stream);
        await sleep(CLEANUP_MS_MAX);
        assert.equal(work.running, 0, `after ${bytes} bytes`);
        assert.equal(client.statistics().connectionsOpen, 0, `after ${bytes} bytes`);
      }
      assert.deepEqual(reported, []);
    },
  );
}

simTest(
  "a handler that minds no cancellation still ends with its connection, and harms nobody",
  async () => {
    let ended = 0;
    const reported: unknown[] = [];
    await using client = testClient(
      async () => {
        for (let count = 0; count < 3; count++) await sleep(5).catch(() => {});
        ended += 1;
        return new HttpResponse("too late");
      },
      { onError: (error) => void reported.push(error) },
    );
    for (const [, leave] of DEPARTURES) {
      const stream = client.connect();
      await stream.send(bytesOf(get()));
      await sleep(1);
      leave(stream);
      await sleep(30);
    }
    assert.equal(ended, 2);
    assert.deepEqual(reported, []);
    assert.equal(client.statistics().connectionsOpen, 0);
    assert.equal(await (await client.fetch("/")).text(), "too late");
  },
);

simTest(
  "a handler's failure because its client has left is nobody's error; another failure is",
  async () => {
    const reported: unknown[] = [];
    const failure = new Error("cleanup failed");
    await using client = testClient(
      async (request) => {
        try {
          await sleep(1000);
        } catch (error) {
          throw request.url.endsWith("/fails") ? failure : error;
        }
        return new HttpResponse("");
      },
      { onError: (error) => void reported.push(error) },
    );
    for (const path of ["/", "/fails"]) {
      const stream = client.connect();
      await stream.send(bytesOf(get(path)));
      await sleep(1);
      stream.close();
      await sleep(5);
    }
    assert.deepEqual(reported, [failure]);
  },
);
