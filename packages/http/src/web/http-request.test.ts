import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { moveOnAfter, run } from "arborio";
import { simulator } from "arborio/sim";
import { createMemoryPipe } from "arborio/streams";
import { cancelEverywhere } from "arborio/testing";
import { BodyTooLargeError, HttpError, InvalidJsonError } from "./http-error.ts";
import { HttpRequest } from "./http-request.ts";
import { HttpResponse } from "./http-response.ts";
import { type TestRequest, testRequest } from "./request.test.kit.ts";

const encoder = new TextEncoder();
const TYPE = ["Content-Type", "text/x; a=b"];

/** The same request, ours and the platform's. */
function both(body: string | null): { ours: Request; theirs: Request } {
  const method = body === null ? "GET" : "POST";
  const headers = { "Content-Type": "text/x; a=b" };
  return {
    ours: testRequest({ method, target: "/a?b=1", fields: TYPE, body }),
    theirs: new Request("http://example.com/a?b=1", { method, headers, body }),
  };
}

/** What is asked of both; the answers must be the same. */
const QUESTIONS: Record<string, (request: Request) => unknown> = {
  method: (request) => request.method,
  url: (request) => request.url,
  headers: (request) => [...request.headers],
  body: async (request) => [request.body === null, request.body instanceof ReadableStream],
  "body is one": (request) => request.body === request.body,
  "body is not locked": (request) => request.body?.locked,
  bodyUsed: (request) => request.bodyUsed,
  text: async (request) => [await request.text(), request.bodyUsed],
  bytes: async (request) => [await request.bytes(), request.bodyUsed],
  arrayBuffer: async (request) => {
    const buffer = await request.arrayBuffer();
    return [buffer instanceof ArrayBuffer, buffer.byteLength, request.bodyUsed];
  },
  blob: async (request) => {
    const blob = await request.blob();
    return [await blob.text(), blob.size];
  },
  "text twice": async (request) => [await request.text(), await request.text()],
  "text after body": async (request) => [
    request.body?.locked,
    await request.text(),
    request.body?.locked,
  ],
  "body after text": async (request) => [await request.text(), request.body?.locked],
  "text of a body that is being read": async (request) => {
    request.body?.getReader();
    return request.text();
  },
  "text of a body that was read": async (request) => {
    const reader = request.body?.getReader();
    await reader?.read();
    reader?.releaseLock();
    return [request.bodyUsed, await request.text()];
  },
  "bodyUsed while it is read": async (request) => {
    const reading = request.text();
    const used = request.bodyUsed;
    return [used, await reading];
  },
  "cancel the body": async (request) => [await request.body?.cancel(), request.bodyUsed],
  "body piped through a decoder": async (request) => new Response(request.body).text(),
  clone: async (request) => {
    const clone = request.clone();
    return [clone.method, clone.url, [...clone.headers], await clone.text(), await request.text()];
  },
  "clone of a clone, the original last": async (request) => {
    const one = request.clone();
    const other = one.clone();
    return [await one.text(), await other.text(), request.bodyUsed, await request.text()];
  },
  "clone after text": async (request) => {
    await request.text();
    return request.clone() instanceof Request;
  },
  "clone while body is locked": (request) => {
    request.body?.getReader();
    return request.clone() instanceof Request;
  },
  signal: (request) => [
    request.signal instanceof AbortSignal,
    request.signal.aborted,
    request.signal === request.signal,
  ],
  "its class": (request) => [request instanceof Request, Object.prototype.toString.call(request)],
  "nothing to enumerate": (request) => Object.keys(request),
  "given to the platform's Request with a URL": async (request) => {
    const copy = new Request("http://other/", request);
    return [copy.method, copy.headers.get("content-type"), await copy.text()];
  },
  "constant fields": (request) => {
    const {
      cache,
      credentials,
      destination,
      integrity,
      keepalive,
      mode,
      redirect,
      referrer,
      referrerPolicy,
    } = request;
    const fields = {
      cache,
      credentials,
      destination,
      integrity,
      keepalive,
      mode,
      redirect,
      referrer,
      referrerPolicy,
    };
    // Deno and Bun have not all of them, and some differ.
    const more = request as HttpRequest;
    const isNode = "isReloadNavigation" in Request.prototype;
    return isNode ? [fields, more.isReloadNavigation, more.isHistoryNavigation, more.duplex] : [];
  },
};

