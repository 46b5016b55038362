/** A shutdown at any moment, among clients that ask and ask again, on a simulated network: each request that was sent is answered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenResourceError, EndOfStream, sleep, taskGroup } from "arborio";
import { random } from "arborio/lowlevel";
import { ConnectionFailedError, connectTcp } from "arborio/net";
import { simulate } from "arborio/sim";
import { fieldsOf, get, RawClient } from "../connection/raw-client.test.kit.ts";
import { HttpResponse } from "../web/http-response.ts";
import { openServer } from "./open-server.ts";

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const CLIENTS = 16;

interface Counts {
  handled: number;
  answered: number;
  lost: number;
}

/** Asks until nobody listens any more. */
async function askOn(counts: Counts): Promise<void> {
  for (;;) {
    try {
      using stream = await connectTcp("server", 80);
      const raw = new RawClient(stream);
      for (let isOpen = true; isOpen;) {
        await raw.send(get());
        counts.lost += 1;
        const { head } = await raw.response();
        assert.equal(head.status, 200);
        counts.lost -= 1;
        counts.answered += 1;
        isOpen = fieldsOf(head, "connection").length === 0;
        await sleep(random() * 5);
      }
    } catch (error) {
      if (error instanceof ConnectionFailedError) return;
      if (!(error instanceof EndOfStream || error instanceof BrokenResourceError)) throw error;
    }
  }
}

for (const seed of SEEDS) {
  void test(`a shutdown under load: no request that was sent is lost [simulator, seed ${seed}]`, async () => {
    await simulate({ seed, network: { latencyMs: [0.1, 20] } }, async (world) => {
      const counts: Counts = { handled: 0, answered: 0, lost: 0 };
      const host = world.host("server", { addresses: ["10.0.0.1"] });
      const server = await host.run(() =>
        openServer(
          async () => {
            await sleep(random() * 30);
            counts.handled += 1;
            return new HttpResponse("hello");
          },
          { port: 80 },
        ),
      );
      await taskGroup(async (group) => {
        for (let client = 0; client < CLIENTS; client++) group.startSoon(() => askOn(counts));
        await sleep(200 + random() * 100);
        await server.close({ graceMs: 5000 });
      });
      assert.ok(counts.answered > CLIENTS);
      assert.deepEqual(counts, { ...counts, handled: counts.answered, lost: 0 });
    });
  });
}
