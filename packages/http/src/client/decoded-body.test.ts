import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import * as zlib from "node:zlib";
import { sleep } from "arborio";
import { compressNowait } from "arborio/lowlevel";
import { onEveryBackend } from "arborio/testing";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { compress } from "../negotiation/compress.ts";
import { openServer } from "../server/open-server.ts";
import type { BodySink } from "../web/body-producer.ts";
import { HttpResponse } from "../web/http-response.ts";
import { codingsOf, decodedBody, decodedFields } from "./decoded-body.ts";
import type { FetchOptions } from "./client-options.ts";
import { openHttpClient } from "./http-client.ts";
import { failedIn, rawServer } from "./raw-server.test.kit.ts";
import { encode } from "./uploads.test.kit.ts";

const test = onEveryBackend(nodeTest);

const TEXT = "hello, hello, hello, hello";
/** More than is decompressed at once. */
const LARGE = Array.from({ length: 40_000 }, (_, index) => `${(index * 7919) % 10_007}`).join(" ");

type Compressing = (bytes: Uint8Array) => Uint8Array;

/** Each half for itself, one behind the other. */
function inHalves(compress: Compressing): Compressing {
  return (bytes) => {
    const half = Math.ceil(bytes.length / 2);
    return Buffer.concat([compress(bytes.subarray(0, half)), compress(bytes.subarray(half))]);
  };
}

/** Names of codings; what stands behind a space is for the title. */
const CODINGS: Readonly<Record<string, Compressing>> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  "x-gzip": (bytes) => zlib.gzipSync(bytes),
  GZip: (bytes) => zlib.gzipSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  "deflate raw": (bytes) => zlib.deflateRawSync(bytes),
  "gzip members": inHalves((bytes) => zlib.gzipSync(bytes)),
  "zstd frames": inHalves((bytes) => compressNowait("zstd", bytes)),
  br: (bytes) => compressNowait("br", bytes),
  zstd: (bytes) => compressNowait("zstd", bytes),
  "gzip, br": (bytes) => compressNowait("br", zlib.gzipSync(bytes)),
};

/** A response to a request by path: `/length/` with a length, `/chunks/` in chunks, `/late/` piece by piece. */
function encoded(path: string, coding: string, bytes: Uint8Array): Response {
  const headers = { "content-encoding": coding, "x-own": "1" };
  if (path === "/length/") return new HttpResponse(bytes, { headers });
  const piecewise = async (sink: BodySink): Promise<void> => {
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 10)) {
      await sink.send(bytes.subarray(at, at + Math.ceil(bytes.length / 10)));
      if (path === "/late/") await sleep(1);
    }
  };
  return new HttpResponse(piecewise, { headers });
}

for (const [title, compressing] of Object.entries(CODINGS)) {
  const coding = title.replace(/ (raw|members|frames)$/, "");
  test(`a body in ${title}: small or large, with a length or in chunks, at once or bit by bit`, async () => {
    for (const text of [TEXT, LARGE]) {
      const bytes = compressing(encode(text));
      await using server = await openServer(
        (request) => encoded(new URL(request.url).pathname, coding, bytes),
        { port: 0 },
      );
      await using client = openHttpClient({ base: server.url });
      for (const path of ["/length/", "/chunks/", "/late/"]) {
        const response = await client.fetch(path);
        assert.equal(response.headers.get("content-encoding"), null);
        assert.equal(response.headers.get("content-length"), null);
        assert.equal(response.headers.get("x-own"), "1");
        assert.ok(response.isDecoded);
        assert.equal(await response.text(), text);
        assert.equal(response.bytesReceived, bytes.length);
        const collected = await client.request(path);
        assert.equal(collected.text(), text);
        const plain = await client.request(path, { decompress: false });
        assert.deepEqual(new Uint8Array(plain.bytes), new Uint8Array(bytes));
        assert.equal(plain.headers.get("content-encoding"), coding);
      }
      assert.equal(client.statistics().connectionsOpened, 1);
      assert.equal(client.statistics().connectionsIdle, 1);
    }
  });
}

