/** What a client does with its connections: keeping them, and waiting for them. */
import assert from "node:assert/strict";
import { sleep, taskGroup } from "arborio";
import { waitAllTasksBlocked } from "arborio/testing";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { openHttpClient } from "./http-client.ts";
import { assertNothingOpen, failedIn, numberingServer, rawServer } from "./raw-server.test.kit.ts";

// Keeping --------------------------------------------------------------------------------------------------------------

simTest("a connection is used again, and the statistics tell so", async (group) => {
  const server = await numberingServer(group);
  await using client = openHttpClient({ base: server.url });
  for (let count = 0; count < 3; count++) assert.equal((await client.request("/")).text(), "1");
  const { bytesReceived, bytesSent, ...rest } = client.statistics();
  assert.deepEqual(rest, {
    connectionsOpen: 1,
    connectionsActive: 0,
    connectionsIdle: 1,
    connectionsConnecting: 0,
    connectionsOpened: 1,
    requestsWaiting: 0,
    requestsSent: 3,
    requestsReused: 2,
    requestsReplayed: 0,
  });
  assert.equal(bytesReceived, 3 * "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1".length);
  assert.ok(bytesSent > 0 && Object.isFrozen(client.statistics()));
  client.closeIdleConnections();
  assertNothingOpen(client.statistics());
  assert.equal((await client.request("/")).text(), "2");
  assert.equal(client.statistics().bytesReceived, (bytesReceived / 3) * 4);
});

simTest(
  "an idle connection is closed when idleMs have passed, without a request",
  async (group) => {
    const server = await numberingServer(group);
    await using client = openHttpClient({ base: server.url, timeouts: { idleMs: 4000 } });
    await client.request("/");
    await sleep(3500);
    assert.equal((await client.request("/")).text(), "1");
    await sleep(3500);
    assert.equal(client.statistics().connectionsIdle, 1);
    await sleep(1500);
    assertNothingOpen(client.statistics());
    assert.equal(server.open, 0);
    assert.equal((await client.request("/")).text(), "2");
  },
);

simTest("idleMs of the request that a connection carried last counts", async (group) => {
  const server = await numberingServer(group);
  await using client = openHttpClient({ base: server.url });
  const ask = async (idleMs?: number): Promise<string> => {
    const options = idleMs === undefined ? {} : { timeouts: { idleMs } };
    return (await client.request("/", options)).text();
  };
  assert.deepEqual([await ask(), await ask(60_000)], ["1", "1"]);
  await sleep(50_000);
  assert.deepEqual([await ask(), await ask(0)], ["1", "1"]);
  assertNothingOpen(client.statistics());
  assert.equal(await ask(), "2");
});

simTest(
  "a connection is not used when the server is about to end it, by its own word",
  async (group) => {
    const server = await numberingServer(group, "Keep-Alive: timeout=5, max=100");
    await using client = openHttpClient({ base: server.url });
    await client.request("/");
    await sleep(3800);
    assert.equal((await client.request("/")).text(), "1");
    await sleep(4001);
    assert.equal((await client.request("/")).text(), "2");
  },
);

simTest(
  "a connection whose server says that it ends is not used again, though it goes on",
  async (group) => {
    const cases: readonly (readonly [start: string, connections: number])[] = [
      ["HTTP/1.1 200 OK\r\nconnection: close", 3],
      ["HTTP/1.0 200 OK", 3],
      ["HTTP/1.0 200 OK\r\nconnection: keep-alive", 1],
    ];
    for (const [start, connections] of cases) {
      const server = await rawServer(group, async (peer) => {
        while ((await peer.request()) !== null)
          await peer.send(`${start}\r\ncontent-length: 1\r\n\r\n${peer.number}`);
      });
      await using client = openHttpClient({ base: server.url });
      for (let count = 0; count < 3; count++) await client.request("/");
      assert.equal(server.connections, connections, start);
    }
  },
);

simTest("Keep-Alive: timeout=1 leaves no time to use a connection again", async (group) => {
  const server = await numberingServer(group, "Keep-Alive: timeout=1");
  await using client = openHttpClient({ base: server.url });
  await client.request("/");
  assertNothingOpen(client.statistics());
});

simTest("Keep-Alive: max is honoured, counted from the first response", async (group) => {
  const server = await numberingServer(group, "keep-alive: max=2");
  await using client = openHttpClient({ base: server.url });
  const numbers: string[] = [];
  for (let count = 0; count < 7; count++) numbers.push((await client.request("/")).text());
  assert.deepEqual(numbers, ["1", "1", "1", "2", "2", "2", "3"]);
  assert.equal(client.statistics().requestsReplayed, 0);
});

