/** Attacks that reach a server: its memory stays bounded, and others are served meanwhile. Those on the parser alone are tested with it. */
import assert from "node:assert/strict";
import { memoryUsage } from "node:process";
import { test } from "node:test";
import { failAfter, run, sleep, taskGroup } from "arborio";
import { connectTcp } from "arborio/net";
import type { ByteStream } from "arborio/streams";
import { bytesOf, get, lines, RawClient } from "../connection/raw-client.test.kit.ts";
import { testClient, type TestClient } from "../testing/test-client.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openServer } from "./open-server.ts";
import type { Handler } from "./handler.ts";

/** Longest time of one attack, in milliseconds, on a machine that is busy. */
const ATTACK_MS_MAX = 60_000;

/** More memory than this, in bytes, no attack costs: a small part of what was sent, and what collectors leave lying about. */
const MEMORY_BYTES_MAX = 64 * 1_048_576;

const hello: Handler = () => new HttpResponse("hello");

/**
 * Runs an attack, and sees that a client that means well is served while it goes on, and how much memory it costs. Only answers count whose
 * requests were sent after the attack had begun, and that came before it was over.
 */
function attackTest(
  title: string,
  handler: Handler,
  attack: (client: TestClient) => Promise<void>,
): void {
  void test(title, async () => {
    await run(
      async () => {
        await using client = testClient(handler, { onError() {} });
        await (await client.fetch("/")).text();
        const before = memoryUsage();
        let highest = 0;
        let servedDuring = 0;
        let isOver = false;
        const ask = async (): Promise<void> => {
          do {
            const response = await client.fetch("/");
            await response.text();
            if (!isOver) servedDuring += 1;
            const now = memoryUsage();
            const grown = now.heapUsed + now.external - before.heapUsed - before.external;
            highest = Math.max(highest, grown);
            await sleep(5);
          } while (!isOver);
        };
        await failAfter(ATTACK_MS_MAX, () =>
          taskGroup(async (group) => {
            // Starts when the attack has to wait for the first time.
            group.startSoon(ask);
            await attack(client);
            isOver = true;
          }),
        );
        assert.ok(servedDuring > 0, "nobody else was served before the attack was over");
        assert.ok(highest < MEMORY_BYTES_MAX, `${Math.round(highest / 1_048_576)} MiB`);
      },
      { signals: [] },
    );
  });
}

/** Sends until the server has had enough. @returns how many bytes it took. */
async function sendUntilRefused(
  stream: ByteStream,
  piece: Uint8Array,
  bytesMax: number,
): Promise<number> {
  let sent = 0;
  try {
    for (; sent < bytesMax; sent += piece.length) await stream.send(piece);
  } catch {
    // It has closed the connection.
  }
  return sent;
}

const MIB = 1_048_576;

attackTest("a flood of fields is refused, and takes no memory", hello, async (client) => {
  for (let round = 0; round < 20; round++) {
    const stream = client.connect();
    await stream.send(bytesOf("GET / HTTP/1.1\r\nhost: a\r\n"));
    const sent = await sendUntilRefused(stream, bytesOf(`x: ${"y".repeat(4000)}\r\n`), 100 * MIB);
    assert.ok(sent < 4 * MIB, `${sent} bytes`);
    stream.close();
  }
});

attackTest(
  "a line that never ends, in pieces of one byte and more, is refused",
  hello,
  async (client) => {
    for (const [size, bytesMax] of [
      [1, 50_000],
      [1000, 10 * MIB],
    ] as const) {
      const stream = client.connect();
      await stream.send(bytesOf("GET /"));
      const sent = await sendUntilRefused(stream, bytesOf("a".repeat(size)), bytesMax);
      assert.ok(sent < 4 * MIB, `${sent} bytes`);
      stream.close();
    }
  },
);