test("what our own server compresses; what is asked for by default, and instead of it", async () => {
  const asked: (string | null)[] = [];
  await using server = await openServer(
    compress((request) => {
      asked.push(request.headers.get("accept-encoding"));
      return new HttpResponse(LARGE, { headers: { "content-type": "text/plain" } });
    }),
    { port: 0 },
  );
  await using client = openHttpClient({ base: server.url });
  const response = await client.fetch("/");
  assert.ok(response.isDecoded);
  assert.equal(await response.text(), LARGE);
  assert.ok(response.bytesReceived < LARGE.length / 2);
  assert.equal(
    (await client.request("/", { headers: { "accept-encoding": "gzip" } })).text(),
    LARGE,
  );
  await client.request("/", { headers: { range: "bytes=0-9" } });
  await client.request("/", { headers: { range: "bytes=0-9", "accept-encoding": "br" } });
  await using plain = openHttpClient({ base: server.url, decompress: false });
  assert.equal((await plain.request("/")).text(), LARGE);
  assert.match(asked[0] as string, /^br, (zstd, )?gzip, deflate$/);
  assert.deepEqual(asked.slice(1), ["gzip", "identity", "br", null]);
  asked.length = 0;
  // Of what is passed on as it is: what whoever gets it has not asked for could be of no use to it.
  assert.equal((await client.request("/", { decompress: false })).text(), LARGE);
  await client.request("/", { decompress: false, headers: { "accept-encoding": "gzip" } });
  await using own = openHttpClient({ base: server.url, headers: { "accept-encoding": "br" } });
  await own.request("/", { decompress: false });
  assert.deepEqual(asked, [null, "gzip", "br"]);
});

simTest(
  "what has no codings that are known, or is a part, or has no body, is given as it is",
  async (group) => {
    const body = "1234567890";
    const heads: Readonly<Record<string, string>> = {
      "/unknown": "200 x\r\ncontent-encoding: aes128gcm",
      "/both": "200 x\r\ncontent-encoding: gzip, aes128gcm",
      "/identity": "200 x\r\ncontent-encoding: identity",
      "/part": "206 x\r\ncontent-encoding: gzip\r\ncontent-range: bytes 0-9/100",
      "/inherited": "200 x\r\ncontent-encoding: constructor",
    };
    const server = await rawServer(group, async (peer) => {
      for (let head = await peer.request(); head !== null; head = await peer.request()) {
        const [method = "", path = ""] = head.split(" ");
        const given = heads[path] ?? "200 x\r\ncontent-encoding: gzip";
        await peer.send(
          `HTTP/1.1 ${given}\r\ncontent-length: 10\r\n\r\n${method === "HEAD" ? "" : body}`,
        );
      }
    });
    await using client = openHttpClient({ base: server.url });
    for (const path of Object.keys(heads)) {
      const response = await client.fetch(path);
      assert.ok(!response.isDecoded);
      assert.ok(response.headers.has("content-encoding"));
      assert.equal(await response.text(), body);
    }
    const head = await client.fetch("/", { method: "HEAD" });
    assert.equal(head.headers.get("content-encoding"), "gzip");
    assert.equal(head.headers.get("content-length"), "10");
    await assert.rejects(client.request("/"), failedIn("body", "encoding"));
  },
);

test("damaged, cut, or followed by something: an error when it is read, that names the request", async () => {
  const good = zlib.gzipSync(encode(LARGE));
  const bodies: Readonly<Record<string, Uint8Array>> = {
    "/cut": good.subarray(0, good.length - 5),
    "/damaged": good.map((byte, index) => (index === 20_000 ? byte ^ 255 : byte)),
    "/none": encode("no gzip"),
    "/more": new Uint8Array([...good, 1, 2, 3]),
  };
  await using server = await openServer(
    (request) => {
      const body = bodies[new URL(request.url).pathname] as Uint8Array;
      return new HttpResponse(body, { headers: { "content-encoding": "gzip" } });
    },
    { port: 0 },
  );
  await using client = openHttpClient({ base: server.url });
  for (const path of Object.keys(bodies)) {
    const response = await client.fetch(path);
    await assert.rejects(response.text(), (error) => {
      failedIn("body", "encoding")(error);
      assert.match(String(error), new RegExp(`GET .*${path}: the body, in gzip, `));
      return true;
    });
    const streamed = await client.fetch(path);
    await assert.rejects(async () => {
      for await (const piece of streamed.body ?? []) assert.ok(piece.length > 0);
    });
    await assert.rejects(client.request(path), failedIn("body", "encoding"));
  }
});

