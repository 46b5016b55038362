import assert from "node:assert/strict";
import { test } from "node:test";
import { run, sleep } from "arborio";
import { simulator } from "arborio/sim";
import { testClient } from "../testing.ts";
import { HttpError } from "../web/http-error.ts";
import { HttpResponse } from "../web/http-response.ts";
import { accessLog } from "./access-log.ts";
import { combineTraces } from "./combine-traces.ts";

const FORMAT = '"%r" %s %b %T "%{content-type}o"';

async function handle(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/missing") throw new HttpError(404, "no such page");
  if (pathname === "/broken") throw new Error("broken");
  if (pathname === "/slow") await sleep(3000);
  if (pathname === "/stream") {
    return new HttpResponse(async (sink) => {
      for (let count = 0; count < 4; count++) {
        await sink.send("12345");
        await sleep(1000);
      }
    });
  }
  return new HttpResponse("hello");
}

/** What the log has when `use` is done, and the client closed. */
async function linesOf(
  use: (client: ReturnType<typeof testClient>) => Promise<unknown>,
): Promise<string[]> {
  const lines: string[] = [];
  await run(
    async () => {
      const trace = combineTraces(accessLog({ format: FORMAT, sink: (line) => lines.push(line) }));
      const client = testClient(handle, { trace, onError: () => {} });
      await use(client);
      await client.close();
    },
    { backend: simulator({ seed: 1 }) },
  );
  return lines;
}

test("accessLog over the server: a line for each request, with what was sent of its response", async () => {
  const lines = await linesOf(async (client) => {
    for (const path of ["/", "/missing", "/broken", "/slow", "/stream"])
      await (await client.fetch(path)).text();
    await (await client.fetch("/", { method: "HEAD" })).text();
  });
  assert.deepEqual(lines, [
    '"GET / HTTP/1.1" 200 5 0 "text/plain;charset=UTF-8"',
    '"GET /missing HTTP/1.1" 404 28 0 "text/plain;charset=utf-8"',
    '"GET /broken HTTP/1.1" 500 26 0 "text/plain;charset=utf-8"',
    '"GET /slow HTTP/1.1" 200 5 3 "text/plain;charset=UTF-8"',
    '"GET /stream HTTP/1.1" 200 20 4 "-"',
    '"HEAD / HTTP/1.1" 200 0 0 "text/plain;charset=UTF-8"',
  ]);
});

test("accessLog over the server: pipelined requests each have theirs, in order", async () => {
  const lines = await linesOf(async (client) => {
    using stream = client.connect();
    const requests = ["/a", "/slow", "/c"].map((path) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`);
    await stream.send(new TextEncoder().encode(requests.join("")));
    await sleep(10_000);
  });
  assert.deepEqual(
    lines.map((line) => line.slice(0, 16)),
    ['"GET /a HTTP/1.1', '"GET /slow HTTP/', '"GET /c HTTP/1.1'],
  );
});

test("accessLog over the server: a client that leaves while its handler works is 499, one that leaves later what was sent", async () => {
  const leaveAfter = (path: string, ms: number) =>
    linesOf(async (client) => {
      const stream = client.connect();
      await stream.send(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`));
      await sleep(ms);
      stream.close();
      await sleep(10_000);
    });
  assert.deepEqual(await leaveAfter("/slow", 1500), ['"GET /slow HTTP/1.1" 499 0 1 "-"']);
  assert.deepEqual(await leaveAfter("/stream", 1500), ['"GET /stream HTTP/1.1" 200 10 1 "-"']);
});

test("accessLog over the server: what is no request has a line, and cannot forge another", async () => {
  const lines = await linesOf(async (client) => {
    using stream = client.connect();
    await stream.send(new TextEncoder().encode('GET / HTTP/1.1\r\nhost: a\n127.0.0.1 "x"\r\n\r\n'));
    await sleep(1000);
  });
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /^"-" 400 [0-9]+ 0 "text\/plain;charset=utf-8"$/);
});
