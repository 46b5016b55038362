import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import * as zlib from "node:zlib";
import { EndOfStream, run, shielded } from "arborio";
import { compressNowait } from "arborio/lowlevel";
import { simulator } from "arborio/sim";
import { type ByteReceiveStream, fromIterable } from "arborio/streams";
import { cancelEverywhere, onEveryBackend } from "arborio/testing";
import { BodyTooLargeError, HttpError } from "../web/http-error.ts";
import { HttpRequest } from "../web/http-request.ts";
import { encode, TEXT } from "./compress.test.kit.ts";
import { decompressBody, type DecompressLimits } from "./decompress-body.ts";
import { decompressedBody } from "./decompressed-body.ts";

const test = onEveryBackend(nodeTest);

const compressors: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  "X-GZip": (bytes) => zlib.gzipSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  br: (bytes) => compressNowait("br", bytes),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
};

function post(body: Uint8Array, contentEncoding: string): Request {
  const headers = { "content-encoding": contentEncoding, "x-own": "1" };
  return new Request("http://localhost/path?q=1", {
    method: "POST",
    headers,
    body: new Uint8Array(body),
  });
}

/** A request of ours, whose body comes in these chunks. */
function ours(
  chunks: readonly Uint8Array[],
  contentEncoding: string,
  bytesMax: number,
): HttpRequest {
  const stream = fromIterable(chunks);
  return new HttpRequest({
    head: {
      version: "1.1",
      method: "POST",
      target: "/a?b",
      authority: "example.test",
      fields: [
        "Content-Encoding",
        contentEncoding,
        "Content-Length",
        "99",
        "X-Twice",
        "1",
        "x-twice",
        "2",
      ],
      framing: 99,
      keepAlive: true,
      expectsContinue: false,
      upgrade: "",
    },
    scheme: "https",
    fallbackHost: "",
    body: Object.assign(stream, {
      length: 99,
      bytesMax,
      trailers: ["x-sum", "1"],
      isTouched: false,
    }),
    signal: () => new AbortController().signal,
  });
}

const hasStatus = (status: number, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HttpError, String(error));
  assert.equal(error.status, status, error.message);
  assert.match(error.message, message);
  return true;
};

for (const [coding, compress] of Object.entries(compressors)) {
  test(`decompressBody: ${coding}`, async () => {
    const request = decompressBody(post(compress(encode(TEXT)), coding));
    assert.equal(await request.text(), TEXT);
    assert.equal(request.headers.get("content-encoding"), null);
    assert.equal(request.headers.get("content-length"), null);
    assert.equal(request.headers.get("x-own"), "1");
    assert.equal(request.url, "http://localhost/path?q=1");
    assert.equal(request.method, "POST");
  });

  test(`decompressBody: ${coding}: damaged or cut is 400`, async () => {
    const good = compress(encode(TEXT));
    const cut = decompressBody(post(good.subarray(0, good.length - 5), coding));
    await assert.rejects(cut.text(), hasStatus(400, /ends too early|is damaged/));
    const wrong = decompressBody(post(encode("\0this is not compressed"), coding));
    await assert.rejects(wrong.text(), hasStatus(400, /is damaged|too early|goes on/));
    const nothing = decompressBody(ours([], coding, 1000));
    await assert.rejects(nothing.text(), hasStatus(400, /too early/));
  });

  test(`decompressBody: ${coding}: a bomb is 413, and little of it is made`, async () => {
    const bomb = compress(new Uint8Array(50_000_000));
    await assert.rejects(
      decompressBody(post(bomb, coding)).bytes(),
      (error) => error instanceof BodyTooLargeError && error.bytesMax === 1_048_576,
    );
    const lifted = decompressBody(post(bomb, coding), { bytesMax: Infinity });
    let bytes = 0;
    await assert.rejects(
      async () => {
        for await (const chunk of (lifted as HttpRequest).bodyStream as ByteReceiveStream)
          bytes += chunk.length;
      },
      hasStatus(413, /grows more than 200 times/),
    );
    assert.ok(bytes <= 200 * Math.max(bomb.length, 1_048_576 / 200) + 65_536, `${bytes}`);
  });
}

test("decompressBody: data that shrinks well is taken all the same", async () => {
  const zeros = new Uint8Array(1_000_000);
  const request = decompressBody(post(zlib.gzipSync(zeros), "gzip"));
  assert.deepEqual(await request.bytes(), zeros);
  const large = new Uint8Array(5_000_000);
  const all = decompressBody(post(zlib.gzipSync(large), "gzip"), {
    bytesMax: 5_000_000,
    ratioMax: 2000,
  });
  assert.equal((await all.bytes()).length, 5_000_000);
});

test("decompressBody: raw deflate, which some send for deflate", async () => {
  const request = decompressBody(post(zlib.deflateRawSync(encode(TEXT)), "deflate"));
  assert.equal(await request.text(), TEXT);
});

test("decompressBody: codings one over the other, the last one first", async () => {
  const twice = zlib.brotliCompressSync(zlib.gzipSync(encode(TEXT)));
  const request = decompressBody(post(twice, "gzip, identity ,, br"));
  assert.equal(await request.text(), TEXT);
  let five = encode(TEXT);
  for (let layer = 0; layer < 5; layer++) five = zlib.gzipSync(five);
  const layers = (count: number): string => Array(count).fill("gzip").join();
  assert.equal(await decompressBody(post(five, layers(5))).text(), TEXT);
  const asSix = () => decompressBody(post(zlib.gzipSync(five), layers(6)));
  assert.throws(asSix, hasStatus(413, /6 codings one over the other, at most 5/));
  const most = { layersMax: 1 };
  assert.throws(() => decompressBody(post(twice, "gzip, br"), most), hasStatus(413, /at most 1/));
});

