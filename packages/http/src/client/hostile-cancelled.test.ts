/** Requests over one connection to servers that do what they like, cancelled at every checkpoint: its slot is never lost. */
import assert from "node:assert/strict";
import { shielded, sleep, taskGroup } from "arborio";
import { cancelEverywhere } from "arborio/testing";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import type { FetchOptions } from "./client-options.ts";
import { type HttpClient, openHttpClient } from "./http-client.ts";
import { assertNothingOpen, type RawPeer, rawServer } from "./raw-server.test.kit.ts";

/** What a server does with a request whose head it has. `false`: it ends the connection. */
const DEEDS: Readonly<Record<string, (peer: RawPeer) => Promise<boolean>>> = {
  "ends the connection": () => Promise.resolve(false),
  "resets it": (peer) => {
    peer.reset();
    return Promise.resolve(false);
  },
  "says nothing": async () => {
    await sleep(1000);
    return false;
  },
  "answers early, and goes on reading": async (peer) => {
    await peer.answer("early");
    return true;
  },
  "refuses early, and ends the connection": async (peer) => {
    await peer.send("HTTP/1.1 413 No\r\ncontent-length: 2\r\n\r\nno");
    return false;
  },
  "answers in pieces": async (peer) => {
    await peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    for (const piece of ["5\r\nhello\r\n", "0\r\n\r\n"]) {
      await sleep(5);
      await peer.send(piece);
    }
    return true;
  },
  "stops in the middle of a body": async (peer) => {
    await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
    await sleep(1000);
    return false;
  },
  "cuts a body": async (peer) => {
    await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
    return false;
  },
  "answers, and ends the connection without a word": async (peer) => {
    await peer.answer("hello");
    return false;
  },
  "calls each request late": async (peer) => {
    await peer.send("HTTP/1.1 408 Late\r\ncontent-length: 0\r\n\r\n");
    return true;
  },
};

async function serve(peer: RawPeer, deed: (peer: RawPeer) => Promise<boolean>): Promise<void> {
  for (let head = await peer.requestHead(); head !== null; head = await peer.requestHead()) {
    if (head.startsWith("GET /well ")) await peer.answer("well");
    else if (!(await deed(peer))) return;
  }
}

async function* pieces(): AsyncGenerator<string> {
  for (const piece of ["one ", "two"]) {
    yield piece;
    await sleep(3);
  }
}

const REQUESTS: readonly (() => FetchOptions)[] = [
  () => ({}),
  () => ({ method: "PUT", body: new Uint8Array(20_000) }),
  () => ({ method: "POST", body: pieces() }),
];

/** Three at a time, where one has a place; each may fail, or give up reading. */
async function askAll(client: HttpClient): Promise<void> {
  assert.equal((await client.request("well")).text(), "well");
  await taskGroup(async (group) => {
    for (const options of REQUESTS) {
      group.startSoon(async () => {
        try {
          using response = await client.fetch("deed", options());
          if (response.status === 200) assert.match(await response.text(), /^(early|hello)$/);
        } catch (error) {
          if (!(error instanceof RequestFailedError)) throw error;
        }
      });
    }
  });
}

for (const [title, deed] of Object.entries(DEEDS)) {
  simTest(
    `a server that ${title}, cancelled at every checkpoint: the only slot is free again`,
    async (group) => {
      const server = await rawServer(group, (peer) => serve(peer, deed));
      const { rounds } = await cancelEverywhere(async () => {
        const client = openHttpClient({
          base: server.url,
          limits: { connectionsMax: 1 },
          timeouts: { headMs: 100, bodyMs: 100, writeMs: 100 },
        });
        try {
          await askAll(client);
        } finally {
          await shielded(async () => {
            const { connectionsConnecting, requestsWaiting } = client.statistics();
            assert.deepEqual([connectionsConnecting, requestsWaiting], [0, 0]);
            // In its turn, whatever is still on its way.
            assert.equal((await client.request("well")).text(), "well");
            await client[Symbol.asyncDispose]();
            assertNothingOpen(client.statistics());
            // Until the server has slept out.
            await sleep(2000);
          });
        }
      });
      assert.ok(rounds.waiting >= 8 && rounds.woken >= 8, JSON.stringify(rounds));
    },
    [1],
  );
}
