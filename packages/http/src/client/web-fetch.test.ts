/** What code that was written for the web's `fetch` expects of `client.fetch`. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { Event, moveOnAfter, sleep, taskGroup } from "arborio";
import { createMemoryPipe, toReadableStream } from "arborio/streams";
import { onEveryBackend } from "arborio/testing";
import { retryRequests } from "../middleware/retry-requests.ts";
import { openServer } from "../server/open-server.ts";
import type { Server } from "../server/server.ts";
import type { BodySink } from "../web/body-producer.ts";
import type { HttpRequest } from "../web/http-request.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openHttpClient } from "./http-client.ts";
import { failedIn } from "./raw-server.test.kit.ts";
import { encode } from "./uploads.test.kit.ts";

const test = onEveryBackend(nodeTest);

/** Tells how a body came, and what it was: `"4 text"`, or `"chunked text"`. Redirects `/moved`, refuses every second request to `/busy`. */
function openEcho(): Promise<Server> {
  let requests = 0;
  return openServer(
    async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/moved")
        return new HttpResponse("", { status: 307, headers: { location: "/" } });
      requests += 1;
      if (pathname === "/busy" && requests % 2 === 1) return new HttpResponse("", { status: 503 });
      const { bodyBytes } = request as HttpRequest;
      const text = await request.text();
      return new HttpResponse(`${bodyBytes ?? "chunked"} ${text.length > 10 ? text.length : text}`);
    },
    { port: 0, host: "127.0.0.1", limits: { bodyBytesMax: 10_000_000 } },
  );
}

test("a Request with a body that is here: it has a length, and is sent again by redirects and retries", async () => {
  await using server = await openEcho();
  await using client = openHttpClient({ base: server.url });
  const text = async (path: string, body: BodyInit): Promise<string> =>
    await (await client.fetch(new Request(server.url + path, { method: "POST", body }))).text();
  for (const body of ["text", encode("text"), new Blob(["text"])]) {
    assert.equal(await text("", body), "4 text");
    assert.equal(await text("moved", body), "4 text");
  }
  assert.equal(await text("", ""), "0 ");
  assert.match(await text("moved", new URLSearchParams("a=b")), /^3 a=b$/);
  const form = new FormData();
  form.append("a", "b");
  assert.match(await text("moved", form), /^\d+ \d+$/);
  await using patient = openHttpClient({ middleware: [retryRequests({ delayMs: () => 1 })] });
  const put = new Request(`${server.url}busy`, { method: "PUT", body: "text" });
  assert.equal(await (await patient.fetch(put)).text(), "4 text");
});

test("a Request whose body comes bit by bit is sent as it comes; one that is too large is not collected", async () => {
  const came = new Event();
  await using server = await openServer(
    async (request) => {
      let bytes = 0;
      for await (const piece of (request as HttpRequest).bodyStream ?? []) {
        bytes += piece.length;
        came.set();
      }
      return new HttpResponse(`${(request as HttpRequest).bodyBytes} ${bytes}`);
    },
    { port: 0, host: "127.0.0.1", limits: { bodyBytesMax: 10_000_000 } },
  );
  await using client = openHttpClient();
  const post = (body: BodyInit): Request =>
    new Request(server.url, { method: "POST", body, duplex: "half" } as RequestInit);
  const [sender, receiver] = createMemoryPipe();
  await taskGroup(async (group) => {
    const text = group.startSoon(async () =>
      (await client.fetch(post(toReadableStream(receiver)))).text(),
    );
    await sender.send(encode("a"));
    // That it came here shows that nobody waits for the rest.
    await came.wait();
    await sender.send(encode("b"));
    sender.close();
    assert.equal(await text.result(), "undefined 2");
  });
  // What does not pause is here, though it comes in pieces.
  const [steady, pieces] = createMemoryPipe();
  await taskGroup(async (group) => {
    group.startSoon(async () => {
      for (let count = 0; count < 10; count++) {
        await sleep(3);
        await steady.send(encode("a"));
      }
      steady.close();
    });
    assert.equal(await (await client.fetch(post(toReadableStream(pieces)))).text(), "10 10");
  });
  for (const [bytes, announced] of [
    [1_048_576, "1048576"],
    [1_048_577, "undefined"],
    [3_000_000, "undefined"],
  ] as const) {
    const response = await client.fetch(post(encode("x".repeat(bytes))));
    assert.equal(await response.text(), `${announced} ${bytes}`);
  }
});

