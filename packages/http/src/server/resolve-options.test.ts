/** Options that would be overlooked, or end the program later, and what is told of errors by default. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import { testClient } from "../testing/test-client.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { Handler } from "./handler.ts";
import { openServer, serve } from "./open-server.ts";

const hello: Handler = () => new HttpResponse("hello");

void test("openServer, serve, testClient: what is no option is refused, so that nobody listens on all addresses by a wrong name", async () => {
  await run(async () => {
    const options = { port: 0, hostname: "127.0.0.1" } as object;
    const message = /\(\{ hostname \}\): there is no such option; there are port, host/;
    await assert.rejects(openServer(hello, options), message);
    await assert.rejects(serve(hello, options), message);
    assert.throws(() => testClient(hello, options), message);
  });
});

void test("openServer: what would fail only when it runs is refused before", async () => {
  await run(async () => {
    const cases: readonly [object, RegExp][] = [
      [
        { limits: { connectionsMax: 1.5 } },
        /connectionsMax \} \}\): got 1\.5, needs a whole number/,
      ],
      [{ listener: {} }, /\(\{ listener \}\): needs one that listenTcp or listenUnix gave/],
      [{ group: {} }, /\(\{ group \}\): needs the group that taskGroup gave/],
    ];
    for (const [options, message] of cases)
      await assert.rejects(openServer(hello, { ...options }), message);
    await assert.rejects(serve(hello, { group: {} } as object), /serve\(\{ group \}\)/);
    await assert.rejects(openServer({ fetch: hello } as never), /needs a handler: app\.fetch/);
  });
});

void test("openServer({ onError }): by default method and target are logged, and no field of the request", async () => {
  const written: unknown[][] = [];
  const { error } = console;
  console.error = (...args: unknown[]) => void written.push(args);
  try {
    await run(async () => {
      await using client = testClient(() => {
        throw new Error("broken");
      });
      await client.fetch("/path?query", { headers: { authorization: "Bearer secret" } });
    });
  } finally {
    console.error = error;
  }
  assert.equal(written.length, 1);
  assert.equal(written[0]?.[0], "HTTP server: GET /path?query:");
  assert.match(String(written[0]?.[1]), /broken/);
  assert.equal(written[0]?.length, 2);
});
