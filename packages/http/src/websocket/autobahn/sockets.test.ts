/** The cases of the Autobahn test suite over real sockets, against our server and our client. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import { openHttpClient } from "../../client/http-client.ts";
import { openServer } from "../../server/open-server.ts";
import { echo } from "../raw-peer.test.kit.ts";
import { upgradeWebSocket } from "../upgrade-web-socket.ts";
import { WebSocketClosedError } from "../web-socket-closed-error.ts";
import type { CaseSettings } from "./case.test.kit.ts";
import { judgeClient, type Judged, judgeServer } from "./sockets.test.kit.ts";
import { chosen } from "./suite.test.kit.ts";

const settings: CaseSettings = { pauseMs: 200, failMs: 10_000, isFull: false, mustCompress: true };

function requireAll(judged: Judged): void {
  assert.deepEqual([...judged.failures], []);
  assert.deepEqual(judged.declined, []);
}

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
      requireAll(await judgeServer(Number(port), chosen, settings));
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
      requireAll(await judgeClient(connect, chosen, settings));
    },
    { signals: [] },
  );
});