attackTest(
  "a body of a million chunks of one byte is read in linear time and bounded memory",
  async (request) => new HttpResponse(`${(await request.bytes()).length}`),
  async (client) => {
    const raw = new RawClient(client.connect());
    await raw.send(lines("POST / HTTP/1.1", "host: a", "transfer-encoding: chunked", ""));
    const piece = bytesOf("1\r\nx\r\n".repeat(10_000));
    for (let count = 0; count < 100; count++) await raw.stream.send(piece);
    await raw.send("0\r\n\r\n");
    assert.equal((await raw.response()).body, "1000000");
  },
);

attackTest(
  "a body that is not read is not taken either, however much of it comes",
  async (request) => {
    if (request.method === "POST") await sleep(500);
    return new HttpResponse("hello");
  },
  async (client) => {
    await taskGroup(async (group) => {
      for (let count = 0; count < 20; count++) {
        group.startSoon(async () => {
          const stream = client.connect();
          const head = lines("POST / HTTP/1.1", "host: a", "transfer-encoding: chunked", "");
          await stream.send(bytesOf(head));
          const chunk = bytesOf(`10000\r\n${"x".repeat(65_536)}\r\n`);
          const sent = await sendUntilRefused(stream, chunk, 200 * MIB);
          assert.ok(sent < 4 * MIB, `${sent} bytes`);
          stream.close();
        });
      }
    });
  },
);

attackTest(
  "a pipeline of very many requests whose answers nobody reads is held by the client, not by the server",
  (request) => new HttpResponse(request.url.endsWith("/large") ? "x".repeat(5000) : "hello"),
  async (client) => {
    const stream = client.connect();
    let sent = 0;
    const piece = bytesOf(get("/large").repeat(1000));
    await taskGroup(async (group) => {
      const sending = group.startSoon(async () => {
        for (; sent < 100 * MIB; sent += piece.length) await stream.send(piece);
      });
      await sleep(1000);
      sending.cancel();
    });
    assert.ok(sent < 2 * MIB, `${sent} bytes`);
    stream.close();
  },
);

attackTest(
  "a pipeline that is read is answered whole, in order",
  (request) => new HttpResponse(new URL(request.url).pathname),
  async (client) => {
    const raw = new RawClient(client.connect());
    const total = 20_000;
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        for (let first = 0; first < total; first += 1000) {
          let requests = "";
          for (let count = first; count < first + 1000; count++) requests += get(`/${count}`);
          await raw.send(requests);
        }
      });
      for (let count = 0; count < total; count++)
        assert.equal((await raw.response()).body, `/${count}`);
    });
  },
);

attackTest(
  "very many connections that send nothing, or a part of a head, hold up nobody",
  hello,
  async (client) => {
    const streams: ByteStream[] = [];
    for (let count = 0; count < 900; count++) {
      const stream = client.connect();
      streams.push(stream);
      if (count % 2 === 0) await stream.send(bytesOf("GET / HT"));
      if (count % 100 === 0) await sleep(1);
    }
    assert.equal(await (await client.fetch("/")).text(), "hello");
    for (const stream of streams) stream.close();
  },
);

test("a flood of connections over sockets: no more than connectionsMax are handled, and all are served in turn", async () => {
  await run(
    async () => {
      await using server = await openServer(
        async () => {
          await sleep(5);
          return new HttpResponse("hello");
        },
        { port: 0, host: "127.0.0.1", limits: { connectionsMax: 10 } },
      );
      let most = 0;
      let served = 0;
      await failAfter(ATTACK_MS_MAX, () =>
        taskGroup(async (group) => {
          for (let count = 0; count < 100; count++) {
            group.startSoon(async () => {
              using stream = await connectTcp("127.0.0.1", server.port);
              const raw = new RawClient(stream);
              await raw.send(get("/", "connection: close"));
              assert.equal((await raw.response()).body, "hello");
              served += 1;
              most = Math.max(most, server.statistics().connectionsOpen);
            });
          }
        }),
      );
      assert.equal(served, 100);
      assert.ok(most <= 10, `${most} at once`);
    },
    { signals: [] },
  );
});
