import assert from "node:assert/strict";
import { test } from "node:test";
import { DeadlockError, moveOnAfter, now, run, sleep, sleepForever, TlsError } from "../index.ts";
import { connectTcp, listenTcp } from "../net.ts";
import { simulate, simulatedWorld, simulator } from "../sim.ts";
import { authority, server } from "../testing/certificates.ts";

const TLS_SERVER = { tls: { identity: server } };
const TLS_CLIENT = { tls: { trusted: authority, serverName: "localhost" } };

/** Sends back what comes, on port 443 of a host of its own. */
function startEcho(): void {
  simulatedWorld().host("echo", async () => {
    const listener = await listenTcp(443, TLS_SERVER);
    await listener.serve(async (stream) => {
      for await (const chunk of stream) await stream.send(chunk);
    });
  });
}

/** Two clients that talk at the same time, and what each saw when. */
async function traceOf(seed: number): Promise<string> {
  return simulate({ seed }, async (_world, group) => {
    const log: string[] = [];
    startEcho();
    await sleep(1);
    const client = async (name: string): Promise<void> => {
      using stream = await connectTcp("echo", 443, TLS_CLIENT);
      log.push(`${name} connected ${now()}`);
      for (const length of [1, 500, 40_000]) {
        await stream.send(new Uint8Array(length));
        let missing = length;
        while (missing > 0) missing -= (await stream.receive()).length;
        log.push(`${name} ${length} ${now()}`);
      }
    };
    const clients = [group.startSoon(() => client("a")), group.startSoon(() => client("b"))];
    for (const one of clients) await one.wait();
    return log.join("\n");
  });
}

test("simulated TLS: a seed gives the same course again, though the bytes differ", async () => {
  const traces = new Set<string>();
  for (let seed = 0; seed < 5; seed++) {
    const trace = await traceOf(seed);
    assert.equal(await traceOf(seed), trace);
    traces.add(trace);
  }
  assert.equal(traces.size, 5);
});

test("simulated TLS: a handshake takes round trips of simulated time, and no others while the host computes", async () => {
  await simulate({ network: { latencyMs: [10, 10], chunks: "whole" } }, async (_world, group) => {
    startEcho();
    await sleep(1);
    const ticks: number[] = [];
    group.startSoon(
      async () => {
        for (;;) {
          await sleep(1);
          ticks.push(now());
        }
      },
      { daemon: true },
    );
    const start = now();
    using stream = await connectTcp("echo", 443, TLS_CLIENT);
    // The name, TCP's handshake, and that of TLS 1.3: a round trip each.
    assert.equal(now() - start, 60);
    assert.equal(ticks.length, 59);
    assert.equal(stream.tls?.version, "TLSv1.3");
  });
});

test("simulated TLS: a failed handshake leaves no socket, on either side", async () => {
  await simulate({ seed: 2 }, async (world) => {
    startEcho();
    await sleep(1);
    await assert.rejects(connectTcp("echo", 443, { tls: { serverName: "localhost" } }), TlsError);
    await sleep(1000);
    assert.deepEqual(
      world.netstat().map(({ state }) => state),
      ["listen"],
    );
  });
});

test("simulated TLS: connecting can be cancelled at any time, and leaves no socket on either side", async () => {
  await simulate({ network: { latencyMs: [1, 1] } }, async (world) => {
    startEcho();
    await sleep(1);
    let finished = 0;
    for (let ms = 0; ms < 12; ms += 0.5) {
      await moveOnAfter(ms, async () => {
        using stream = await connectTcp("echo", 443, TLS_CLIENT);
        await stream.send(new Uint8Array(10));
        await stream.receive();
        finished += 1;
      });
      await sleep(1000);
      assert.deepEqual(
        world.netstat().map(({ state }) => state),
        ["listen"],
        `cancelled after ${ms} ms`,
      );
    }
    assert.ok(finished > 0 && finished < 20, `${finished} of 24 were not cancelled`);
  });
});

test("simulated TLS: two sides that wait for one another are a deadlock", async () => {
  const stuck = run(
    async () => {
      startEcho();
      await sleep(1);
      using stream = await connectTcp("echo", 443, TLS_CLIENT);
      await stream.receive();
      await sleepForever();
    },
    { backend: simulator(), signals: [] },
  );
  await assert.rejects(stuck, DeadlockError);
});
