/** Bodies of requests: what they may be, how long they are, when they are sent, and what happens when either side does not go on. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { InvalidStateError, sleep } from "arborio";
import { decompressNowait } from "arborio/lowlevel";
import { fromIterable } from "arborio/streams";
import { onEveryBackend } from "arborio/testing";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { openServer } from "../server/open-server.ts";
import type { BodySink } from "../web/body-producer.ts";
import type { HttpRequest } from "../web/http-request.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { BodySource } from "../web/payload.ts";
import { openHttpClient } from "./http-client.ts";
import { failedIn } from "./raw-server.test.kit.ts";
import { encode } from "./uploads.test.kit.ts";

const test = onEveryBackend(nodeTest);

/** Tells how the body came, and what it was. */
async function tell(request: Request): Promise<Response> {
  const { headers } = request;
  const length = headers.get("content-length") ?? headers.get("transfer-encoding");
  const bytes = await request.bytes();
  let sum = 0;
  for (const byte of bytes) sum = (sum * 31 + byte) % 1_000_003;
  return HttpResponse.json([length, headers.get("content-type"), bytes.length, sum]);
}

function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = (sum * 31 + byte) % 1_000_003;
  return sum;
}

const LARGE = new Uint8Array(300_000).map((_, index) => index % 251);
const LARGE_TEXT = "aé€😀".repeat(20_000);
const TEXT = "text/plain;charset=UTF-8";

/** Each with its bytes, whether its length is said, and its type. */
const BODIES: Readonly<
  Record<string, readonly [() => BodySource, Uint8Array, boolean, string | null]>
> = {
  "no text": [() => "", encode(""), true, TEXT],
  text: [() => "hé", encode("hé"), true, TEXT],
  "text of 8192 bytes": [() => "a".repeat(8192), encode("a".repeat(8192)), true, TEXT],
  "text of 8193 bytes": [() => "a".repeat(8193), encode("a".repeat(8193)), true, TEXT],
  "large text": [() => LARGE_TEXT, encode(LARGE_TEXT), true, TEXT],
  "no bytes": [() => new Uint8Array(0), new Uint8Array(0), true, null],
  bytes: [() => encode("hello"), encode("hello"), true, null],
  "large bytes": [() => LARGE, LARGE, true, null],
  "an ArrayBuffer": [() => LARGE.slice().buffer, LARGE, true, null],
  "a view": [() => new DataView(LARGE.slice().buffer, 1, 2), LARGE.subarray(1, 3), true, null],
  "a Blob": [() => new Blob([LARGE], { type: "a/b" }), LARGE, true, "a/b"],
  URLSearchParams: [
    () => new URLSearchParams({ a: "b c" }),
    encode("a=b+c"),
    true,
    "application/x-www-form-urlencoded;charset=UTF-8",
  ],
  "a stream": [() => fromIterable([encode("hel"), encode("lo")]), encode("hello"), false, null],
  "a web stream": [() => new Blob([LARGE]).stream(), LARGE, false, null],
  "a producer": [
    () => async (sink: BodySink) => {
      await sink.send("hel");
      await sink.send(encode("lo"));
      await sink.send(LARGE);
    },
    new Uint8Array([...encode("hello"), ...LARGE]),
    false,
    null,
  ],
  "an async iterable": [
    async function* () {
      yield "hel";
      await sleep(1);
      yield encode("lo");
    },
    encode("hello"),
    false,
    null,
  ],
};

for (const [title, [body, bytes, isKnown, type]] of Object.entries(BODIES)) {
  test(`a body may be ${title}`, async () => {
    await using server = await openServer(tell, { port: 0 });
    await using client = openHttpClient({ base: server.url });
    for (let count = 0; count < 2; count++) {
      const response = await client.request("/", { method: "POST", body: body() });
      const expected = [isKnown ? `${bytes.length}` : "chunked", type, bytes.length, sumOf(bytes)];
      assert.deepEqual(response.json(), expected);
    }
    assert.equal(client.statistics().connectionsOpened, 1);
  });
}

test("a body may be a form with files", async () => {
  await using server = await openServer(
    async (request) => {
      const form = await request.formData();
      const file = form.get("file") as File;
      return HttpResponse.json([form.get("name"), file.name, await file.text()]);
    },
    { port: 0 },
  );
  await using client = openHttpClient({ base: server.url });
  const form = new FormData();
  form.set("name", "value");
  form.set("file", new File(["contents"], "file.txt"));
  const response = await client.request("/", { method: "POST", body: form });
  assert.deepEqual(response.json(), ["value", "file.txt", "contents"]);
});