simTest(
  "Keep-Alive: what a server says last counts, and that it says nothing changes nothing",
  async (group) => {
    const hints = ["timeout=60", null, "timeout=3", null, "max=2", "max=1", "max=0"];
    const server = await rawServer(group, async (peer) => {
      while ((await peer.request()) !== null) {
        const hint = hints[peer.requests - 1] ?? null;
        await peer.answer(`${peer.number}`, ...(hint === null ? [] : [`keep-alive: ${hint}`]));
      }
    });
    await using client = openHttpClient({ base: server.url, timeouts: { idleMs: 100_000 } });
    const ask = async (): Promise<string> => (await client.request("/")).text();
    for (const waitMs of [0, 50_000, 50_000, 1000, 900]) {
      await sleep(waitMs);
      assert.equal(await ask(), "1", `${waitMs}`);
    }
    // Two more, by the fifth.
    assert.deepEqual([await ask(), await ask(), await ask()], ["1", "1", "2"]);
    assert.deepEqual([await ask(), await ask()], ["2", "2"]);
    await sleep(2500);
    assert.equal(await ask(), "3");
  },
);

simTest(
  "bytes and ends that come on an idle connection end it, and the next request finds another one",
  async (group) => {
    for (const what of ["bytes", "end", "reset"] as const) {
      const server = await rawServer(group, async (peer) => {
        await peer.request();
        await peer.answer(`${peer.number}`);
        if (peer.number > 1) return void (await peer.request());
        await sleep(100);
        if (what === "bytes") await peer.send("HTTP/1.1 408 Request Timeout\r\n\r\n");
        if (what === "reset") peer.reset();
      });
      await using client = openHttpClient({ base: server.url });
      assert.equal((await client.request("/")).text(), "1");
      await sleep(200);
      assertNothingOpen(client.statistics());
      assert.equal((await client.request("/", { method: "POST", body: "x" })).text(), "2");
    }
  },
);

simTest(
  "what the server sends behind its response is not taken for the next one",
  async (group) => {
    const server = await rawServer(group, async (peer) => {
      while ((await peer.request()) !== null)
        await peer.send(
          "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        );
    });
    await using client = openHttpClient({ base: server.url });
    for (let count = 0; count < 5; count++) assert.equal((await client.request("/")).text(), "1");
  },
);

// Waiting --------------------------------------------------------------------------------------------------------------

simTest("poolMs: a request that gets no connection in time fails in phase pool", async (group) => {
  const server = await rawServer(group, async (peer) => {
    while ((await peer.request()) !== null) {
      await sleep(1000);
      await peer.answer();
    }
  });
  await using client = openHttpClient({
    base: server.url,
    limits: { connectionsMax: 1 },
    timeouts: { poolMs: 100 },
  });
  await taskGroup(async (inner) => {
    inner.startSoon(() => client.request("/"));
    await waitAllTasksBlocked();
    await assert.rejects(client.request("/"), failedIn("pool", "timeout"));
    await sleep(950);
    await client.request("/");
  });
});

simTest(
  "connections are limited, all together and for one origin, and waiting requests are served in order",
  async (group) => {
    let [busy, most] = [0, 0];
    const order: string[] = [];
    const serve = () =>
      rawServer(group, async (peer) => {
        for (let head = await peer.request(); head !== null; head = await peer.request()) {
          most = Math.max(most, ++busy);
          order.push(head.split(" ")[1] as string);
          await sleep(10);
          busy -= 1;
          await peer.answer();
        }
      });
    const servers = [await serve(), await serve()] as const;
    await using client = openHttpClient({ limits: { connectionsMax: 3, originConnectionsMax: 2 } });
    await taskGroup(async (inner) => {
      for (let count = 0; count < 12; count++) {
        inner.startSoon(() => client.request(`${servers[count % 2]?.url ?? ""}${count}`));
        await waitAllTasksBlocked();
      }
    });
    assert.equal(most, 3);
    assert.ok(servers.every(({ connections }) => connections <= 2));
    for (const parity of [0, 1]) {
      const ofOne = order.map((path) => Number(path.slice(1))).filter((one) => one % 2 === parity);
      // Two at a time may come to the server in any order.
      ofOne.forEach((one, at) => assert.ok(Math.abs((one - parity) / 2 - at) <= 1, ofOne.join()));
    }
  },
);
