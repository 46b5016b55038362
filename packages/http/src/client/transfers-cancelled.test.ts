/** Cancelled at every checkpoint: no connection is left, producers have ended, and the client works on. */
import assert from "node:assert/strict";
import { shielded, sleep } from "arborio";
import { compressNowait, decompressNowait } from "arborio/lowlevel";
import { type ByteReceiveStream, fromIterable } from "arborio/streams";
import { type CancelRound, cancelEverywhere } from "arborio/testing";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { openServer } from "../server/open-server.ts";
import type { Server } from "../server/server.ts";
import type { BodySink } from "../web/body-producer.ts";
import type { HttpRequest } from "../web/http-request.ts";
import { HttpResponse } from "../web/http-response.ts";
import { type HttpClient, openHttpClient } from "./http-client.ts";
import { encode } from "./uploads.test.kit.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Echoes piece by piece what comes, or says something in pieces. */
function open(): Promise<Server> {
  return openServer(
    (request) =>
      request.method === "PUT"
        ? compressed()
        : new HttpResponse(async (sink) => {
            if (request.body === null) {
              for (let count = 0; count < 3; count++) {
                await sink.send("piece");
                await sleep(1);
              }
            }
            for await (const piece of (request as HttpRequest).bodyStream ?? [])
              await sink.send(piece);
          }),
    { port: 0, onError() {} },
  );
}

/** In gzip, in pieces. */
function compressed(): Response {
  const bytes = compressNowait("gzip", encode("0123456789".repeat(4000)));
  const body = async (sink: BodySink): Promise<void> => {
    await sink.send(bytes.subarray(0, 20));
    await sleep(1);
    await sink.send(bytes.subarray(20));
  };
  return new HttpResponse(body, { headers: { "content-encoding": "gzip" } });
}

/**
 * Runs `use` with a client, cancelled everywhere. Whatever it did, the client serves the next request with the one connection that it may have, and
 * nothing of it is left at the end.
 */
function sweepTest(
  title: string,
  use: (client: HttpClient, round: CancelRound, url: string) => Promise<void>,
): void {
  simTest(
    `${title}, cancelled at every checkpoint`,
    async () => {
      const sweep = await cancelEverywhere(async (round) => {
        const server = await shielded(open);
        const client = openHttpClient({ base: server.url, limits: { connectionsMax: 1 } });
        try {
          await use(client, round, server.url);
        } finally {
          await shielded(async () => {
            assert.equal(client.statistics().connectionsActive, 0);
            assert.equal((await client.request("/")).text(), "piecepiecepiece");
            assertNothingBut(client, 1);
            await client[Symbol.asyncDispose]();
            assertNothingBut(client, 0);
            await sleep(100);
            assert.equal(server.statistics().connectionsOpen, 0);
            await server[Symbol.asyncDispose]();
          });
        }
      });
      assert.ok(sweep.rounds.waiting > 0);
    },
    [1],
  );
}

function assertNothingBut(client: HttpClient, connections: number): void {
  const { connectionsOpen, connectionsActive, requestsWaiting } = client.statistics();
  assert.deepEqual([connectionsOpen, connectionsActive, requestsWaiting], [connections, 0, 0]);
}

sweepTest("fetch, and the response read as a stream", async (client) => {
  using response = await client.fetch("/");
  let bytes = 0;
  for await (const piece of response.bodyStream ?? []) bytes += piece.length;
  assert.equal(bytes, 15);
});

sweepTest("fetch, and the response read as a web stream", async (client) => {
  using response = await client.fetch("/");
  for await (const piece of response.body ?? []) assert.ok(piece.length > 0);
});

sweepTest("a response read as a whole", async (client) => {
  assert.equal((await client.request("/")).text(), "piecepiecepiece");
});

sweepTest("a small body up, and back", async (client) => {
  const response = await client.request("/", { method: "POST", body: "hello" });
  assert.equal(response.text(), "hello");
});

sweepTest("a body by a producer, which has ended then", async (client, round) => {
  let running = 0;
  round.after(() => assert.equal(running, 0, "a producer is left"));
  const body = async (sink: BodySink): Promise<void> => {
    running += 1;
    try {
      for (let count = 0; count < 3; count++) {
        await sleep(1);
        await sink.send("a");
      }
    } finally {
      running -= 1;
    }
  };
  const response = await client.request("/", { method: "POST", body });
  assert.equal(response.text(), "aaa");
});

/** Counts how often it is closed. */
class CountedStream implements ByteReceiveStream {
  readonly #pieces = fromIterable([encode("a"), encode("b")]);
  closes = 0;

  receive(maxBytes?: number): Promise<Uint8Array> {
    return this.#pieces.receive(maxBytes);
  }

  receiveInto(view: Uint8Array): Promise<number> {
    return this.#pieces.receiveInto(view);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    return this.#pieces[Symbol.asyncIterator]();
  }

  close(): void {
    this.closes += 1;
    this.#pieces.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

for (const compress of [undefined, "gzip"] as const) {
  sweepTest(
    `a body by a stream, ${compress ?? "plain"}, which is closed then`,
    async (client, round) => {
      const body = new CountedStream();
      round.after(() => assert.ok(body.closes > 0, "the stream is left open"));
      const options = { method: "POST", body, ...(compress === undefined ? {} : { compress }) };
      const { bytes } = await client.request("/", options);
      assert.equal(text(compress === undefined ? bytes : decompressNowait(compress, bytes)), "ab");
    },
  );
}

sweepTest("a Request of the web, whose body is left then", async (client, round, url) => {
  let pulls = 0;
  let isOver = false;
  const body = new ReadableStream({
    pull(controller) {
      if (pulls++ < 2) return controller.enqueue(encode("a"));
      controller.close();
      isOver = true;
    },
    cancel: () => void (isOver = true),
  });
  round.after(() => assert.ok(isOver, "the body is left open"));
  const request = new Request(url, { method: "POST", body, duplex: "half" } as RequestInit);
  const response = await client.request(request);
  assert.equal(response.text(), "aa");
});

sweepTest("a form with a file", async (client) => {
  const form = new FormData();
  form.append("text", "a");
  form.append("file", new File(["b".repeat(20_000)], "b"));
  const response = await client.request("/", { method: "POST", form });
  assert.match(response.text(), /\r\na\r\n[^]*\r\nb{20000}\r\n/);
});

sweepTest("a response and its clone", async (client) => {
  using response = await client.fetch("/");
  using clone = response.clone();
  assert.equal(await response.text(), "piecepiecepiece");
  assert.equal(await clone.text(), "piecepiecepiece");
});

sweepTest("a body that waits for 100 Continue", async (client) => {
  const response = await client.request("/", {
    method: "POST",
    body: "hello",
    expectContinue: true,
  });
  assert.equal(response.text(), "hello");
});

sweepTest("a large body up, and back", async (client) => {
  const body = new Uint8Array(100_000);
  const response = await client.request("/", { method: "POST", body });
  assert.equal(response.bytes.length, 100_000);
});

sweepTest("a response that is closed before it was read", async (client) => {
  using response = await client.fetch("/");
  assert.equal(response.status, 200);
  await sleep(1);
});

sweepTest("a compressed body", async (client) => {
  const response = await client.request("/", { method: "PUT", body: "a" });
  assert.equal(response.text().length, 40_000);
});
