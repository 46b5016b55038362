/** A server whose first connection means ill. */
import assert from "node:assert/strict";
import { sleep, type TaskGroup } from "arborio";
import type { HttpClientOptions } from "./client-options.ts";
import { type HttpClient, openHttpClient } from "./http-client.ts";
import {
  assertNothingOpen,
  type RawPeer,
  rawServer,
  type RawServer,
} from "./raw-server.test.kit.ts";

/** The first connection is served by `attack`, those that follow answer with their number. */
export async function attacked(
  group: TaskGroup,
  attack: (peer: RawPeer) => Promise<void>,
  body: (client: HttpClient, server: RawServer) => Promise<void>,
  options: HttpClientOptions = {},
): Promise<void> {
  const server = await rawServer(group, async (peer) => {
    if (peer.number === 1) return await attack(peer);
    while ((await peer.request()) !== null) await peer.answer(`${peer.number}`);
  });
  const client = openHttpClient({ base: server.url, ...options });
  try {
    await body(client, server);
    // Whatever it was, the next request is answered, by another connection.
    assert.equal((await client.request("/")).text(), "2");
  } finally {
    await client[Symbol.asyncDispose]();
  }
  assertNothingOpen(client.statistics());
  // So long a server may take to see that nobody reads what it sends.
  await sleep(3000);
  assert.equal(server.open, 0, "a connection is still open at the server");
}

/** Sends text in answer to the first request, and then waits until the client has gone. */
export function saying(text: string): (peer: RawPeer) => Promise<void> {
  return async (peer) => {
    await peer.request();
    await peer.send(text);
    await peer.request();
  };
}

export const OK = "HTTP/1.1 200 OK\r\n";
