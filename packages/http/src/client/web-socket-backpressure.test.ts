/** Who does not receive holds up who sends, on each runtime: what lies between them is the system's, and bounded. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { Event, moveOnAfter } from "arborio";
import { onEveryBackend } from "arborio/testing";
import { openServer } from "../server/open-server.ts";
import { upgradeWebSocket } from "../websocket/upgrade-web-socket.ts";
import type { WebSocketConnection } from "../websocket/web-socket-connection.ts";
import { openHttpClient } from "./http-client.ts";

const test = onEveryBackend(nodeTest);

const MESSAGE_BYTES = 65_536;
const MESSAGES = 1600;
/** What the system's buffers of both ends hold at most, with some room; all messages are 100 MiB. */
const UNREAD_BYTES_MAX = 32 * 1024 * 1024;
/** A `send` that takes longer waits for the other side. */
const STALL_MS = 1000;

/** Sends until it is held up, then lets the other side read, and sends the rest. @returns bytes that were taken before. */
async function sendAll(socket: WebSocketConnection, mayRead: Event): Promise<number> {
  const message = new Uint8Array(MESSAGE_BYTES);
  let sent = 0;
  let isHeldUp = false;
  for (; sent < MESSAGES && !isHeldUp; sent++) {
    const taken = await moveOnAfter(STALL_MS, () => socket.send(message).then(() => true));
    isHeldUp = taken === undefined;
  }
  mayRead.set();
  // The one that was held up goes out all the same.
  for (let index = sent; index < MESSAGES; index++) await socket.send(message);
  return sent * MESSAGE_BYTES;
}

async function receiveAll(socket: WebSocketConnection, mayRead: Event): Promise<number> {
  await mayRead.wait();
  let bytes = 0;
  for (let index = 0; index < MESSAGES; index++) bytes += (await socket.receive()).length;
  return bytes;
}

for (const sender of ["server", "client"] as const) {
  test(`WebSocketConnection: a ${sender} that sends is held up by who does not receive, and then all of it comes`, async (group) => {
    const mayRead = new Event();
    const results: { sent?: number; received?: number } = {};
    const send = async (socket: WebSocketConnection): Promise<void> => {
      results.sent = await sendAll(socket, mayRead);
    };
    const receive = async (socket: WebSocketConnection): Promise<void> => {
      results.received = await receiveAll(socket, mayRead);
      await socket.send("all");
    };
    const [atServer, atClient] = sender === "server" ? [send, receive] : [receive, send];
    const done = new Event();
    await using server = await openServer(
      (request, context) =>
        upgradeWebSocket(request, context, async (socket) => {
          await atServer(socket);
          // Who receives says when it has.
          if (sender === "server") await socket.receive();
          done.set();
        }),
      { port: 0, host: "127.0.0.1", group },
    );
    await using client = openHttpClient({ base: server.url });
    await using socket = await client.webSocket("/");
    await atClient(socket);
    if (sender === "client") await socket.receive();
    await done.wait();
    assert.equal(results.received, MESSAGES * MESSAGE_BYTES);
    const { sent = Infinity } = results;
    assert.ok(sent <= UNREAD_BYTES_MAX, `${sent} bytes were taken that nobody has received`);
  });
}
