import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import {
  BrokenResourceError,
  Cancelled,
  ClosedResourceError,
  moveOnAfter,
  sleep,
  sleepForever,
} from "arborio";
import { cancelEverywhere, onEveryBackend } from "arborio/testing";
import { HttpResponse } from "../web/http-response.ts";
import { testClient } from "./test-client.ts";

const test = onEveryBackend(runnerTest);

test("testClient: fetch sends method, path, query, fields and body, and gives status, fields and body", async () => {
  await using client = testClient(async (request) => {
    const text = `${request.method} ${request.url} ${request.headers.get("x-a")} ${await request.text()}`;
    return new HttpResponse(text, { status: 201, headers: { "x-b": "c" } });
  });
  const response = await client.fetch("/a?b=c", {
    method: "PUT",
    headers: { "x-a": "d" },
    body: "hé",
  });
  assert.equal(response.status, 201);
  assert.equal(response.statusText, "Created");
  assert.equal(response.headers.get("x-b"), "c");
  assert.equal(await response.text(), "PUT http://localhost/a?b=c d hé");
});

test("testClient: a Request, and bodies of any kind, there and back", async () => {
  await using client = testClient((request) => new HttpResponse(request.body));
  const request = new Request("http://example.org/x", { method: "POST", body: "text" });
  assert.equal(await (await client.fetch(request)).text(), "text");
  const large = new Uint8Array(300_000).fill(7);
  const response = await client.fetch("/", { method: "POST", body: large });
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), large);
  async function* pieces(): AsyncGenerator<string> {
    for (let count = 0; count < 3; count++) {
      await sleep(1);
      yield `${count}`;
    }
  }
  assert.equal(await (await client.fetch("/", { method: "POST", body: pieces() })).text(), "012");
});

test("testClient: fetch that is cancelled is a client that leaves", async () => {
  let left: unknown;
  await using client = testClient(async () => {
    try {
      return await sleepForever();
    } catch (error) {
      left = error;
      throw error;
    }
  });
  await moveOnAfter(10, () => client.fetch("/"));
  await sleep(10);
  assert.ok(left instanceof Cancelled);
});

test("testClient: a body that is cut is BrokenResourceError", async () => {
  const reported: unknown[] = [];
  const options = { onError: (error: unknown) => void reported.push(error) };
  await using client = testClient(
    () =>
      new HttpResponse(async (sink) => {
        await sink.send("some");
        throw new Error("no more");
      }),
    options,
  );
  const response = await client.fetch("/");
  await assert.rejects(response.text(), BrokenResourceError);
  assert.equal((reported[0] as Error).message, "no more");
});

test("testClient: closed, it cancels what goes on, and takes no more", async () => {
  let ended = false;
  const client = testClient(async () => {
    try {
      return await sleepForever();
    } finally {
      ended = true;
    }
  });
  const stream = client.connect();
  await stream.send(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
  await sleep(5);
  await client.close();
  assert.ok(ended);
  await assert.rejects(client.fetch("/"), ClosedResourceError);
  await client.close();
});

test(
  "testClient: cancelled at every checkpoint, nothing is left",
  async () => {
    await cancelEverywhere(async (round) => {
      let running = 0;
      const opened = testClient(async (request) => {
        running += 1;
        try {
          await sleep(1);
          return new HttpResponse(await request.text());
        } finally {
          running -= 1;
        }
      });
      round.after(() => {
        assert.equal(running, 0);
        assert.equal(opened.statistics().connectionsOpen, 0);
      });
      await using client = opened;
      const response = await client.fetch("/", { method: "POST", body: "text" });
      assert.equal(await response.text(), "text");
    });
  },
  { skip: { backend: "host", reason: "each round has to take the same course" } },
);

test("testClient: a connection that is broken off before the server has taken it harms nobody", async () => {
  await using client = testClient(() => new HttpResponse("hello"));
  const stream = client.connect();
  await stream.send(new Uint8Array([1]));
  stream.abort();
  client.connect().close();
  assert.equal(await (await client.fetch("/")).text(), "hello");
});