simTest(
  "a length that is said of a stream holds: less and more are errors, and the server sees a cut body",
  async () => {
    const seen: unknown[] = [];
    await using server = await openServer(
      async (request) => {
        try {
          seen.push((await request.bytes()).length);
        } catch (error) {
          seen.push((error as Error).name);
          throw error;
        }
        return new HttpResponse("ok");
      },
      { port: 0, onError() {} },
    );
    await using client = openHttpClient({ base: server.url });
    const send = (length: number): Promise<unknown> =>
      client.request("/", {
        method: "POST",
        headers: { "content-length": `${length}` },
        body: fromIterable([encode("hel"), encode("lo")]),
      });
    for (const length of [4, 6]) {
      await assert.rejects(send(length), (error) => {
        failedIn("send", "request-body")(error);
        assert.ok((error as Error).cause instanceof InvalidStateError);
        assert.match(
          String((error as Error).cause),
          length === 4 ? /5 bytes, more than the 4/ : /5 bytes were sent of the 6/,
        );
        return true;
      });
      await sleep(10);
    }
    await send(5);
    assert.deepEqual(seen, ["Cancelled", "Cancelled", 5]);
  },
);

simTest(
  "trailers are sent behind the body, which is chunked then, and asked for when it has been sent",
  async () => {
    await using server = await openServer(
      async (request) => {
        const text = await request.text();
        return HttpResponse.json([text, (request as HttpRequest).trailers]);
      },
      { port: 0 },
    );
    await using client = openHttpClient({ base: server.url });
    let sum = 0;
    const response = await client.request("/", {
      method: "POST",
      body: async (sink) => {
        await sink.send("hello");
        sum = 5;
      },
      trailers: () => ({ "x-sum": `${sum}` }),
    });
    assert.deepEqual(response.json(), ["hello", ["x-sum", "5"]]);
    const short = { method: "POST", body: "hi", trailers: () => ({ a: "b" }) };
    assert.deepEqual((await client.request("/", short)).json(), ["hi", ["a", "b"]]);
    const lines = { ...short, trailers: () => ["a", "b", "a", "c"] };
    assert.deepEqual((await client.request("/", lines)).json(), ["hi", ["a", "b", "a", "c"]]);
    const wrong = { method: "POST", body: "hi", trailers: () => ({ "content-length": "1" }) };
    await assert.rejects(client.request("/", wrong), failedIn("send", "request-body"));
    await assert.rejects(
      client.request("/", { ...wrong, trailers: () => ({ x: "a\r\nb: c" }) }),
      failedIn("send", "request-body"),
    );
    await assert.rejects(
      client.request("/", { method: "POST", trailers: () => ({ a: "b" }) }),
      /got no body that they could follow/,
    );
    const none = { method: "POST", body: "", trailers: () => ({ a: "b" }) };
    assert.deepEqual((await client.request("/", none)).json(), ["", ["a", "b"]]);
  },
);

test("the body is compressed: small, large, streamed, and produced", async () => {
  await using server = await openServer(
    async (request) => {
      const bytes = await request.bytes();
      const coding = request.headers.get("content-encoding") as "gzip";
      return HttpResponse.json([coding, decompressNowait(coding, bytes).length, bytes.length]);
    },
    { port: 0 },
  );
  await using client = openHttpClient({ base: server.url });
  const bodies: readonly (() => BodySource)[] = [
    () => "a".repeat(10_000),
    () => "a".repeat(200_000),
    () => fromIterable([encode("a".repeat(10_000))]),
    (): BodySource => (sink: BodySink) => sink.send("a".repeat(10_000)),
    () => new Blob(["a".repeat(10_000)]),
  ];
  for (const body of bodies) {
    const answer = await client.request("/", { method: "POST", body: body(), compress: "gzip" });
    const [coding, size, sent] = answer.json() as [string, number, number];
    assert.equal(coding, "gzip");
    assert.ok(size >= 10_000 && sent < 1000, `${size} ${sent}`);
  }
  const twice = { method: "POST", body: "a", headers: { "content-encoding": "x" } };
  await assert.rejects(
    client.request("/", { ...twice, compress: "gzip" }),
    /Content-Encoding besides/,
  );
  await assert.rejects(client.request("/", { ...twice, compress: "zip" as never }), RangeError);
});

simTest("progress is told for each piece, of any body", async () => {
  await using server = await openServer(tell, { port: 0 });
  await using client = openHttpClient({ base: server.url });
  const progress = async (body: BodySource): Promise<readonly (readonly unknown[])[]> => {
    const told: unknown[][] = [];
    const onUploadProgress = (...args: unknown[]): void => void told.push(args);
    await client.request("/", { method: "POST", body, onUploadProgress });
    return told;
  };
  assert.deepEqual(await progress(encode("hello")), [[5, 5]]);
  assert.deepEqual(await progress("héllo"), [[6, 6]]);
  for (const large of [new Uint8Array(200_000), "a".repeat(200_000)]) {
    assert.deepEqual(
      await progress(large),
      [65_536, 131_072, 196_608, 200_000].map((sent) => [sent, 200_000]),
    );
  }
  const streamed = await progress(fromIterable([encode("a"), encode("bc")]));
  assert.deepEqual(streamed, [
    [1, undefined],
    [3, undefined],
  ]);
  const thrown = new Error("enough");
  const stopping = client.request("/", {
    method: "POST",
    body: "x",
    onUploadProgress() {
      throw thrown;
    },
  });
  await assert.rejects(stopping, (error) => (error as Error).cause === thrown);
});
