import assert from "node:assert/strict";
import { test } from "node:test";
import { moveOnAfter, sleep, type TaskGroup, taskGroup } from "../index.ts";
import { connectTcp, connectUnix, listenTcp, listenUnix, lookup, openUdp } from "../net.ts";
import { type NetworkOptions, simulate, type SimulatedWorld } from "../sim.ts";
import { Trace } from "./trace.test.kit.ts";

/**
 * What happens in a world of TCP, UDP, Unix sockets, names and timers with the seeds 0 to 19, as a hash. The same on every runtime. They
 * change when a choice is added, or the order of what happens at one instant changes; then every seed that somebody has noted down
 * means something else, which is to be told in a changeset.
 */
const HASHES: readonly string[] = [
  "09d77d58",
  "f710ef98",
  "cc1ae759",
  "3d837f60",
  "24d4f16e",
  "3ae8de96",
  "c986f27c",
  "7219a11a",
  "e0c0214e",
  "eb85fbf4",
  "bfc79c62",
  "444f4fab",
  "392cda22",
  "18acc142",
  "e921effe",
  "68b11ac8",
  "fa3ed64b",
  "7390caad",
  "707b32d1",
  "826c03af",
];

const DATA = Uint8Array.from({ length: 20_000 }, (_, index) => index & 255);

/** On 10.0.0.1: what comes over TCP is sent back, datagrams are counted. */
async function server(trace: Trace, group: TaskGroup): Promise<void> {
  const listener = await listenTcp(80);
  group.startSoon(() =>
    listener.serve(async (stream) => {
      for await (const chunk of stream) {
        trace.note(`server got ${chunk.length}`);
        await stream.send(chunk);
      }
      await stream.sendEof();
    }),
  );
  const socket = await openUdp({ port: 53, host: "10.0.0.1" });
  for await (const { data, address } of socket) {
    trace.note(`datagram ${data[0]} from ${address.port}`);
    await socket.send(data, address);
  }
}

async function client(trace: Trace, name: string, length: number): Promise<void> {
  using stream = await connectTcp("server.test", 80);
  trace.note(`${name} connected from ${JSON.stringify(stream.localAddress)}`);
  await stream.send(DATA.subarray(0, length));
  await stream.sendEof();
  let sum = 0;
  for await (const chunk of stream) {
    trace.note(`${name} got ${chunk.length}`);
    sum += chunk.reduce((total, byte) => total + byte, 0);
  }
  trace.note(`${name} sum ${sum}`);
}

async function questions(trace: Trace): Promise<void> {
  using socket = await openUdp();
  for (let number = 0; number < 8; number++) {
    await socket.send(Uint8Array.of(number), { host: "10.0.0.1", port: 53 });
    await moveOnAfter(1.5, async () => {
      const { data } = await socket.receive();
      trace.note(`answer ${data[0]} to ${number}`);
    });
  }
}

async function neighbours(trace: Trace): Promise<void> {
  using listener = await listenUnix("/run/app.sock");
  using near = await connectUnix("/run/app.sock");
  using far = await listener.accept();
  await near.send(DATA.subarray(0, 100));
  near.close();
  for await (const chunk of far) trace.note(`neighbour got ${chunk.length}`);
}

/** Timers of the same moment, in the order of the seed. */
async function timers(trace: Trace): Promise<void> {
  await taskGroup((group) => {
    for (const name of "abcdef") {
      group.startSoon(async () => {
        await sleep(2);
        trace.note(`timer ${name}`);
      });
    }
  });
}

async function scenario(world: SimulatedWorld, trace: Trace): Promise<void> {
  world.names.set("server.test", ["10.0.0.1", "fd00::99"], { ipv6: { delayMs: 3 } });
  world.host("server", { addresses: ["10.0.0.1"] }, (group) => server(trace, group));
  await sleep(1);
  const tasks = [
    world.host("one").start(() => client(trace, "one", 20_000)),
    world.host("two").start((group) => {
      group.startSoon(() => client(trace, "two", 500));
      group.startSoon(() => questions(trace));
      group.startSoon(() => neighbours(trace));
      group.startSoon(() => timers(trace));
    }),
  ];
  trace.note(`lookup ${(await lookup("one")).join(" ")}`);
  for (const task of tasks) await task.wait();
  await sleep(100);
  trace.note(
    `left ${world
      .netstat()
      .map(({ kind, state }) => `${kind} ${state}`)
      .join(", ")}`,
  );
}

async function traceOf(
  seed: number,
  options: NetworkOptions = {},
  order: "random" | "fifo" = "random",
): Promise<Trace> {
  const trace = new Trace();
  const udp = { lossRate: 0.1, duplicateRate: 0.1, reorderRate: 0.2 };
  await simulate({ seed, order, network: { udp, ...options } }, (world) => scenario(world, trace));
  return trace;
}

test("simulator: a seed gives one course of a network's life, the same on every runtime", async () => {
  const hashes: string[] = [];
  for (let seed = 0; seed < 20; seed++) hashes.push((await traceOf(seed)).hash);
  assert.deepEqual(hashes, HASHES);
  assert.equal(new Set(hashes).size, 20);
});

test("simulator: the network's options change the course, the order of tasks does too", async () => {
  const { hash } = await traceOf(3);
  assert.notEqual((await traceOf(3, { chunks: "whole" })).hash, hash);
  assert.notEqual((await traceOf(3, {}, "fifo")).hash, hash);
});

test("simulator: the course is as rich as it is meant to be, and leaves only what the server has open", async () => {
  const { lines } = await traceOf(7);
  assert.ok(lines.length > 30, `${lines.length} lines`);
  assert.match(lines.at(-1) ?? "", / left tcp listen, udp open$/);
  assert.ok(
    lines.some((line) => line.endsWith("one sum 2546416")),
    lines.join("\n"),
  );
});