async function answer(request: Request, ask: (request: Request) => unknown): Promise<unknown> {
  try {
    return { result: await ask(request) };
  } catch (error) {
    return { error: (error as Error).constructor.name };
  }
}

for (const [name, ask] of Object.entries(QUESTIONS)) {
  for (const body of [null, "", "héllo\u{1f600}"]) {
    test(`HttpRequest as the platform's Request: ${name}, ${body === null ? "no body" : `a body of ${body.length}`}`, () =>
      run(async () => {
        const { ours, theirs } = both(body);
        assert.deepEqual(await answer(ours, ask), await answer(theirs, ask));
      }));
  }
}

test("HttpRequest: has all that the platform's Request has", () => {
  for (const name of Object.getOwnPropertyNames(Request.prototype)) {
    // A slip of Node's: nothing of it is in the standard, and it is undefined.
    if (name === "constructor" || name === "attribute") continue;
    assert.ok(Object.hasOwn(HttpRequest.prototype, name), name);
  }
});

test("HttpRequest.json: as the platform's, but that what is no JSON is an answer too", () =>
  run(async () => {
    for (const text of ['{"a":[1,null,"é"]}', "5", ' "x" ']) {
      const { ours, theirs } = both(text);
      assert.deepEqual(await ours.json(), await theirs.json());
    }
    // The standard drops a byte order mark; Bun and Deno do not.
    assert.deepEqual(await both("\uFEFF[1]").ours.json(), [1]);
    for (const text of ["", "{", "undefined", '{"a":1}x']) {
      const { ours, theirs } = both(text);
      await assert.rejects(theirs.json(), SyntaxError);
      const error: unknown = await ours.json().catch((failure: unknown) => failure);
      assert.ok(error instanceof SyntaxError && error instanceof InvalidJsonError);
      assert.ok(error instanceof HttpError && error.status === 400 && error.expose);
    }
  }));

test("HttpRequest.textStream: the text, at any split of its bytes", () =>
  run(async () => {
    const body = [...encoder.encode("a😀é")].map((byte) => Uint8Array.of(byte));
    const request = testRequest({ body });
    let text = "";
    for await (const piece of request.textStream() as unknown as AsyncIterable<string>)
      text += piece;
    assert.equal(text, "a😀é");
    assert.equal(request.bodyUsed, true);
    assert.throws(() => request.textStream(), TypeError);
  }));

test("HttpRequest: what the web does not have", () =>
  run(async () => {
    const request = testRequest({
      target: "/%7e/../x",
      fields: ["A", "1", "a", "2"],
      body: "hello",
      length: 5,
    });
    assert.deepEqual(request.fields, ["A", "1", "a", "2"]);
    assert.equal(request.target, "/%7e/../x");
    assert.equal(request.bodyBytes, 5);
    assert.deepEqual(request.trailers, []);
    const stream = request.bodyStream;
    assert.deepEqual(await stream?.receive(2), encoder.encode("he"));
    assert.equal(request.bodyUsed, true);
    await assert.rejects(request.text(), TypeError);
    const none = testRequest();
    assert.deepEqual([none.bodyStream, none.bodyBytes, none.bodyBytesMax], [null, 0, Infinity]);
    none.bodyBytesMax = 5;
  }));

test("HttpRequest: what it is made of is looked at only when it is asked for", () => {
  let asked = 0;
  const request = testRequest({
    fields: new Proxy(TYPE, {
      get(target, key, receiver) {
        asked += 1;
        return Reflect.get(target, key, receiver) as unknown;
      },
    }),
    signal() {
      asked += 1;
      return new AbortController().signal;
    },
  });
  assert.equal(request.method, "GET");
  assert.equal(request.url, "http://example.com/");
  assert.equal(request.headers instanceof Headers, true);
  assert.equal(asked, 0);
  assert.equal(request.signal, request.signal);
  assert.equal(asked, 1);
});