test("decompressBody: each layer has the limits, not only the last", async () => {
  // What comes of the first layer is a bomb; of the second, it would be nothing.
  const member = zlib.gzipSync("");
  const inner = Buffer.concat(Array.from({ length: 20_000 }, () => member));
  const request = decompressBody(post(zlib.gzipSync(inner), "gzip, gzip"), {
    bytesMax: 100_000,
    membersMax: Infinity,
  });
  await assert.rejects(request.text(), hasStatus(413, /larger than 100000 bytes/));
});

test("decompressBody: thousands of members are 413", async () => {
  for (const [coding, one] of [
    ["gzip", zlib.gzipSync("")],
    ["zstd", zlib.zstdCompressSync(new Uint8Array(0))],
  ] as const) {
    const many = Buffer.concat(Array.from({ length: 1001 }, () => one));
    await assert.rejects(
      decompressBody(post(many, coding)).text(),
      hasStatus(413, /more than 1000 members/),
    );
    assert.equal(await decompressBody(post(many.subarray(one.length), coding)).text(), "");
  }
});

test("decompressBody: an unknown coding is 415, and tells which are known", () => {
  for (const coding of ["lzma", "gzip, aes128gcm", "constructor", "notgzip", "gzip;q=1", "*"]) {
    assert.throws(
      () => decompressBody(post(encode("x"), coding)),
      (error) => {
        hasStatus(415, /needs one of br, zstd, gzip, deflate/)(error);
        const { headers } = error as HttpError;
        assert.deepEqual(headers, { "accept-encoding": "br, zstd, gzip, deflate" });
        return true;
      },
      coding,
    );
  }
});

test("decompressBody: nothing to do gives the request back", async () => {
  const plain = new Request("http://localhost/", { method: "POST", body: "x" });
  assert.equal(decompressBody(plain), plain);
  const named = new Request("http://localhost/", {
    method: "POST",
    body: "x",
    headers: { "content-encoding": "identity" },
  });
  assert.equal(decompressBody(named), named);
  const empty = new Request("http://localhost/", { headers: { "content-encoding": "gzip" } });
  assert.equal(decompressBody(empty), empty);
  const read = post(zlib.gzipSync("x"), "gzip");
  await read.arrayBuffer();
  assert.throws(() => decompressBody(read), TypeError);
  for (const wrong of [
    { bytesMax: 0 },
    { ratioMax: "1" },
    { layersMax: -1 },
    { membersMax: Number.NaN },
  ])
    assert.throws(() => decompressBody(plain, wrong as DecompressLimits), RangeError);
  assert.throws(
    () => decompressBody(plain, { bytes: 5 } as DecompressLimits),
    /\(\{ bytes \}\): there is no such limit; there are bytesMax, ratioMax/,
  );
});

test("decompressBody: a request of ours keeps its target, fields, trailers and limit", async () => {
  const chunks = Array.from(zlib.gzipSync(encode(TEXT)), (byte) => Uint8Array.of(byte));
  const request = decompressBody(ours(chunks, "gzip", 100_000)) as HttpRequest;
  assert.equal(request.url, "https://example.test/a?b");
  assert.equal(request.target, "/a?b");
  assert.deepEqual(request.fields, ["X-Twice", "1", "x-twice", "2"]);
  assert.equal(request.bodyBytesMax, 100_000);
  assert.equal(request.bodyBytes, undefined);
  assert.equal(await request.text(), TEXT);
  assert.deepEqual(request.trailers, ["x-sum", "1"]);
  const limited = decompressBody(ours(chunks, "gzip", 100_000)) as HttpRequest;
  limited.bodyBytesMax = 10;
  await assert.rejects(limited.text(), (error) => {
    return error instanceof BodyTooLargeError && error.bytesMax === 10;
  });
});

nodeTest("decompressBody: cancelled at every checkpoint, nothing is lost", async () => {
  const bytes = zlib.gzipSync(encode(TEXT));
  await run(
    () =>
      cancelEverywhere(async (round) => {
        let open = true;
        const source = fromIterable([bytes.subarray(0, 700), bytes.subarray(700)]);
        const close = source.close.bind(source);
        source.close = () => {
          open = false;
          close();
        };
        round.after(() => assert.equal(open, false));
        const limits = { bytesMax: Infinity, ratioMax: 200, membersMax: 10 };
        using body = decompressedBody(source, "gzip", limits);
        const received: Uint8Array[] = [];
        const receiveAll = async (): Promise<void> => {
          try {
            for (;;) received.push(await body.receive(5000));
          } catch (error) {
            if (!(error instanceof EndOfStream)) throw error;
          }
        };
        try {
          await receiveAll();
        } finally {
          // Whenever it was cancelled, the rest is still to be had.
          await shielded(receiveAll);
          assert.equal(Buffer.concat(received).toString(), TEXT);
        }
      }),
    { backend: simulator({ seed: 1 }) },
  );
});
