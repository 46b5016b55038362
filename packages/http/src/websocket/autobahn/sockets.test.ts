/** The cases of the Autobahn test suite over real sockets: against our server, and the judge against the WebSockets of the runtime. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import { openHttpClient } from "../../client/http-client.ts";
import { openServer } from "../../server/open-server.ts";
import { echo } from "../raw-peer.test.kit.ts";
import { upgradeWebSocket } from "../upgrade-web-socket.ts";
import { WebSocketClosedError } from "../web-socket-closed-error.ts";
import type { FuzzCase } from "./case.test.kit.ts";
import {
  failuresOfClient,
  failuresOfServer,
  platformClient,
  platformServer,
  stopped,
} from "./sockets.test.kit.ts";
import { suite } from "./suite.test.kit.ts";

const settings = { pauseMs: 200, isFull: false };

/**
 * What the runtimes' own do otherwise: none fails at the first bad byte of a text that goes on (6.4), and Deno answers a close frame that is
 * too long by one as long (7.3.6).
 */
const KNOWN = /^(6\.4\.|7\.3\.6$)/;

/** Of each kind of compression the first few sizes. */
const chosen: readonly FuzzCase[] = suite.filter(
  ({ id, deflate }) => deflate === undefined || /\.[1-5]$/.test(id),
);

void test("Autobahn: our server over sockets, with its own handshake", async () => {
  await run(
    async (group) => {
      await using server = await openServer(
        (request, context) =>
          upgradeWebSocket(request, context, echo, {
            messageBytesMax: Infinity,
            compression: { messageBytesMin: 0 },
          }),
        { port: 0, host: "127.0.0.1", group },
      );
      const { port } = new URL(server.url);
      const failures = await failuresOfServer(Number(port), chosen, settings);
      assert.deepEqual([...failures], []);
    },
    { signals: [] },
  );
});

void test("Autobahn: our client over sockets, with its own handshake", async () => {
  await run(
    async (group) => {
      await using client = openHttpClient();
      const connect = (url: string): Disposable => {
        const task = group.startSoon(async () => {
          await using socket = await client.webSocket(url, {
            messageBytesMax: Infinity,
            compression: { messageBytesMin: 0 },
          });
          // What the case breaks is the judge's to see.
          await echo(socket).catch((error: unknown) => {
            if (!(error instanceof WebSocketClosedError)) throw error;
          });
        });
        return { [Symbol.dispose]: () => task.cancel() };
      };
      const failures = await failuresOfClient(connect, chosen, settings);
      assert.deepEqual([...failures], []);
    },
    { signals: [] },
  );
});

const startServer = platformServer();
const SERVER = "Autobahn: the judge against the runtime's own server";

if (startServer === null) {
  console.log(`# skip ${SERVER}: Node has none`);
  void test(SERVER, { skip: "Node has none" }, () => {});
} else {
  void test(SERVER, async () => {
    await run(
      async () => {
        const server = startServer();
        try {
          const failures = await failuresOfServer(server.port, chosen, settings);
          assert.deepEqual(
            [...failures].filter(([id]) => !KNOWN.test(id)),
            [],
          );
        } finally {
          await stopped(server);
        }
      },
      { signals: [] },
    );
  });
}

void test("Autobahn: the judge against the runtime's own client", async () => {
  await run(
    async () => {
      const failures = await failuresOfClient(platformClient, chosen, settings);
      assert.deepEqual(
        [...failures].filter(([id]) => !KNOWN.test(id)),
        [],
      );
    },
    { signals: [] },
  );
});