simTest("no body at all where one in gzip was announced: it is empty", async (group) => {
  for (const late of [false, true]) {
    const server = await rawServer(group, async (peer) => {
      while ((await peer.request()) !== null) {
        await peer.send(
          "HTTP/1.1 200 x\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n",
        );
        if (late) await sleep(10);
        await peer.send("0\r\n\r\n");
      }
    });
    await using client = openHttpClient({ base: server.url });
    for (let count = 0; count < 2; count++) assert.equal((await client.request("/")).text(), "");
    assert.equal(client.statistics().connectionsOpened, 1);
  }
});

test("bodyBytesMax counts what is decompressed", async () => {
  const bytes = zlib.gzipSync(encode(LARGE));
  const noise = zlib.gzipSync(encode("x"), { level: 0 });
  const small = zlib.gzipSync(encode("hello"));
  await using server = await openServer(
    (request) =>
      new HttpResponse(
        request.url.endsWith("noise") ? noise : request.url.endsWith("small") ? small : bytes,
        {
          headers: { "content-encoding": "gzip" },
        },
      ),
    { port: 0 },
  );
  await using client = openHttpClient({ base: server.url });
  const get = (path: string, options: FetchOptions): Promise<unknown> =>
    client.request(path, options);
  await get("/", { bodyBytesMax: LARGE.length });
  await assert.rejects(get("/", { bodyBytesMax: LARGE.length - 1 }), failedIn("body", "too-large"));
  await assert.rejects(get("/small", { bodyBytesMax: 4 }), failedIn("body", "too-large"));
  await get("/small", { bodyBytesMax: 5 });
  // What does not shrink is a little larger on its way.
  await get("/noise", { bodyBytesMax: 1 });
});

nodeTest("codingsOf and decodedFields: all lines count, whatever the case of their names", () => {
  const request = { method: "GET", url: "http://a/" };
  const fields = [
    "Content-Encoding",
    "gzip",
    "x",
    "y",
    "content-encoding",
    " BR ",
    "Content-Length",
    "5",
  ];
  assert.deepEqual(codingsOf(fields, 200, request), ["gzip", "br"]);
  assert.deepEqual(decodedFields(fields), ["x", "y"]);
  assert.equal(codingsOf(fields, 206, request), null);
  assert.equal(codingsOf(["content-encoding", " , ,"], 200, request), null);
  assert.throws(
    () => codingsOf(["content-encoding", "gzip,gzip,gzip,gzip,gzip,gzip"], 200, request),
    /6 codings/,
  );
});

test("decodedBody: at once what is small and within the limits; else a stream, which says what was wrong", async () => {
  const request = { method: "GET", url: "http://a/" };
  const member = zlib.gzipSync(encode("a"));
  const members = new Uint8Array(2000 * member.length);
  for (let at = 0; at < members.length; at += member.length) members.set(member, at);
  const limits = { ratioMax: 200, membersMax: 1000 };
  const within = { ...limits, bytesMax: 5 };
  const atOnce = decodedBody(zlib.gzipSync(encode("hello")), ["gzip"], within, request);
  assert.deepEqual(new Uint8Array(atOnce.payload as Uint8Array), encode("hello"));
  // Little comes of it, but to unpack it takes its time.
  const long = zlib.gzipSync(encode(LARGE), { level: 0 });
  assert.ok(long.length > 65_536);
  const large = { ...limits, bytesMax: Infinity };
  assert.ok(!(decodedBody(long, ["gzip"], large, request).payload instanceof Uint8Array));
  const cases: readonly (readonly [Uint8Array, number])[] = [
    [zlib.gzipSync(encode("hello")), 4],
    [zlib.gzipSync(new Uint8Array(5_000_000)), Infinity],
    [members, Infinity],
  ];
  for (const [bytes, bytesMax] of cases) {
    const { payload } = decodedBody(bytes, ["gzip"], { ...limits, bytesMax }, request);
    assert.ok(!(payload instanceof Uint8Array));
    await assert.rejects(
      async () => {
        for await (const piece of payload) assert.ok(piece.length > 0);
      },
      failedIn("body", "too-large"),
    );
    payload.close();
  }
});
