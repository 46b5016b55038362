/** What a response holds, as the web has it. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { sleep } from "arborio";
import { onEveryBackend } from "arborio/testing";
import { openServer } from "../server/open-server.ts";
import type { BodySink } from "../web/body-producer.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openHttpClient } from "./http-client.ts";

const test = onEveryBackend(nodeTest);

test("text is UTF-8, a BOM is none of it, JSON that is none says what came from where", async () => {
  const answers: Record<string, () => Response> = {
    "/latin1": () =>
      new HttpResponse(Uint8Array.of(0x68, 0xe9), {
        headers: { "content-type": "text/plain; charset=iso-8859-1" },
      }),
    "/bom": () => new HttpResponse(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)),
    "/html": () =>
      new HttpResponse("<html>Oops</html>", {
        status: 502,
        headers: { "content-type": "text/html" },
      }),
    "/long": () => new HttpResponse(`<${"x".repeat(100_000)}`),
    "/empty": () => new HttpResponse(null),
    "/json": () => HttpResponse.json({ a: 1 }),
    "/form": () => new HttpResponse(new URLSearchParams({ a: "b" })),
  };
  await using server = await openServer(
    (request) => (answers[new URL(request.url).pathname] as () => Response)(),
    { port: 0 },
  );
  await using client = openHttpClient({ base: server.url });
  assert.equal(await (await client.fetch("/latin1")).text(), "h\ufffd");
  assert.equal(await (await client.fetch("/bom")).text(), "a");
  const noJson =
    /GET http:.*\/html: the response \(502, text\/html\) is no JSON: .*"<html>Oops<\/html>"$/;
  await assert.rejects(
    async () => (await client.fetch("/html")).json(),
    (error) => error instanceof SyntaxError && noJson.test(error.message),
  );
  const collected = await client.request("/html");
  assert.throws(() => collected.json(), noJson);
  await assert.rejects(async () => (await client.fetch("/empty")).json(), /it is empty/);
  await assert.rejects(
    async () => (await client.fetch("/long")).json(),
    (error) => /"<x{59}"$/.test(String(error)) && String(error).length < 400,
  );
  assert.deepEqual(await (await client.fetch("/json")).json(), { a: 1 });
  assert.equal((await (await client.fetch("/form")).formData()).get("a"), "b");
  await assert.rejects(async () => (await client.fetch("/json")).formData(), TypeError);
  const blob = await (await client.fetch("/json")).blob();
  assert.match(blob.type, /^application\/json/);
});

test("a body is read once; a clone has it too; what is a web stream is always the same", async () => {
  await using server = await openServer(
    (request) =>
      request.url.endsWith("moved")
        ? HttpResponse.redirect("/large")
        : new HttpResponse(request.url.endsWith("large") ? new Uint8Array(200_000) : "hello"),
    { port: 0 },
  );
  await using client = openHttpClient({ base: server.url });
  for (const [path, bytes] of [
    ["/", 5],
    ["/large", 200_000],
    ["/moved", 200_000],
  ] as const) {
    const response = await client.fetch(path);
    assert.equal(response.bodyUsed, false);
    assert.equal(response.body, response.body);
    const clone = response.clone();
    assert.equal(clone.redirected, path === "/moved");
    assert.deepEqual(clone.history, response.history);
    const [one, other] = await Promise.all([response.bytes(), clone.arrayBuffer()]);
    assert.deepEqual([one.length, other.byteLength], [bytes, bytes]);
    assert.equal(response.bodyUsed, true);
    await assert.rejects(response.text(), /read already/);
    assert.throws(() => response.clone(), /read already/);
    assert.throws(() => response.bodyStream, /read already/);
  }
  const last = await client.fetch("/");
  assert.ok(last instanceof Response);
  await last.text();
  assert.equal(client.statistics().connectionsOpen, client.statistics().connectionsIdle);
});

test("a clone and its original are closed each for itself; the connection is free when both are closed or read", async () => {
  const body = async (sink: BodySink): Promise<void> => {
    for (let count = 0; count < 5; count++) {
      await sink.send(new Uint8Array(100_000));
      await sleep(10);
    }
  };
  await using server = await openServer(() => new HttpResponse(body), { port: 0 });
  await using client = openHttpClient({ base: server.url });
  const active = (): number => client.statistics().connectionsActive;
  for (const closesClone of [true, false]) {
    const response = await client.fetch("/");
    const clone = response.clone();
    const third = (closesClone ? response : clone).clone();
    const [closed, open] = closesClone ? [clone, response] : [response, clone];
    closed.close();
    assert.ok(closed.bodyUsed);
    assert.equal((await open.bytes()).length, 500_000);
    assert.equal((await third.bytes()).length, 500_000);
    assert.equal(active(), 0);
    closed.close();
  }
  {
    using response = await client.fetch("/");
    using clone = response.clone();
    for await (const piece of clone.body ?? []) {
      assert.ok(piece.length > 0);
      break;
    }
    assert.equal(active(), 1);
  }
  await sleep(10);
  assert.equal(active(), 0);
});
