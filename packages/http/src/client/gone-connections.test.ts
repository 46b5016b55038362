/** A connection that has ended under the body of a response holds no slot, whoever forgets to close the response; what has come can be read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, sleep, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import type { ClientResponse } from "./client-response.ts";
import { openHttpClient } from "./http-client.ts";
import { failedIn, rawServer } from "./raw-server.test.kit.ts";

const CONTENT = "x".repeat(30_000);

const ENDS: Readonly<Record<string, readonly [head: string, end: string, isReset: boolean]>> = {
  "that is cut": ["content-length: 100000", "", false],
  "that is reset": ["content-length: 100000", "", true],
  "in chunks that is cut": ["transfer-encoding: chunked", "", false],
  "that ends with its connection": ["connection: close", "", false],
};

/** Reads it in one of several ways. @returns how many bytes it gave before it failed, if it did. */
const WAYS: Readonly<Record<string, (response: ClientResponse) => Promise<number>>> = {
  bodyStream: async ({ bodyStream }) => {
    let bytes = 0;
    for await (const piece of bodyStream ?? []) bytes += piece.length;
    return bytes;
  },
  body: async ({ body }) => {
    let bytes = 0;
    for await (const piece of body ?? []) bytes += piece.length;
    return bytes;
  },
  bytes: async (response) => (await response.bytes()).length,
};

for (const [title, [head, end, isReset]] of Object.entries(ENDS)) {
  for (const [name, read] of Object.entries(WAYS)) {
    for (const isLate of [false, true]) {
      const when = isLate ? "after" : "before";
      void test(`a body ${title}, read by ${name} ${when} that: no slot is held`, async () => {
        const main = (): Promise<void> =>
          taskGroup(async (group) => {
            const server = await rawServer(group, async (peer) => {
              await peer.request();
              const chunk = head.endsWith("chunked") ? "7530\r\n" : "";
              await peer.send(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${chunk}${CONTENT}${end}`);
              await sleep(100);
              if (isReset) peer.reset();
            });
            await using client = openHttpClient({
              base: server.url,
              limits: { connectionsMax: 1 },
              timeouts: { poolMs: 1000 },
            });
            for (let count = 0; count < 3; count++) {
              const response = await client.fetch("/");
              if (isLate) await sleep(200);
              if (title === "that ends with its connection")
                assert.equal(await read(response), CONTENT.length);
              else await assert.rejects(read(response), failedIn("body", "disconnected"));
              assert.equal(client.statistics().connectionsActive, 0);
            }
            // Not even one that nobody reads.
            const forgotten = await client.fetch("/");
            await sleep(200);
            assert.equal(client.statistics().connectionsOpen, 0);
            forgotten.close();
            group.cancel("all was asked");
          });
        await run(main, { signals: [], backend: simulator({ seed: 1 }) });
      });
    }
  }
}

const FAILING: Readonly<Record<string, readonly [text: string, reason: string]>> = {
  protocol: ["transfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", "protocol"],
  size: ["transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n40\r\n", "too-large"],
  pace: ["content-length: 100\r\n\r\nhello", "timeout"],
};

for (const [title, [text, reason]] of Object.entries(FAILING)) {
  for (const [name, read] of Object.entries(WAYS)) {
    void test(`a body that fails by its ${title}, read by ${name}: no slot is held for long`, async () => {
      const main = (): Promise<void> =>
        taskGroup(async (group) => {
          const server = await rawServer(group, async (peer) => {
            while ((await peer.request()) !== null) await peer.send(`HTTP/1.1 200 OK\r\n${text}`);
          });
          await using client = openHttpClient({
            base: server.url,
            timeouts: { bodyMs: 500 },
            bodyBytesMax: reason === "too-large" ? 3 : 1000,
          });
          const response = await client.fetch("/");
          await assert.rejects(read(response), failedIn("body", reason));
          // What is short may still come, and is waited for.
          await sleep(1500);
          assert.equal(client.statistics().connectionsActive, 0);
          group.cancel("it was read");
        });
      await run(main, { signals: [], backend: simulator({ seed: 1 }) });
    });
  }
}
