import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { fromIterable } from "arborio/streams";
import { onEveryBackend } from "arborio/testing";
import { HttpResponse } from "../web/http-response.ts";
import { responseParts } from "../web/response-parts.ts";
import { compress, type CompressOptions } from "./compress.ts";
import { COMPRESSIBLE_TYPES, isCompressible } from "./compressible.ts";
import {
  answer,
  decompressed,
  encode,
  JSON_TYPE,
  request,
  TEXT,
  textOf,
} from "./compress.test.kit.ts";
import { CONTENT_CODINGS } from "./content-coding.ts";

const test = onEveryBackend(nodeTest);

/** Bodies of every kind, all with the same text. */
const bodies: Readonly<Record<string, () => Response>> = {
  text: () => new HttpResponse(TEXT, { headers: JSON_TYPE }),
  bytes: () => new HttpResponse(encode(TEXT), { headers: JSON_TYPE }),
  stream: () => new HttpResponse(fromIterable([encode(TEXT)]), { headers: JSON_TYPE }),
  "stream of bytes": () =>
    new HttpResponse(fromIterable(Array.from(encode(TEXT), (byte) => Uint8Array.of(byte))), {
      headers: JSON_TYPE,
    }),
  producer: () =>
    new HttpResponse(
      async (sink) => {
        for (let at = 0; at < TEXT.length; at += 1000) await sink.send(TEXT.slice(at, at + 1000));
        await sink.send("");
      },
      { headers: JSON_TYPE },
    ),
  "the platform's own": () => new Response(TEXT, { headers: JSON_TYPE }),
};

for (const [kind, make] of Object.entries(bodies)) {
  test(`compress: ${kind}, in every coding and in none`, async () => {
    for (const coding of CONTENT_CODINGS) {
      const response = await answer(make(), coding);
      assert.equal(response.headers.get("content-encoding"), coding);
      assert.equal(response.headers.get("vary"), "accept-encoding");
      assert.equal(response.headers.get("content-type"), "application/json");
      const bytes = new Uint8Array(await response.arrayBuffer());
      assert.ok(bytes.length < TEXT.length, `${bytes.length}`);
      assert.equal(decompressed(bytes, coding), TEXT);
    }
    const plain = await answer(make(), null);
    assert.equal(plain.headers.get("content-encoding"), null);
    assert.equal(plain.headers.get("vary"), "accept-encoding");
    assert.equal(await plain.text(), TEXT);
  });
}

test("compress: a large body, while it is sent", async () => {
  const large = TEXT.repeat(40);
  const response = await answer(new HttpResponse(large, { headers: JSON_TYPE }), "gzip");
  assert.ok(responseParts(response).payload instanceof Object);
  assert.equal(await textOf(response), large);
});

test("compress: weights decide, then the order of formats; levels are used", async () => {
  const codingOf = async (accept: string, options: CompressOptions = {}) =>
    (await answer(new HttpResponse(TEXT), accept, options)).headers.get("content-encoding");
  assert.equal(await codingOf("gzip, zstd, br"), "br");
  assert.equal(await codingOf("gzip, zstd, br", { formats: ["gzip", "br"] }), "gzip");
  assert.equal(await codingOf("gzip;q=0.9, br;q=0.1"), "gzip");
  assert.equal(await codingOf("br;q=0, gzip;q=0"), null);
  assert.equal(await codingOf("notbr"), null);
  const sizeAt = async (level: number) =>
    (
      await (
        await answer(new HttpResponse(TEXT), "gzip", { levels: { gzip: level } })
      ).arrayBuffer()
    ).byteLength;
  assert.ok((await sizeAt(9)) < (await sizeAt(0)));
  for (const wrong of [
    { formats: ["deflate"] },
    { levels: { gzip: 10 } },
    { bytesMin: -1 },
    { bytesMin: "1" },
    { types: "text" },
  ])
    assert.throws(() => compress(() => new Response(""), wrong as object), RangeError);
  assert.throws(() => compress({} as never), /needs a handler: compress\(app\.fetch\)/);
});

test("compress: what is left alone", async () => {
  const cases: Record<string, HttpResponse> = {
    image: new HttpResponse(TEXT, { headers: { "content-type": "image/png" } }),
    "no type": new HttpResponse(encode(TEXT)),
    encoded: new HttpResponse(TEXT, { headers: { "content-encoding": "gzip" } }),
    range: new HttpResponse(TEXT, { status: 206, headers: { "content-range": "bytes 0-1/2" } }),
    "no-transform": new HttpResponse(TEXT, { headers: { "cache-control": "x, No-Transform" } }),
    digest: new HttpResponse(TEXT, { headers: { "content-digest": "sha-256=:x:" } }),
    204: new HttpResponse(null, { status: 204 }),
    304: new HttpResponse(null, { status: 304, headers: { etag: '"x"' } }),
  };
  for (const [what, response] of Object.entries(cases)) {
    const given = await answer(response);
    assert.equal(given, response, what);
    assert.equal(given.headers.get("vary"), null, what);
  }
  assert.ok(!isCompressible(new Response(null, { status: 204 })));
});

