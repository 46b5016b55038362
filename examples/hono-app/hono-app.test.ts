import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { failAfter, now, run, runningTasks, sleep } from "arborio";
import { ConnectionFailedError, connectTcp } from "arborio/net";
import { onEveryBackend } from "arborio/testing";
import { testClient } from "@arborio/http/testing";
import { ExampleProgram } from "../testing/example-program.ts";
import { createApp } from "./app.ts";
import { Notes } from "./notes.ts";

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: 20_000 }, body));
const ON_VIRTUAL_TIME = { skip: { backend: "host", reason: "waits in virtual time" } } as const;

const json = (body: unknown): RequestInit => ({ method: "POST", body: JSON.stringify(body) });

test("hono-app: notes are added, read, listed and removed", async () => {
  await using client = testClient(createApp().fetch);
  const added = await client.fetch("/notes", json({ text: "größe" }));
  assert.deepEqual([added.status, await added.json()], [201, { id: 1, text: "größe" }]);
  await client.fetch("/notes", json({ text: "second" }));
  assert.deepEqual(await (await client.fetch("/notes/2")).json(), { id: 2, text: "second" });
  assert.equal((await client.fetch("/notes/1", { method: "DELETE" })).status, 204);
  assert.deepEqual(await (await client.fetch("/notes")).json(), [{ id: 2, text: "second" }]);
});

test("hono-app: what is not there, no JSON, and no note are answers that say so", async () => {
  await using client = testClient(createApp().fetch);
  const missing = await client.fetch("/notes/7");
  assert.deepEqual(
    [missing.status, await missing.json()],
    [404, { error: "there is no /notes/7" }],
  );
  for (const [body, status, message] of [
    ["{", 400, /JSON/],
    ["{}", 422, /needs JSON such as/],
    ['{ "text": "" }', 422, /needs 1 to 1000/],
  ] as const) {
    const response = await client.fetch("/notes", { method: "POST", body });
    assert.equal(response.status, status);
    assert.match(await response.text(), message);
  }
});

test("Notes: the oldest make room", () => {
  const notes = new Notes();
  for (let count = 0; count < 150; count++) notes.add("x");
  assert.deepEqual([notes.all.length, notes.all[0]?.id], [100, 51]);
  return Promise.resolve();
});

test(
  "hono-app: a handler that takes too long is answered for",
  async () => {
    await using client = testClient(createApp().fetch);
    const response = await client.fetch("/slow");
    assert.deepEqual([response.status, now()], [503, 5000]);
  },
  ON_VIRTUAL_TIME,
);

test(
  "hono-app: a body comes as it is made, and its maker ends when the client leaves",
  async (group) => {
    await using client = testClient(createApp().fetch, { group });
    const began = now();
    assert.equal(await (await client.fetch("/count/3")).text(), "1\n2\n3\n");
    assert.ok(now() - began >= 300);
    await sleep(1);
    const idle = runningTasks().length;
    const stream = client.connect();
    await stream.send(new TextEncoder().encode("GET /count/1000000 HTTP/1.1\r\nhost: a\r\n\r\n"));
    await sleep(250);
    assert.ok(runningTasks().length > idle);
    stream.close();
    await sleep(1);
    assert.equal(runningTasks().length, idle);
  },
  ON_VIRTUAL_TIME,
);

async function isListening(port: number): Promise<boolean> {
  try {
    using _stream = await connectTcp("localhost", port);
    return true;
  } catch (error) {
    if (error instanceof ConnectionFailedError) return false;
    throw error;
  }
}

nodeTest("hono-app, the program: serves, and Ctrl-C ends it when its requests have ended", () =>
  run(
    () =>
      failAfter(20_000, async () => {
        using program = new ExampleProgram("hono-app", ["0"]);
        const [, url = ""] = await program.until(/^notes on (.*)$/m);
        assert.match(await (await fetch(`${url}whoami`)).text(), /^(127\.0\.0\.1|::1)$/);
        const counting = await fetch(`${url}count/20`);
        program.interrupt();
        // Until it takes nobody any more.
        while (await isListening(Number(new URL(url).port))) await sleep(5);
        const numbers = Array.from({ length: 20 }, (_, index) => `${index + 1}\n`);
        assert.equal(await counting.text(), numbers.join(""));
        assert.equal(await program.ended(), 0);
        assert.equal(program.printed, `notes on ${url}\n`);
      }),
    { signals: [] },
  ),
);