test("a Request whose body fails: as other bodies that fail, with what came of it before", async () => {
  await using server = await openServer(
    async (request) => {
      for await (const _ of (request as HttpRequest).bodyStream ?? []);
      return new HttpResponse("");
    },
    { port: 0, host: "127.0.0.1", onError() {} },
  );
  await using client = openHttpClient();
  const thrown = new Error("no more");
  let pulls = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (pulls++ === 0) controller.enqueue(encode("a"));
      else controller.error(thrown);
    },
  });
  const request = new Request(server.url, { method: "POST", body, duplex: "half" } as RequestInit);
  await assert.rejects(client.fetch(request), (error) => {
    failedIn("send", "request-body")(error);
    let cause: unknown = error;
    while (cause instanceof Error && cause.cause !== undefined) ({ cause } = cause);
    return cause === thrown;
  });
});

test("a Request whose body was read, is locked or was sent before is refused, and nothing is sent; a clone may be sent", async () => {
  await using server = await openEcho();
  await using client = openHttpClient();
  const post = (): Request => new Request(server.url, { method: "POST", body: "text" });
  const used = post();
  await used.text();
  const locked = post();
  const reader = locked.body?.getReader();
  const sent = post();
  const copy = sent.clone();
  assert.equal(await (await client.fetch(sent)).text(), "4 text");
  assert.ok(sent.bodyUsed);
  for (const request of [used, locked, sent])
    await assert.rejects(
      client.fetch(request),
      /^TypeError: fetch: got a Request whose body was read already, or is locked; send it once/,
    );
  assert.equal(client.statistics().requestsSent, 1);
  assert.equal(await (await client.fetch(copy)).text(), "4 text");
  // Its body is not what is sent.
  assert.equal(await (await client.fetch(used, { body: "other" })).text(), "5 other");
  reader?.releaseLock();
});

test("a Request that is given up while its body is looked at: the body is left", async () => {
  await using server = await openEcho();
  await using client = openHttpClient();
  const left = new Event();
  const body = new ReadableStream({ cancel: () => left.set() });
  const request = new Request(server.url, { method: "POST", body, duplex: "half" } as RequestInit);
  assert.equal(await moveOnAfter(5, () => client.fetch(request)), undefined);
  await left.wait();
  assert.equal(client.statistics().requestsSent, 0);
});

test("a response is read as on the web: by readers of both kinds, pipes, as text bit by bit", async () => {
  const body = async (sink: BodySink): Promise<void> => {
    for (const piece of ["hello ", "wide ", "world"]) {
      await sink.send(piece);
      await sleep(1);
    }
  };
  await using server = await openServer(() => new HttpResponse(body), {
    port: 0,
    host: "127.0.0.1",
  });
  await using client = openHttpClient({ base: server.url });
  const decoder = new TextDecoder();
  const fetched = async (): Promise<ReadableStream<Uint8Array>> =>
    (await client.fetch("")).body as ReadableStream<Uint8Array>;

  const byob = (await fetched()).getReader({ mode: "byob" });
  let text = "";
  for (;;) {
    const { done, value } = await byob.read(new Uint8Array(4));
    if (done) break;
    assert.ok(value.length <= 4);
    text += decoder.decode(value);
  }
  assert.equal(text, "hello wide world");

  text = "";
  const parts = (await fetched()).pipeThrough(
    new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
  );
  await parts.pipeTo(new WritableStream({ write: (part) => void (text += part) }));
  assert.equal(text, "hello wide world");

  text = "";
  for await (const part of (await client.fetch("")).textStream()) text += part;
  assert.equal(text, "hello wide world");

  assert.equal(await new Response(await fetched()).text(), "hello wide world");
  assert.equal((await (await client.fetch(new URL(server.url))).blob()).size, 16);
  const { connectionsOpened, connectionsActive } = client.statistics();
  assert.deepEqual([connectionsOpened, connectionsActive], [1, 0]);
});

test("what is different from the web: GET may have a body; there is no response of an error", async () => {
  await using server = await openEcho();
  await using client = openHttpClient({ base: server.url });
  assert.equal(await (await client.fetch("", { method: "GET", body: "text" })).text(), "4 text");
  await assert.rejects(
    client.fetch("", { middleware: [async (request) => request.respond(Response.error())] }),
    /^TypeError: .*Response\.error\(\), needs a response with a status$/,
  );
});