test("compress: short bodies and such that do not shrink are left as they are, but vary", async () => {
  for (const make of [
    () => new HttpResponse("x".repeat(1023)),
    // Bun tells of no type unless one was given.
    () => new Response("x".repeat(1023), { headers: { "content-type": "text/plain" } }),
    () =>
      new HttpResponse(fromIterable([encode("x".repeat(1000)), encode("y")]), {
        headers: JSON_TYPE,
      }),
    () => new HttpResponse(""),
    () => new HttpResponse(null, { headers: JSON_TYPE }),
  ]) {
    const response = await answer(make());
    assert.equal(response.headers.get("content-encoding"), null);
    assert.equal(response.headers.get("vary"), "accept-encoding");
    assert.ok((await response.text()).length <= 1023);
  }
  const noise = crypto.getRandomValues(new Uint8Array(2000));
  const response = await answer(new HttpResponse(noise, { headers: JSON_TYPE }), "gzip");
  assert.equal(response.headers.get("content-encoding"), null);
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), noise);
  const always = await answer(new HttpResponse("short"), "gzip", {
    bytesMin: 0,
    formats: ["gzip"],
  });
  assert.equal(await always.text(), "short", "it does not shrink");
});

test("compress: fields that no longer hold are taken away, others are kept", async () => {
  const response = await answer(
    new HttpResponse(TEXT, {
      status: 201,
      statusText: "Made",
      headers: [
        ["content-length", String(TEXT.length)],
        ["accept-ranges", "bytes"],
        ["etag", '"tag"'],
        ["vary", "Origin"],
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ],
      trailers: () => ({ "x-sum": "1" }),
    }),
  );
  assert.deepEqual([response.status, response.statusText], [201, "Made"]);
  const { headers } = response;
  assert.equal(headers.get("content-length"), null);
  assert.equal(headers.get("accept-ranges"), null);
  assert.equal(headers.get("etag"), 'W/"tag"');
  assert.equal(headers.get("vary"), "Origin, accept-encoding");
  assert.deepEqual(headers.getSetCookie(), ["a=1", "b=2"]);
  assert.deepEqual(responseParts(response).trailers?.(), ["x-sum", "1"]);
  for (const vary of ["*", "Accept-Encoding", "x, ACCEPT-ENCODING"])
    assert.equal(
      (await answer(new HttpResponse(TEXT, { headers: { vary } }))).headers.get("vary"),
      vary,
    );
  const plain = await answer(new HttpResponse(TEXT, { headers: { etag: '"tag"' } }), null);
  assert.equal(plain.headers.get("etag"), '"tag"');
});

test("compress: a response that is given again and again stays as it was", async () => {
  const shared = new HttpResponse(TEXT);
  const handler = compress(() => shared);
  for (const coding of ["br", "gzip", null]) {
    const response = await handler(request(coding));
    assert.equal(response.headers.get("content-encoding"), coding);
    assert.equal(await textOf(response), TEXT);
  }
  assert.equal(shared.headers.get("content-encoding"), null);
});

test("compress: HEAD has the fields of GET, as far as the length is known", async () => {
  const fieldsOf = async (response: Response) => {
    const { headers } = await answer(response, "br", {}, "HEAD");
    return [headers.get("content-encoding"), headers.get("content-length"), headers.get("vary")];
  };
  const head = (length?: string) =>
    new HttpResponse(null, {
      headers: { ...JSON_TYPE, ...(length === undefined ? {} : { "content-length": length }) },
    });
  assert.deepEqual(await fieldsOf(head("5000")), ["br", null, "accept-encoding"]);
  assert.deepEqual(await fieldsOf(head("10")), [null, "10", "accept-encoding"]);
  assert.deepEqual(await fieldsOf(head()), [null, null, "accept-encoding"]);
  assert.deepEqual(await fieldsOf(new HttpResponse(TEXT)), ["br", null, "accept-encoding"]);
});

test("compress: identity;q=0 is 406 only if nothing fits", async () => {
  const short = await answer(new HttpResponse("hi"), "gzip, identity;q=0");
  assert.equal(short.headers.get("content-encoding"), "gzip");
  assert.equal(await textOf(short), "hi");
  const closed: string[] = [];
  const stream = fromIterable([encode(TEXT)]);
  const close = stream.close.bind(stream);
  stream.close = () => {
    closed.push("closed");
    close();
  };
  const none = await answer(
    new HttpResponse(stream, { headers: JSON_TYPE }),
    "deflate, identity;q=0",
  );
  assert.equal(none.status, 406);
  assert.equal(none.headers.get("vary"), "accept-encoding");
  assert.match(await none.text(), /there is br, zstd, gzip/);
  assert.deepEqual(closed, ["closed"]);
  const image = new HttpResponse("x", { headers: { "content-type": "image/png" } });
  assert.equal((await answer(image, "*;q=0")).status, 200);
});

test("COMPRESSIBLE_TYPES: texts and what is written as text", () => {
  for (const type of [
    "text/html",
    "text/event-stream",
    "application/json",
    "application/problem+json",
    "application/vnd.api+json",
    "application/xml",
    "application/atom+xml",
    "image/svg+xml",
    "application/javascript",
    "application/wasm",
    "application/manifest+json",
    "font/ttf",
  ])
    assert.match(type, COMPRESSIBLE_TYPES);
  for (const type of [
    "image/png",
    "image/jpeg",
    "video/mp4",
    "audio/mpeg",
    "application/zip",
    "application/gzip",
    "application/octet-stream",
    "application/pdf",
    "font/woff2",
    "multipart/byteranges",
    "multipart/form-data",
  ])
    assert.doesNotMatch(type, COMPRESSIBLE_TYPES);
});
