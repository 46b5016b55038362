/** Files through a server, to clients that behave and such that do not. */
import assert from "node:assert/strict";
import { EndOfStream, failAfter, sleep } from "arborio";
import { connectTcp, type SocketStream } from "arborio/net";
import { compress } from "../negotiation/compress.ts";
import { openServer } from "../server/open-server.ts";
import type { Server } from "../server/server.ts";
import { assertOpen, pattern, type Place, testEverywhere } from "./places.test.kit.ts";
import { serveDirectory } from "./serve-directory.ts";

/** More than the buffers of two sockets hold. */
const LARGE = 12_000_000;

const large = new Uint8Array(LARGE);
for (let at = 0; at < LARGE; at += 65_521) large.set(pattern(Math.min(65_521, LARGE - at)), at);

/** Text that shrinks, but not to nothing. */
const noise = Array.from({ length: 400_000 }, (_, index) =>
  (Math.imul(index, 2_654_435_761) >>> 0).toString(36),
).join("\n");

/** Milliseconds within which a server must have noticed that a client left. */
const NOTICED_MS = 5000;

function open(place: Place): Promise<Server> {
  place.write("site/small.txt", "0123456789");
  place.write("site/data.json", `[${'"hello",'.repeat(30_000)}1]`);
  place.write("site/noise.txt", noise);
  place.write("site/large.bin", large);
  const handler = compress(serveDirectory(`${place.folder}/site`));
  return openServer(handler, { host: "127.0.0.1", port: 0 });
}

async function connect({ addresses }: Server): Promise<SocketStream> {
  return connectTcp("127.0.0.1", (addresses[0] as { port: number }).port);
}

async function send(stream: SocketStream, path: string, fields: string[] = []): Promise<void> {
  const lines = [`GET ${path} HTTP/1.1`, "Host: localhost", ...fields, "", ""];
  await stream.send(new TextEncoder().encode(lines.join("\r\n")));
}

/** The head and the body of an answer after which the server closes. */
async function ask(server: Server, path: string, fields: string[] = []): Promise<[string, Buffer]> {
  using stream = await connect(server);
  await send(stream, path, ["Connection: close", ...fields]);
  const chunks: Uint8Array[] = [];
  try {
    for (;;) chunks.push(await stream.receive());
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
  }
  const all = Buffer.concat(chunks);
  const end = all.indexOf("\r\n\r\n");
  return [all.subarray(0, end).toString("latin1").toLowerCase(), all.subarray(end + 4)];
}

async function closedSoon(place: Place): Promise<void> {
  await failAfter(NOTICED_MS, async () => {
    while (place.openFiles() > 0) await sleep(5);
  });
}

testEverywhere(
  "a server of files: whole ones, ranges, what the client has already",
  async (place) => {
    await using server = await open(place);
    const [head, body] = await ask(server, "/small.txt");
    assert.match(head, /^http\/1\.1 200 /);
    assert.match(head, /\r\ncontent-length: 10\r\n/);
    assert.doesNotMatch(head, /transfer-encoding/);
    assert.equal(body.toString(), "0123456789");
    const etag = /\r\netag: (".*?")/.exec(head)?.[1] as string;
    const [unchanged, nothing] = await ask(server, "/small.txt", [`If-None-Match: ${etag}`]);
    assert.match(unchanged, /^http\/1\.1 304 /);
    assert.equal(nothing.length, 0);
    const [partial, part] = await ask(server, "/large.bin", ["Range: bytes=1000-200999"]);
    assert.match(partial, /^http\/1\.1 206 [^]*\r\ncontent-range: bytes 1000-200999\/12000000\r\n/);
    assert.ok(part.equals(large.subarray(1000, 201_000)));
    const [outside] = await ask(server, "/..%2f..%2fetc/passwd");
    assert.match(outside, /^http\/1\.1 404 /);
  },
);

testEverywhere("a server of files: compressed while it is sent", async (place) => {
  await using server = await open(place);
  const [head, body] = await ask(server, "/data.json", ["Accept-Encoding: gzip"]);
  assert.match(head, /\r\ncontent-encoding: gzip\r\n/);
  assert.match(head, /\r\ntransfer-encoding: chunked\r\n/);
  assert.match(head, /\r\netag: w\/"/);
  assert.ok(body.length < 10_000);
  await closedSoon(place);
});

for (const [what, fields] of [
  ["plain", []],
  ["compressed", ["Accept-Encoding: gzip"]],
] as const) {
  testEverywhere(
    `a server of files: a client that leaves, ${what}: the file is closed`,
    async (place) => {
      await using server = await open(place);
      const path = what === "plain" ? "/large.bin" : "/noise.txt";
      for (const bytesBefore of [0, 1, 100_000]) {
        const stream = await connect(server);
        await send(stream, path, [...fields]);
        for (let bytes = 0; bytes < Math.min(bytesBefore, 1000);)
          bytes += (await stream.receive(Math.max(1, bytesBefore - bytes))).length;
        stream.close();
        await closedSoon(place);
      }
      const [head] = await ask(server, "/small.txt");
      assert.match(head, /^http\/1\.1 200 /);
    },
  );
}

testEverywhere(
  "a server of files: closed while a slow client downloads, it closes the file",
  async (place) => {
    const server = await open(place);
    using stream = await connect(server);
    await send(stream, "/large.bin");
    await stream.receive(1000);
    await assertOpen(place, 1);
    await server.close({ graceMs: 10 });
    await closedSoon(place);
  },
);