test("HttpRequest: over its limit the body is a BodyTooLargeError, by every way of reading", async (t) => {
  const given: [string, TestRequest][] = [
    ["as announced", { body: "hello", length: 5 }],
    ["as it comes", { body: [encoder.encode("he"), encoder.encode("llo")] }],
  ];
  const ways: Record<string, (request: HttpRequest) => Promise<unknown>> = {
    text: (request) => request.text(),
    bytes: (request) => request.bytes(),
    json: (request) => request.json(),
    blob: (request) => request.blob(),
    formData: (request) => request.formData(),
    "text of a clone": (request) => request.clone().text(),
    "text of what was cloned": (request) => {
      request.clone();
      return request.text();
    },
    "text after body": (request) => {
      assert.ok(request.body);
      return request.text();
    },
    "formData after body": (request) => {
      assert.ok(request.body);
      return request.formData();
    },
  };
  for (const [how, request] of given) {
    for (const [way, read] of Object.entries(ways)) {
      await t.test(`${way}, ${how}`, () =>
        run(async () => {
          const fields = ["content-type", "application/x-www-form-urlencoded"];
          const ours = testRequest({ ...request, fields });
          ours.bodyBytesMax = 4;
          assert.equal(ours.bodyBytesMax, 4);
          await assert.rejects(
            read(ours),
            (error) => error instanceof BodyTooLargeError && error.bytesMax === 4,
          );
        }),
      );
    }
  }
  assert.throws(() => (testRequest({ body: "x" }).bodyBytesMax = NaN), RangeError);
});

test("HttpRequest: a body in a hundred thousand chunks of one byte is read", () =>
  run(async () => {
    const body = Array.from({ length: 100_000 }, () => Uint8Array.of(97));
    assert.equal((await testRequest({ body }).text()).length, 100_000);
  }));

test("HttpRequest: a body that is here already needs no waiting", () =>
  run(async () => {
    const request = testRequest({ body: "" });
    let asked = 0;
    const body = request.bodyStream as unknown as { wholeNowait(): Uint8Array | null };
    body.wholeNowait = () => {
      asked += 1;
      return encoder.encode("whole");
    };
    assert.equal(await request.text(), "whole");
    assert.equal(asked, 1);
    assert.equal(request.bodyUsed, true);
  }));

test("HttpRequest, HttpResponse: in a cancelled scope nothing is read, though all of it is here", () =>
  run(async (group) => {
    const request = testRequest({ body: "x" });
    const response = new HttpResponse("x");
    for (const read of [
      () => request.text(),
      () => request.json(),
      () => request.bytes(),
      () => response.text(),
      () => response.bytes(),
    ]) {
      await moveOnAfter(0, () => assert.rejects(read(), { name: "Cancelled" }));
    }
    assert.deepEqual(
      [request.bodyUsed, response.bodyUsed, group.scope.cancelCalled],
      [false, false, false],
    );
    assert.equal((await request.text()) + (await response.text()), "xx");
  }));

test("HttpRequest.clone: has the signal that was made", () => {
  const request = testRequest();
  const { signal } = request;
  assert.equal(request.clone().signal, signal);
});

test("HttpRequest: can be looked at", () => {
  assert.match(inspect(testRequest({ target: "/x" })), /GET.*http:\/\/example.com\/x/s);
});

const READERS = {
  text: (request: HttpRequest) => request.text(),
  bytes: (request: HttpRequest) => request.bytes(),
  json: (request: HttpRequest) => request.json(),
  blob: (request: HttpRequest) => request.blob(),
  arrayBuffer: (request: HttpRequest) => request.arrayBuffer(),
};
for (const [name, read] of Object.entries(READERS)) {
  test(`HttpRequest.${name}: cancelled at every checkpoint`, async () => {
    await run(
      () =>
        cancelEverywhere(async () => {
          const [sender, body] = createMemoryPipe();
          for (const piece of ["[1,", "2", "]"]) await sender.send(encoder.encode(piece));
          sender.close();
          await read(testRequest({ body }));
        }),
      { backend: simulator({ seed: 1 }) },
    );
  });
}
