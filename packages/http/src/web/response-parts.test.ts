import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import { type ByteReceiveStream, fromIterable } from "arborio/streams";
import { payloadOfWeb } from "./body-reader.ts";
import { HttpResponse } from "./http-response.ts";
import { responseParts } from "./response-parts.ts";
import { testRequest } from "./request.test.kit.ts";

const BYTES = new TextEncoder().encode("bytes");

async function textOf(stream: unknown): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream as ByteReceiveStream)
    text += decoder.decode(bytes, { stream: true });
  return text;
}

test("responseParts: of ours, as it was given, as often as wanted", () =>
  run(async () => {
    const producer = async (): Promise<void> => {};
    for (const body of [null, "text", BYTES, producer, fromIterable([BYTES])]) {
      const response = new HttpResponse(body, {
        status: 201,
        statusText: "Made",
        headers: { A: "1" },
      });
      for (let time = 0; time < 2; time += 1) {
        const parts = responseParts(response);
        assert.equal(parts.payload, body);
        assert.deepEqual(
          [parts.status, parts.statusText, parts.fields.slice(0, 2)],
          [201, "Made", ["A", "1"]],
        );
      }
    }
  }));

test("responseParts: of ours, the length of a stream where it is known", () =>
  run(async () => {
    assert.equal(responseParts(new HttpResponse(new Blob(["abc"]))).payloadBytes, 3);
    assert.equal(responseParts(new HttpResponse(fromIterable([BYTES]))).payloadBytes, undefined);
    const request = testRequest({ body: "hello", length: 5 });
    assert.equal(responseParts(new HttpResponse(request.bodyStream)).payloadBytes, 5);
    assert.equal(responseParts(new HttpResponse("text")).payloadBytes, undefined);
  }));

test("responseParts: of ours, a web stream that was given is what is sent, once", () =>
  run(async () => {
    const given = responseParts(new HttpResponse(new Blob(["hello"]).stream()));
    assert.equal(given.payload, given.payload);
    assert.equal(await textOf(given.payload), "hello");
  }));

test("responseParts: what was text, and was passed on as a web stream, is text again", () =>
  run(async () => {
    const asked = new HttpResponse("hello");
    assert.ok(asked.body);
    assert.equal(responseParts(asked).payload, "hello");
    assert.equal(responseParts(asked).payload, "hello");
    assert.equal(asked.body.locked, true);

    const first = new HttpResponse("hello", { status: 201 });
    const passed = new HttpResponse(new HttpResponse(first.body, first).body, {
      headers: { a: "1" },
    });
    assert.equal(first.bodyUsed, false);
    assert.equal(responseParts(passed).payload, "hello");
    assert.equal(first.bodyUsed, true);
    await assert.rejects(first.text(), TypeError);

    const request = testRequest({ body: "hello", length: 5 });
    const echo = responseParts(new HttpResponse(request.body));
    assert.equal(echo.payloadBytes, 5);
    assert.equal(await textOf(echo.payload), "hello");
    assert.equal(request.bodyUsed, true);
  }));

test("responseParts: a web stream of which something was read is the stream that it is", () =>
  run(async () => {
    const response = new HttpResponse("hello");
    const reader = (response.body as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
    await reader.read(new Uint8Array(2));
    reader.releaseLock();
    assert.throws(() => responseParts(response).payload, TypeError);
    assert.equal(await textOf(payloadOfWeb(response.body as ReadableStream)), "llo");
    const locked = new HttpResponse("hello");
    locked.body?.getReader();
    assert.throws(() => responseParts(locked).payload, TypeError);
  }));

test("responseParts: of the platform's", () =>
  run(async () => {
    const headers: [string, string][] = [
      ["A", "1"],
      ["a", "2"],
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
      ["Content-Type", "x/y"],
    ];
    const parts = responseParts(
      new Response("héllo", { status: 201, statusText: "Made", headers }),
    );
    const sorted = parts.fields
      .map((_, index) => parts.fields.slice(index, index + 2).join("="))
      .filter((_, index) => index % 2 === 0)
      .sort();
    assert.deepEqual(sorted, ["a=1, 2", "content-type=x/y", "set-cookie=a=1", "set-cookie=b=2"]);
    assert.deepEqual(
      [parts.status, parts.statusText, parts.payloadBytes, parts.trailers],
      [201, "Made", undefined, null],
    );
    assert.equal(await textOf(parts.payload), "héllo");
    assert.equal(responseParts(new Response(null, { status: 204 })).payload, null);
  }));

test("responseParts: of the platform's, a body is pulled no further than it is taken, and closing cancels it", () =>
  run(async () => {
    let pulled = 0;
    let cancelled = false;
    const body = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(65_536));
      },
      cancel() {
        cancelled = true;
      },
    });
    const stream = responseParts(new Response(body)).payload as ByteReceiveStream;
    await stream.receive();
    assert.ok(pulled < 10, `${pulled} chunks were made for one`);
    stream.close();
    assert.equal(cancelled, true);
  }));

test("responseParts: what cannot be sent is a TypeError that says so", () =>
  run(async () => {
    const read = new Response("x");
    await read.text();
    const locked = new Response("x");
    locked.body?.getReader();
    const ours = new HttpResponse("x");
    await ours.text();
    for (const [given, message] of [
      [read, /read already/],
      [locked, /locked/],
      [Response.error(), /error\(\)/],
      [HttpResponse.error(), /error\(\)/],
      [undefined, /needs a Response/],
      [{ status: 200 }, /needs a Response/],
      ["text", /needs a Response/],
    ] as const) {
      assert.throws(() => responseParts(given as Response), { name: "TypeError", message });
    }
    assert.throws(() => responseParts(ours).payload, TypeError);
  }));
