/** Bodies that become far more than came. */
import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import { sleep } from "arborio";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { attacked, OK } from "./attacked.test.kit.ts";
import type { FetchOptions } from "./client-options.ts";
import { openHttpClient } from "./http-client.ts";
import { failedIn, type RawPeer, rawServer } from "./raw-server.test.kit.ts";

const ZEROS = new Uint8Array(50_000_000);
const BOMBS: Readonly<Record<string, Uint8Array>> = {
  gzip: zlib.gzipSync(ZEROS),
  br: zlib.brotliCompressSync(ZEROS, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } }),
  deflate: zlib.deflateSync(ZEROS),
};

function bombing(bomb: Uint8Array, coding: string): (peer: RawPeer) => Promise<void> {
  return async (peer) => {
    await peer.request();
    await peer.send(`${OK}content-encoding: ${coding}\r\ncontent-length: ${bomb.length}\r\n\r\n`);
    await peer.stream.send(bomb);
    await peer.request();
  };
}

for (const [coding, bomb] of Object.entries(BOMBS)) {
  simTest(
    `a bomb in ${coding}: an error when little of it is made`,
    (group) =>
      attacked(group, bombing(bomb, coding), async (client) => {
        const response = await client.fetch("/");
        let bytes = 0;
        await assert.rejects(
          async () => {
            for await (const piece of response.bodyStream ?? []) bytes += piece.length;
          },
          (error) =>
            failedIn("body", "too-large")(error) && /grows more than 200/.test(String(error)),
        );
        assert.ok(bytes < 20_000_000, `${bytes}`);
        response.close();
      }),
    [1],
  );
}

simTest(
  "a bomb that is larger than bodyBytesMax, one in a bomb, and one that nobody reads",
  async (group) => {
    const gzip = BOMBS["gzip"] as Uint8Array;
    await attacked(
      group,
      bombing(gzip, "gzip"),
      (client) => assert.rejects(client.request("/"), failedIn("body", "too-large")),
      { bodyBytesMax: 1_000_000 },
    );
    await attacked(group, bombing(zlib.gzipSync(gzip), "gzip, gzip"), (client) =>
      assert.rejects(client.request("/"), failedIn("body", "too-large")),
    );
    await attacked(group, bombing(gzip, "gzip"), async (client) => {
      using response = await client.fetch("/");
      assert.equal(response.status, 200);
      response.close();
      await sleep(3000);
      // It was short: the connection could be kept. It is closed here, for the next one to be another.
      client.closeIdleConnections();
    });
    await attacked(group, bombing(gzip, "gzip, gzip, gzip, gzip, gzip, gzip"), (client) =>
      assert.rejects(client.request("/"), failedIn("body", "encoding")),
    );
  },
  [1],
);

simTest(
  "members of gzip without end: an error after 1000",
  async (group) => {
    const members = zlib.gzipSync(new Uint8Array(1));
    // Few enough to be decompressed at once, and too many for that.
    for (const count of [2000, 5000]) {
      const many = new Uint8Array(members.length * count);
      for (let at = 0; at < count; at++) many.set(members, at * members.length);
      await attacked(group, bombing(many, "gzip"), (client) =>
        assert.rejects(client.request("/"), failedIn("body", "too-large")),
      );
    }
  },
  [1],
);

simTest(
  "a bomb that is small: an error too, though it could be decompressed at once",
  async (group) => {
    const bomb = zlib.gzipSync(new Uint8Array(5_000_000));
    await attacked(group, bombing(bomb, "gzip"), (client) =>
      assert.rejects(client.request("/"), failedIn("body", "too-large")),
    );
  },
  [1],
);

for (const [coding, bomb] of Object.entries(BOMBS)) {
  simTest(
    `what shrinks well in ${coding} and is wanted comes whole, and step by step`,
    async (group) => {
      const server = await rawServer(group, bombing(bomb, coding));
      await using client = openHttpClient({
        base: server.url,
        decompress: { ratioMax: 1_000_000 },
        bodyBytesMax: ZEROS.length,
      });
      using response = await client.fetch("/");
      let bytes = 0;
      for await (const piece of response.bodyStream ?? []) {
        bytes += piece.length;
        assert.ok(piece.length <= 65_536, `${piece.length}`);
      }
      assert.equal(bytes, ZEROS.length);
    },
    [1],
  );
}

simTest(
  "limits of what is decompressed, of a client and of a request",
  async (group) => {
    const twice = zlib.gzipSync(zlib.gzipSync("a"));
    const members = Buffer.concat([zlib.gzipSync("a"), zlib.gzipSync("b"), zlib.gzipSync("c")]);
    const server = await rawServer(group, async (peer) => {
      for (let head = await peer.request(); head !== null; head = await peer.request()) {
        const [coding, body] = head.startsWith("GET /twice")
          ? ["gzip, gzip", twice]
          : ["gzip", members];
        await peer.send(
          `${OK}content-encoding: ${coding}\r\ncontent-length: ${body.length}\r\n\r\n`,
        );
        await peer.stream.send(body);
      }
    });
    await using client = openHttpClient({
      base: server.url,
      decompress: { layersMax: 1, membersMax: 2 },
    });
    const get = async (path: string, options: FetchOptions = {}): Promise<string> =>
      (await client.request(path, options)).text();
    await assert.rejects(get("/twice"), failedIn("body", "encoding"));
    await assert.rejects(get("/members"), failedIn("body", "too-large"));
    // What one says of a limit leaves the others.
    const decompress = { membersMax: 3 };
    assert.equal(await get("/members", { decompress }), "abc");
    await assert.rejects(get("/twice", { decompress }), failedIn("body", "encoding"));
    await assert.rejects(get("/members", { decompress: true }), failedIn("body", "too-large"));
    assert.equal(await get("/twice", { decompress: { layersMax: 2 } }), "a");
    const plain = await client.request("/twice", { decompress: false });
    assert.equal(plain.bytes.length, twice.length);
    await using other = openHttpClient({ base: server.url, decompress: false });
    assert.equal((await other.request("/twice", { decompress: true })).text(), "a");
  },
  [1],
);
