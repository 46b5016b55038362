/** How a client is closed, and what is left when a request is cancelled: nothing. */
import assert from "node:assert/strict";
import { CancelScope, shielded, sleep, taskGroup } from "arborio";
import { cancelEverywhere } from "arborio/testing";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openHttpClient } from "./http-client.ts";
import { assertNothingOpen, failedIn, numberingServer, rawServer } from "./raw-server.test.kit.ts";

simTest(
  "closing the client tells everybody: who waits for a connection, connects, waits for a head, reads a body, sends one",
  async (group) => {
    let cleanedUp = false;
    const server = await rawServer(group, async (peer) => {
      const head = (await peer.request()) ?? "";
      if (head.includes("/body"))
        await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345");
      await peer.request();
    });
    const client = openHttpClient({
      base: server.url,
      limits: { originConnectionsMax: 4, connectionsMax: 5 },
    });
    async function* endless(): AsyncGenerator<string> {
      try {
        for (;;) {
          yield "text";
          await sleep(10);
        }
      } finally {
        await shielded(() => sleep(10));
        cleanedUp = true;
      }
    }
    const outcomes: string[] = [];
    const fails = async (
      name: string,
      phase: string,
      request: () => Promise<unknown>,
    ): Promise<void> => {
      await assert.rejects(
        request(),
        (error) =>
          failedIn(phase, "closed")(error) &&
          /the client was closed/.test((error as Error).message),
        name,
      );
      outcomes.push(name);
    };
    await taskGroup(async (inner) => {
      inner.startSoon(() => fails("head", "head", () => client.request("/head")));
      inner.startSoon(() => fails("body", "body", () => client.request("/body")));
      inner.startSoon(async () => {
        const response = await client.fetch("/body");
        await fails("reading", "body", () => response.text());
      });
      inner.startSoon(() =>
        fails("upload", "head", () =>
          client.request("/upload", { method: "POST", body: endless() }),
        ),
      );
      await sleep(50);
      inner.startSoon(() => fails("waiting", "pool", () => client.request("/late")));
      // A server that does not answer to the handshake.
      inner.startSoon(() =>
        fails("connecting", "pool", () => client.request(server.url.replace("http:", "https:"))),
      );
      await sleep(50);
      const { connectionsActive, connectionsConnecting, requestsWaiting } = client.statistics();
      assert.deepEqual([connectionsActive, connectionsConnecting, requestsWaiting], [4, 1, 1]);
      await client.close();
      assert.ok(cleanedUp);
      assertNothingOpen(client.statistics());
      await client[Symbol.asyncDispose]();
    });
    assert.equal(outcomes.length, 6, outcomes.join());
    await fails("later", "pool", () => client.request("/"));
    await sleep(10);
    assert.equal(server.open, 0);
  },
);

simTest("closing a client in a cancelled scope closes it all the same", async (group) => {
  const server = await numberingServer(group);
  const client = openHttpClient({ base: server.url });
  await client.request("/");
  const scope = new CancelScope();
  await scope.run(async () => {
    scope.cancel();
    await client[Symbol.asyncDispose]();
  });
  assert.equal(scope.cancelledCaught, false);
  assertNothingOpen(client.statistics());
});

simTest("a cancelled request sends nothing, and takes no connection", async (group) => {
  const server = await numberingServer(group);
  await using client = openHttpClient({ base: server.url });
  await client.request("/");
  const before = client.statistics();
  const scope = new CancelScope();
  await scope.run(async () => {
    scope.cancel();
    await client.request("/");
  });
  assert.ok(scope.cancelledCaught);
  assert.deepEqual(client.statistics(), before);
});

simTest(
  "a request over a full pool, cancelled at every checkpoint: nothing is left, and the client works on",
  async () => {
    await cancelEverywhere(async (round) => {
      const server = await openServer(() => new HttpResponse("hello"), {
        port: 0,
        host: "127.0.0.1",
      });
      const client = openHttpClient({ base: server.url, limits: { connectionsMax: 1 } });
      round.after(() => {
        assertNothingOpen(client.statistics());
        assert.equal(server.statistics().connectionsOpen, 0);
      });
      try {
        await taskGroup(async (inner) => {
          for (let count = 0; count < 3; count++) {
            inner.startSoon(async () => {
              using response = await client.fetch("/");
              assert.equal(await response.text(), "hello");
            });
          }
        });
      } finally {
        // The rest of a response that nobody wants may still be on its way.
        const { connectionsConnecting, requestsWaiting } = client.statistics();
        assert.deepEqual([connectionsConnecting, requestsWaiting], [0, 0]);
        await client[Symbol.asyncDispose]();
        await server.close({ graceMs: 0 });
      }
    });
  },
  [1],
);
