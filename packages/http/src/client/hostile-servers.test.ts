/** Many requests to servers that do what they like, cancelled at any moment: nobody gets what is not his, and no connection is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { moveOnAfter, sleep, sleepForever, taskGroup } from "arborio";
import { random } from "arborio/lowlevel";
import { simulate, type SimulatedWorld } from "arborio/sim";
import type { BodySource } from "../web/payload.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import type { ClientLimits } from "./client-options.ts";
import { type HttpClient, openHttpClient } from "./http-client.ts";
import { assertNothingOpen, type RawPeer, rawServer } from "./raw-server.test.kit.ts";

const LIMITS: Partial<ClientLimits> = { connectionsMax: 6, originConnectionsMax: 4 };
const HOSTS = ["one.test", "two.test"] as const;

/** A whole number from 0 to below `count`, from the seed. */
function below(count: number): number {
  return Math.floor(random() * count);
}

/** What a server may do with a request. `false`: the connection is over. */
type Deed = (peer: RawPeer, path: string) => Promise<boolean>;

const DEEDS: readonly Deed[] = [
  async (peer) => {
    await sleep(below(50));
    peer.reset();
    return false;
  },
  () => Promise.resolve(false),
  async (peer, path) => {
    await peer.answer(path, "connection: close");
    return false;
  },
  async (peer, path) => {
    // It ends the connection, and has not said so.
    await peer.answer(path);
    await sleep(below(20));
    return false;
  },
  async (peer, path) => {
    await peer.answer(path, "keep-alive: timeout=2, max=2");
    return true;
  },
  async (peer, path) => {
    await peer.send("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
    await sleep(below(10));
    await peer.answer(path);
    return true;
  },
  async (peer, path) => {
    await peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    for (const character of path) {
      await peer.send(`1\r\n${character}\r\n`);
      if (below(3) === 0) await sleep(below(20));
    }
    await peer.send("0\r\n\r\n");
    return true;
  },
  async (peer, path) => {
    // Until the connection ends.
    await peer.send(`HTTP/1.1 200 OK\r\n\r\n${path}`);
    return false;
  },
  async (peer) => {
    await peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    return true;
  },
  async (peer, path) => {
    // Cut in the middle.
    await peer.send(`HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n${path}`);
    await sleep(below(10));
    if (below(2) === 0) peer.reset();
    return false;
  },
  async (peer) => {
    await peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345");
    await sleep(5000);
    return false;
  },
  async () => {
    await sleep(5000);
    return false;
  },
  async (peer, path) => {
    await peer.answer(path);
    await peer.send("HTTP/1.1 408 Request Timeout\r\ncontent-length: 4\r\n\r\nevil");
    return true;
  },
  async (peer) => {
    await peer.send("HTTP/1.1 200 OK\nnonsense");
    return true;
  },
  async (peer, path) => {
    await peer.answer(path);
    // While nobody asks.
    await sleep(below(100));
    if (below(2) === 0) peer.reset();
    return false;
  },
];

/** A server that does well half of the time. */
async function serve(peer: RawPeer): Promise<void> {
  if (below(12) === 0) return;
  for (;;) {
    const head = await (below(8) === 0 ? peer.requestHead() : peer.request());
    if (head === null) return;
    const path = head.split(" ")[1] as string;
    if (below(3) === 0) await sleep(below(20));
    const deed = below(2) === 0 ? undefined : DEEDS[below(DEEDS.length)];
    if (deed === undefined) await peer.answer(path);
    else if (!(await deed(peer, path))) return;
  }
}

function someBody(): BodySource | undefined {
  const kind = below(6);
  if (kind === 0) return "a".repeat(below(100));
  if (kind === 1) return new Uint8Array(below(50_000));
  if (kind !== 2) return undefined;
  return (async function* pieces() {
    for (let count = below(5); count > 0; count--) {
      if (below(2) === 0) await sleep(below(10));
      yield "b".repeat(below(3000));
    }
  })();
}

/** One request, read in some way, or not at all. */
async function ask(client: HttpClient, path: string): Promise<void> {
  const body = someBody();
  const method = body === undefined ? "GET" : (["POST", "PUT"][below(2)] as string);
  const url = `http://${HOSTS[below(HOSTS.length)]}${path}`;
  using response = await client.fetch(url, { method, ...(body === undefined ? {} : { body }) });
  if (response.status !== 200) return;
  const reading = below(6);
  if (reading === 0) return;
  if (reading === 1) await response.bodyStream?.receive();
  else assert.equal(await response.text(), path);
}

interface Counts {
  whole: number;
  failed: number;
  cut: number;
}

/** `count` requests of each of so many tasks. */
async function askAll(client: HttpClient, tasks: number, count: number): Promise<Counts> {
  const counts = { whole: 0, failed: 0, cut: 0 };
  await taskGroup(async (group) => {
    for (let task = 0; task < tasks; task++) {
      group.startSoon(async () => {
        for (let number = 0; number < count; number++) {
          // Cancelled at any moment, or never.
          const ms = below(3) === 0 ? below(60) : Infinity;
          try {
            const isWhole = await moveOnAfter(ms, async () => {
              await ask(client, `/${task}-${number}`);
              return true;
            });
            if (isWhole === true) counts.whole += 1;
            else counts.cut += 1;
          } catch (error) {
            if (!(error instanceof RequestFailedError)) throw error;
            counts.failed += 1;
          }
          requireLimits(client);
        }
      });
    }
  });
  return counts;
}

function requireLimits(client: HttpClient): void {
  const { connectionsOpen, connectionsConnecting } = client.statistics();
  assert.ok(connectionsOpen + connectionsConnecting <= 6, "too many connections");
}

async function hostileWorld(world: SimulatedWorld, tasks: number, count: number): Promise<Counts> {
  for (const name of HOSTS) {
    world.host(name, () =>
      taskGroup(async (group) => {
        await rawServer(group, serve, 80);
        await sleepForever();
      }),
    );
  }
  await sleep(1);
  const client = openHttpClient({
    limits: LIMITS,
    timeouts: { headMs: 300, bodyMs: 300, writeMs: 300, connectMs: 1000 },
  });
  const counts = await askAll(client, tasks, count);
  // What nobody wanted may still be on its way.
  await sleep(3000);
  const statistics = client.statistics();
  assert.deepEqual(
    [statistics.connectionsActive, statistics.connectionsConnecting, statistics.requestsWaiting],
    [0, 0, 0],
  );
  assert.ok(statistics.requestsReplayed > 0 || tasks * count < 1000);
  await client[Symbol.asyncDispose]();
  assertNothingOpen(client.statistics());
  await sleep(1000);
  const left = world.netstat("localhost").filter(({ state }) => state !== "closed");
  assert.deepEqual(left, [], "a connection was left behind");
  return counts;
}

for (let seed = 1; seed <= 30; seed++) {
  void test(`hostile servers: no connection is lost, nobody gets what is not his [simulator, seed ${seed}]`, async () => {
    await simulate({ seed }, async (world) => {
      const { whole, failed, cut } = await hostileWorld(world, 12, 8);
      assert.equal(whole + failed + cut, 12 * 8);
      assert.ok(whole > 20, `only ${whole} were answered`);
    });
  });
}

for (const seed of [1, 2, 3, 4]) {
  void test(`hostile servers: of 10,000 requests with random kills nothing is left (a quarter) [simulator, seed ${seed}]`, async () => {
    await simulate({ seed: 1000 + seed }, async (world) => {
      const { whole, failed, cut } = await hostileWorld(world, 25, 100);
      assert.equal(whole + failed + cut, 2500);
      assert.ok(whole > 500 && failed > 100 && cut > 100, `${whole}, ${failed}, ${cut}`);
    });
  });
}
