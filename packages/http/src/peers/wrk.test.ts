/** Shutdowns under load from wrk: what was begun is finished, and nobody notices that processes come and go. */
import assert from "node:assert/strict";
import { sleep } from "arborio";
import { HttpResponse, openServer } from "@arborio/http";
import { peerTest, WRK } from "./peer-test.test.kit.ts";
import { Wrk } from "./wrk.test.kit.ts";
import { startWorker } from "./worker.test.kit.ts";

const CONNECTIONS = 32;

peerTest(
  [WRK],
  "shutdown under load: each request that was taken is answered whole",
  async (group) => {
    let [handled, inFlight] = [0, 0];
    await using server = await openServer(
      async () => {
        handled += 1;
        inFlight += 1;
        await sleep(2);
        inFlight -= 1;
        return new HttpResponse("hello\n");
      },
      { port: 0, host: "127.0.0.1", group, graceMs: 10_000 },
    );
    using wrk = new Wrk(server.url, CONNECTIONS);
    while (handled < 500 || inFlight === 0) await sleep(1);
    await server.close();
    assert.equal(inFlight, 0);
    const { requests, read, status, timeout } = await wrk.stop();
    // Afterwards wrk tries to connect until its time is over: to it these are failed connections, and writes.
    assert.deepEqual(
      { requests, read, status, timeout },
      { requests: handled, read: 0, status: 0, timeout: 0 },
    );
  },
);

peerTest(
  [WRK],
  "rolling reload under load: two processes replaced in turn, no request fails",
  async () => {
    using first = await startWorker(0);
    using second = await startWorker(first.port);
    using wrk = new Wrk(`http://127.0.0.1:${first.port}/`, CONNECTIONS);
    for (const worker of [first, second]) await worker.handles();
    using third = await startWorker(first.port);
    let handled = await first.drain();
    using fourth = await startWorker(first.port);
    handled += await second.drain();
    for (const worker of [third, fourth]) await worker.handles();
    const counts = await wrk.stop();
    handled += await third.drain();
    handled += await fourth.drain();
    assert.deepEqual(counts, { ...counts, connect: 0, read: 0, write: 0, status: 0, timeout: 0 });
    // What was on its way when wrk's time was over it does not count.
    assert.ok(
      handled >= counts.requests && handled <= counts.requests + CONNECTIONS,
      `${handled} handled, ${counts.requests} answered`,
    );
  },
);
