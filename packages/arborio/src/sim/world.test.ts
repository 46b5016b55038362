import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DeadlockError,
  ExceptionGroup,
  InvalidStateError,
  NotSupportedError,
  now,
  run,
  sleep,
  sleepForever,
} from "../index.ts";
import { connectTcp, listenDescriptor, listenTcp, lookup, streamFromDescriptor } from "../net.ts";
import { type HostOptions, simulate, simulatedWorld, simulator } from "../sim.ts";
import { currentBackend } from "../platform/capabilities.ts";
import { cancelEverywhere } from "../testing.ts";

const HELLO = new TextEncoder().encode("hello");

/** Serves `HELLO` on port 80 to whoever connects. */
async function greet(): Promise<void> {
  using listener = await listenTcp(80);
  await listener.serve((stream) => stream.send(HELLO));
}

/** What a server on port 80 says. */
async function ask(host: string): Promise<string> {
  using stream = await connectTcp(host, 80);
  let text = "";
  for await (const chunk of stream) text += new TextDecoder().decode(chunk);
  return text;
}

test("simulate: hosts reach one another by address and by name, and end when main has ended", async () => {
  let ended = false;
  await simulate({ seed: 3 }, async (world) => {
    const server = world.host("server", { addresses: ["10.0.0.1"] }, () =>
      greet().finally(() => {
        ended = true;
      }),
    );
    assert.deepEqual(server.addresses, ["10.0.0.1"]);
    await sleep(1);
    assert.equal(await ask("10.0.0.1"), "hello");
    const client = world.host("client");
    assert.equal(await client.run(() => ask("server")), "hello");
    assert.deepEqual(await lookup("server"), ["10.0.0.1"]);
    assert.equal(client.addresses.length, 2);
  });
  assert.ok(ended);
});

test("simulate: each host has its own ports and loopback; time is everybody's", async () => {
  await simulate({ seed: 4 }, async (world) => {
    world.host("one", greet);
    world.host("two", greet);
    await sleep(1);
    const two = world.host("three");
    assert.equal(await ask("one"), "hello");
    assert.equal(await ask("two"), "hello");
    await assert.rejects(
      two.run(() => ask("localhost")),
      /ECONNREFUSED/,
    );
    await two.run(async () => {
      const before = now();
      await sleep(5);
      assert.equal(now(), before + 5);
    });
  });
});

test("simulate: what one host draws by chance shifts nothing on another", async () => {
  const drawnBy = async (other: number): Promise<number> =>
    simulate({ seed: 6 }, async (world) => {
      const random = (): number => currentBackend().entropy.random();
      await world.host("other").run(() => Array.from({ length: other }, random));
      return world.host("one").run(random);
    });
  assert.equal(await drawnBy(5), await drawnBy(0));
});

test("simulate: what a host's main throws fails the run", async () => {
  const failure = simulate({}, async (world) => {
    world.host("broken", () => {
      throw new Error("no disk");
    });
    await sleepForever();
  });
  const error = await failure.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof ExceptionGroup);
  assert.match(error.leaves().map(String).join(), /no disk/);
});

test("simulate: returns what main returns, and gives it the world and a group", async () => {
  const value = await simulate({}, (world, group) => {
    group.startSoon(() => sleep(1));
    return world === simulatedWorld() ? 7 : 0;
  });
  assert.equal(value, 7);
});

test("host.run: passes on what is thrown, and leaves nothing when it is cancelled", async () => {
  await simulate({}, async (world) => {
    world.host("server", greet);
    const client = world.host("client");
    await sleep(1);
    await assert.rejects(
      client.run(() => Promise.reject(new RangeError("x"))),
      RangeError,
    );
    await cancelEverywhere(async (round) => {
      round.after(() => {
        const open = world.netstat("client").filter(({ state }) => state !== "closing");
        assert.deepEqual(open, []);
      });
      await client.run(() => ask("server"));
    });
  });
});

test("world.netstat: shows what is open and in which state; nothing once everything is closed", async () => {
  await simulate({ seed: 2 }, async (world) => {
    using listener = await listenTcp(80, { host: "127.0.0.1" });
    const near = await connectTcp("127.0.0.1", 80);
    const far = await listener.accept();
    near.setOptions({ keepAliveMs: 5000 });
    await near.sendEof();
    await sleep(10);
    const sockets = world.netstat("localhost");
    assert.deepEqual(
      sockets.map(({ host, kind, state }) => `${host} ${kind} ${state}`),
      ["localhost tcp listen", "localhost tcp fin-wait", "localhost tcp close-wait"],
    );
    assert.deepEqual(sockets[1]?.options, { noDelay: true, keepAliveMs: 5000 });
    near.close();
    far.close();
    listener.close();
    await sleep(10);
    assert.deepEqual(world.netstat(), []);
  });
});

test("world.host: names and addresses that are taken or cannot be are refused", async () => {
  await simulate({}, (world) => {
    world.host("a", { addresses: ["10.0.0.1"] });
    assert.throws(() => world.host("a"), /got "a", which another host has/);
    assert.throws(() => world.host("localhost"), RangeError);
    assert.throws(() => world.host(""), /needs a name/);
    assert.throws(() => world.host("b", null as unknown as HostOptions), /needs an object/);
    for (const address of ["10.0.0.1", "127.0.0.1", "0.0.0.0", "224.0.0.1", "b"])
      assert.throws(() => world.host("b", { addresses: [address] }), RangeError, address);
    // A host without addresses of its own gets some that are free.
    world.host("c", { addresses: ["192.168.0.2"] });
    assert.deepEqual(world.host("d").addresses, ["192.168.0.3", "fd00::3"]);
  });
});

test("simulatedWorld: outside a simulator there is none; a host starts nothing outside a run", async () => {
  assert.throws(() => simulatedWorld(), InvalidStateError);
  await run(() => assert.throws(() => simulatedWorld(), /the backend is "/), { signals: [] });
  const host = await simulate({}, (world) => world.host("a"));
  assert.throws(() => host.start(() => {}), InvalidStateError);
});

test("simulator: who waits on a simulated socket cannot be woken from outside: a deadlock is reported", async () => {
  const stuck = run(
    async (group) => {
      const listener = await listenTcp(0, { host: "127.0.0.1" });
      group.startSoon(async () => (await listener.accept()).receive(), { name: "server" });
      const stream = await connectTcp("127.0.0.1", listener.port);
      await stream.receive();
    },
    { backend: simulator(), signals: [] },
  );
  const error = await stuck.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof DeadlockError);
  assert.match(error.message, /server \(#\d+\): stream\.receive for \d+ ms/);
});

test("simulator: its sockets have no descriptors", async () => {
  await simulate({}, async () => {
    await assert.rejects(listenDescriptor(3), NotSupportedError);
    assert.throws(() => streamFromDescriptor(3), NotSupportedError);
  });
});

test("simulator: wrong options of the network are refused when it is made", () => {
  const refused = (network: object): void =>
    assert.throws(() => simulator({ network }), /simulator\(\{ network: \{/);
  refused({ latencyMs: [2, 1] });
  refused({ latencyMs: [-1, 1] });
  refused({ latencyMs: [0, Infinity] });
  refused({ chunks: "some" });
  refused({ udp: { lossRate: 1.1 } });
});
