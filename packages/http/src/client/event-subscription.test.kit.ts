/** Servers of the very bytes of event streams, and a client beside them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, sleep, type TaskGroup, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { type HttpClient, openHttpClient } from "./http-client.ts";
import {
  assertNothingOpen,
  type RawPeer,
  rawServer,
  type RawServer,
} from "./raw-server.test.kit.ts";

/** The head of an event stream, but for its end. */
export const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";

export interface Scene {
  readonly group: TaskGroup;
  readonly server: RawServer;
  readonly client: HttpClient;
}

/** A server of these bytes, in virtual time. Nothing of it is left. */
export function simulated(
  title: string,
  serve: (peer: RawPeer) => Promise<void>,
  body: (scene: Scene) => Promise<void>,
): void {
  for (const seed of [1, 2, 3]) {
    void test(`client.events: ${title} [seed ${seed}]`, async () => {
      const main = (): Promise<void> =>
        taskGroup(async (group) => {
          const server = await rawServer(group, serve);
          const client = openHttpClient({ base: server.url });
          await body({ group, server, client });
          await sleep(10);
          assert.equal(client.statistics().connectionsActive, 0);
          await client[Symbol.asyncDispose]();
          assertNothingOpen(client.statistics());
          group.cancel("it is over");
        });
      await run(main, { signals: [], backend: simulator({ seed }) });
    });
  }
}
