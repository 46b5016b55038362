/** Bodies of requests that are sent again, since a kept connection had ended: whole, or not at all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Event, EndOfStream, run, sleep, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import type { ByteStream } from "arborio/streams";
import { bytesOf } from "../connection/raw-client.test.kit.ts";
import type { FetchOptions } from "./client-options.ts";
import { openHttpClient } from "./http-client.ts";
import { failedIn, rawServer } from "./raw-server.test.kit.ts";

const BYTES = new Uint8Array(300_000).map((_, index) => (index * 7919) >> 3);

/** In virtual time. */
async function simulated(body: () => Promise<void>): Promise<void> {
  await run(body, { signals: [], backend: simulator({ seed: 1 }) });
}

/** Answers the first request, and ends the connection under the second; then there is another. */
async function sentAgain(options: FetchOptions): Promise<string> {
  let again = "";
  await taskGroup(async (group) => {
    const server = await rawServer(group, async (peer) => {
      if (peer.number === 1) {
        await peer.request();
        await peer.answer();
        await peer.requestHead();
        return peer.reset();
      }
      again = (await peer.request()) ?? "";
      await peer.answer();
    });
    await using client = openHttpClient({ base: server.url });
    await client.request("/");
    await client.request("/", { method: "PUT", ...options });
    group.cancel("all was asked");
  });
  return again;
}

for (const compress of [undefined, "gzip"] as const) {
  void test(`replay: a large body ${compress ?? "as it is"} is sent again whole`, async () => {
    await simulated(async () => {
      const again = await sentAgain({ body: BYTES, ...(compress && { compress }) });
      assert.match(again, /^PUT \/ /);
      assert.match(again, compress ? /content-encoding: gzip/ : /content-length: 300000/);
    });
  });
}

/** The first write takes for ever, though the answer to it comes; then the connection ends under what waits to be written. */
function stuckAfterAnswer(): ByteStream {
  const answered = new Event();
  const gone = new Event();
  let receives = 0;
  return {
    async send() {
      if (!answered.isSet) answered.set();
      await gone.wait();
    },
    async receive() {
      receives += 1;
      await answered.wait();
      if (receives === 1) return bytesOf("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
      await sleep(100);
      gone.set();
      throw new EndOfStream("gone");
    },
    async sendEnd() {},
    close: () => gone.set(),
  } as Partial<ByteStream> as ByteStream;
}

void test("replay: a body of which something was taken is not sent again as if it were all, though nothing has left", async () => {
  await simulated(async () => {
    let dials = 0;
    let produced = 0;
    await using client = openHttpClient({
      base: "http://a.test/",
      connect: async () => {
        dials += 1;
        return stuckAfterAnswer();
      },
    });
    await client.request("/");
    await assert.rejects(
      client.request("/", {
        method: "POST",
        body: async (sink) => {
          produced += 1;
          await sink.send("a");
        },
      }),
      failedIn("head", "disconnected"),
    );
    assert.deepEqual([dials, produced], [1, 1]);
  });
});

void test("replay: what must not be sent twice is sent again if nothing of it has left, once", async () => {
  await simulated(async () => {
    for (const body of ["text", "x".repeat(50_000)]) {
      let dials = 0;
      await using client = openHttpClient({
        base: "http://a.test/",
        connect: async () => {
          dials += 1;
          return stuckAfterAnswer();
        },
      });
      await client.request("/");
      // By the second connection, which answers whatever is sent.
      assert.equal((await client.request("/", { method: "POST", body })).status, 200);
      assert.deepEqual([dials, client.statistics().requestsReplayed], [2, 1]);
    }
  });
});

void test("a stream that cannot be closed fails its request, and nothing else", async () => {
  await simulated(async () => {
    await taskGroup(async (group) => {
      const server = await rawServer(group, async (peer) => {
        while ((await peer.request()) !== null) await peer.answer();
      });
      await using client = openHttpClient({ base: server.url });
      const why = new Error("it cannot be closed");
      const body = {
        receive: () => Promise.reject(new EndOfStream("it has ended")),
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.resolve({ done: true, value: undefined }),
        }),
        close() {
          throw why;
        },
      } as never;
      await assert.rejects(client.request("/", { method: "POST", body }), (error) => {
        failedIn("send", "request-body")(error);
        assert.equal((error as Error).cause, why);
        return true;
      });
      assert.equal((await client.request("/")).status, 200);
      group.cancel("all was asked");
    });
  });
});
