/** What becomes of the response: statuses as errors, middleware, signals, deadlines; and `fetch` in the hands of others. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hc } from "hono/client";
import { Hono } from "hono";
import { now, sleep } from "arborio";
import { onEveryBackend } from "arborio/testing";
import { basicCredentials } from "../protocol/credentials.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { ClientResponse } from "./client-response.ts";
import { openHttpClient } from "./http-client.ts";
import type { Middleware } from "./middleware.ts";
import { ownFields, type Seen, sitesTest } from "./sites.test.kit.ts";
import { StatusError } from "./status-error.ts";

const A = "http://a.wild.test";

sitesTest(
  "raiseForStatus: of the client, the request, the response; true or a function",
  async (sites) => {
    await using client = sites.client({ raiseForStatus: true });
    sites.answer = ({ target }) =>
      new HttpResponse(`body ${"x".repeat(20_000)}`, {
        status: Number(target.slice(1)),
        headers: { "x-why": "1" },
      });
    assert.equal((await client.request(`${A}/200`)).status, 200);
    assert.equal((await client.request(`${A}/299`)).status, 299);
    for (const status of [400, 404, 500, 599]) {
      await assert.rejects(
        client.fetch(`http://me:secret@a.wild.test/${status}`, { method: "DELETE" }),
        (error) => {
          assert.ok(error instanceof StatusError);
          assert.equal(error.status, status);
          assert.equal(error.url, `${A}/${status}`);
          assert.equal(error.method, "DELETE");
          assert.equal(error.headers.get("x-why"), "1");
          assert.ok(error.bodyText.startsWith("body xxx") && error.bodyText.length === 8192);
          assert.match(
            error.message,
            new RegExp(`^DELETE ${A}/${status}: the status is ${status}`),
          );
          return true;
        },
      );
    }
    const response = await client.request(`${A}/404`, { raiseForStatus: false });
    assert.throws(() => response.raiseForStatus(), StatusError);
    const fetched = await client.fetch(`${A}/404`, {
      raiseForStatus: ({ status }) => status !== 404,
    });
    await assert.rejects(fetched.raiseForStatus(), { name: "StatusError", status: 404 });
    await assert.rejects(client.fetch(`${A}/200`, { raiseForStatus: () => true }), { status: 200 });
    const fine = await client.fetch(`${A}/200`);
    assert.equal(await fine.raiseForStatus(), fine);
    fine.close();
    class Odd extends Error {}
    await assert.rejects(
      client.fetch(`${A}/200`, {
        raiseForStatus: () => {
          throw new Odd();
        },
      }),
      Odd,
    );
  },
);

sitesTest("raiseForStatus: a body that does not come is not waited for", async (sites) => {
  await using client = sites.client({ raiseForStatus: true });
  sites.answer = () =>
    new HttpResponse(
      async (sink) => {
        await sink.send("begin");
        await sleep(1_000_000);
      },
      { status: 500 },
    );
  const started = now();
  await assert.rejects(client.fetch(`${A}/`), { name: "StatusError", bodyText: "begin" });
  assert.ok(now() - started < 2000);
  const thrown = new Error("odd");
  const raiseForStatus = (): never => {
    throw thrown;
  };
  await assert.rejects(client.fetch(`${A}/`, { raiseForStatus }), (error) => error === thrown);
  assert.equal(client.statistics().connectionsActive, 0);
});

sitesTest(
  "raiseForStatus: a body that breaks off, or cannot be decoded, takes the status nothing",
  async (sites) => {
    await using client = sites.client({ raiseForStatus: true });
    sites.answer = () =>
      new HttpResponse(
        async (sink) => {
          await sink.send("begin");
          await sleep(10);
          throw new Error("broken");
        },
        { status: 500 },
      );
    await assert.rejects(client.fetch(`${A}/`), { name: "StatusError", bodyText: "begin" });
    sites.answer = () =>
      new HttpResponse("no gzip", { status: 502, headers: { "content-encoding": "gzip" } });
    await assert.rejects(client.fetch(`${A}/`), { name: "StatusError", status: 502, bodyText: "" });
  },
);

sitesTest("raiseForStatus: of a body without end the beginning is kept", async (sites) => {
  await using client = sites.client({ raiseForStatus: true });
  let sent = 0;
  sites.answer = () =>
    new HttpResponse(
      async (sink) => {
        for (;;) {
          await sink.send("x".repeat(5000));
          sent += 5000;
        }
      },
      { status: 500 },
    );
  await assert.rejects(client.fetch(`${A}/`), { name: "StatusError", bodyText: "x".repeat(8192) });
  await sleep(2000);
  assert.ok(sent < 1_000_000, `${sent}`);
  assert.equal(client.statistics().connectionsOpen, 0);
});

sitesTest(
  "middleware: a request's takes the place of the client's, which it can name",
  async (sites) => {
    const log: string[] = [];
    const logging =
      (name: string): Middleware =>
      async (request, next) => {
        log.push(`${name}>`);
        const response = await next(request.with({ headers: { [`x-${name}`]: "1" } }));
        log.push(`<${name}`);
        return response;
      };
    await using client = sites.client({ middleware: [logging("a"), logging("b")] });
    await client.request(`${A}/`);
    assert.deepEqual(log.splice(0), ["a>", "b>", "<b", "<a"]);
    await client.request(`${A}/`, { middleware: [] });
    assert.deepEqual(log.splice(0), []);
    await client.request(`${A}/`, { middleware: [...client.middleware, logging("c")] });
    assert.deepEqual(log.splice(0), ["a>", "b>", "c>", "<c", "<b", "<a"]);
    assert.deepEqual(ownFields(sites.seen[2] as Seen), ["x-a: 1", "x-b: 1", "x-c: 1"]);
    assert.ok(Object.isFrozen(client.middleware));
  },
);

sitesTest(
  "request.respond: any response in place of the network: text, streams, the platform's, redirects",
  async (sites) => {
    const answers: Record<string, () => Response> = {
      "/text": () =>
        new HttpResponse("text", { status: 203, statusText: "Well", headers: { "x-a": "1" } }),
      "/made": () => new HttpResponse(async (sink) => sink.send("made")),
      "/platform": () => new Response("platform"),
      "/none": () => new HttpResponse(null, { status: 204 }),
      "/away": () => HttpResponse.redirect("/text", 307),
    };
    let released = 0;
    await using client = sites.client({
      base: `${A}/`,
      middleware: [
        async (request) =>
          request.respond((answers[new URL(request.url).pathname] as () => Response)()),
      ],
    });
    const text = await client.fetch("text");
    assert.deepEqual(
      [text.status, text.statusText, text.headers.get("x-a"), text.url],
      [203, "Well", "1", `${A}/text`],
    );
    assert.equal(await text.text(), "text");
    assert.equal((await client.request("made")).text(), "made");
    assert.equal((await client.request("platform")).text(), "platform");
    assert.equal((await client.fetch("none")).body, null);
    assert.equal((await client.request("away", { method: "POST", body: "x" })).history.length, 1);
    const read = new HttpResponse(new Response("x").body);
    await read.text();
    answers["/read"] = () => read;
    await assert.rejects(client.fetch("read"), TypeError);
    const stream = new ReadableStream({ cancel: () => void (released += 1) });
    answers["/head"] = () => new HttpResponse(stream);
    const head = await client.fetch("head", { method: "HEAD" });
    assert.equal(head.body, null);
    await sleep(1);
    assert.equal(released, 1);
    assert.equal(sites.seen.length, 0);
  },
);

sitesTest("request.with: method, URL with credentials, fields, body", async (sites) => {
  await using client = sites.client({
    middleware: [
      (request, next) =>
        next(
          request.with({
            method: "POST",
            url: "http://you:p@b.wild.test/y",
            body: "other",
            headers: { "x-gone": null, "x-new": "1" },
          }),
        ),
    ],
  });
  const response = await client.request(`${A}/x`, { headers: { "x-gone": "1" } });
  assert.equal(response.url, "http://b.wild.test/y");
  const [seen] = sites.seen as [Seen];
  assert.deepEqual(sites.lines, ["POST http://b.wild.test/y"]);
  assert.equal(seen.body, "other");
  assert.deepEqual(ownFields(seen).toSorted(), [
    `authorization: ${basicCredentials("you", "p")}`,
    "content-type: text/plain;charset=UTF-8",
    "x-new: 1",
  ]);
});

sitesTest(
  "fetch: a signal aborts the wait for the response, and its reason is thrown",
  async (sites) => {
    await using client = sites.client();
    sites.answer = async () => {
      await sleep(1000);
      return new HttpResponse("late");
    };
    const controller = new AbortController();
    const reason = new RangeError("enough");
    const fetching = client.fetch(`${A}/`, { signal: controller.signal });
    const failing = assert.rejects(fetching, (error) => error === reason);
    await sleep(10);
    controller.abort(reason);
    await failing;
    await assert.rejects(client.fetch(`${A}/`, { signal: AbortSignal.abort(reason) }), RangeError);
    await assert.rejects(
      client.fetch(new Request(`${A}/`, { signal: AbortSignal.abort(reason) })),
      RangeError,
    );
    assert.equal(sites.seen.length, 1);
    await assert.rejects(client.fetch(`${A}/`, { signal: {} as AbortSignal }), TypeError);
  },
);

sitesTest("timeouts: of one request", async (sites) => {
  await using client = sites.client();
  sites.answer = async () => {
    await sleep(5000);
    return new HttpResponse("late");
  };
  await assert.rejects(client.fetch(`${A}/`, { timeouts: { headMs: 1000 } }), {
    reason: "timeout",
  });
  assert.equal((await client.request(`${A}/`)).text(), "late");
});

const everywhere = onEveryBackend(test);

everywhere(
  "client.fetch is a fetch for others: hono's client, unbound, with the web's types",
  async () => {
    const app = new Hono()
      .get("/hello/:name", (context) => context.json({ hello: context.req.param("name") }))
      .post("/echo", async (context) => context.text(await context.req.text()));
    await using server = await openServer(app.fetch, { port: 0, host: "127.0.0.1" });
    await using client = openHttpClient();
    const api = hc<typeof app>(server.url, { fetch: client.fetch });
    const response = await api.hello[":name"].$get({ param: { name: "world" } });
    assert.deepEqual(await response.json(), { hello: "world" });
    const { fetch } = client;
    const asWeb: typeof globalThis.fetch = fetch;
    const echoed = await asWeb(new URL("echo", server.url), {
      method: "post",
      body: "x",
      mode: "cors",
      credentials: "same-origin",
    });
    assert.ok(echoed instanceof Response && echoed instanceof ClientResponse);
    assert.equal(await echoed.text(), "x");
  },
);
