/** What no peer can bring about: what the runtime or somebody else does with a socket of `node:net`. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test as nodeTest } from "node:test";
import { hostBackend } from "../../platform/host.ts";
import type { Network } from "../../platform/network.ts";
import { run } from "../../platform/run.ts";
import { sleep } from "../../sync/timeouts.ts";
import { Bench, Recorder } from "../../testing/network-contract/suite.ts";
import { testIf } from "../../testing/test-if.test.kit.ts";
import { NodeWire } from "./node-wire.ts";

/** Two sockets that are connected. */
async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const near = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  await new Promise((resolve) => near.once("connect", resolve));
  const far = await accepted;
  server.close();
  return [near, far];
}

function test(title: string, body: (near: Socket, far: Socket) => Promise<void>): void {
  void nodeTest(title, async () => {
    const [near, far] = await socketPair();
    far.on("error", () => {});
    try {
      await run(() => body(near, far), { signals: [] });
    } finally {
      near.destroy();
      far.destroy();
    }
  });
}

test("NodeWire: what comes right after resume comes behind what was held back", async (near) => {
  const wire = new Recorder(new NodeWire(near));
  await sleep(5);
  wire.wire.pause();
  near.push(Buffer.from([0, 1, 2]));
  near.push(Buffer.from([3, 4]));
  wire.wire.resume();
  near.push(Buffer.from([5]));
  await wire.until("six bytes", () => wire.bytes === 6);
  near.push(Buffer.from([6]));
  await wire.until("seven bytes", () => wire.bytes === 7);
  wire.close(false);
});

test("NodeWire: a socket that somebody else destroys has failed, and takes nothing", async (near) => {
  const wire = new Recorder(new NodeWire(near));
  near.destroy();
  assert.equal(wire.write(10), false);
  if (hostBackend.name === "bun") {
    // Its streams end before they are closed, also if nobody ended them.
    await wire.until("the end", () => wire.hasEnded);
  } else {
    await wire.untilFailed("ECONNRESET");
  }
  assert.equal(wire.wire.details.localAddress, undefined);
  assert.equal(wire.wire.details.remoteAddress, undefined);
  wire.wire.details.setOptions({ noDelay: true, keepAliveMs: 1000 });
  wire.close(true);
});

test("NodeWire: errors of a socket are nobody's before open, and after close", async (near, far) => {
  const wire = new NodeWire(near);
  near.emit("error", new Error("before open"));
  const recorder = new Recorder(wire);
  await recorder.untilFailed("EUNKNOWN");
  recorder.close(false);
  near.emit("error", new Error("after close"));
  far.resume();
  await sleep(5);
  recorder.check();
});

const FOLDER = "/proc/self/fd";
const countingTest = testIf(existsSync(FOLDER), `this system has no ${FOLDER}`);

countingTest("Network.connect: withdrawn while it hangs, it leaves no descriptor", async () => {
  const sockets = (): string[] =>
    readdirSync(FOLDER).flatMap((name) => {
      try {
        const target = readlinkSync(`${FOLDER}/${name}`);
        return target.startsWith("socket:") ? [target] : [];
      } catch {
        return [];
      }
    });
  await run(
    async () => {
      const network = hostBackend.network as Network;
      const bench = new Bench(network, () => "", "connecting");
      // The runtime's own sockets come with the first of ours.
      const listener = await bench.listen();
      await bench.connect(listener.target);
      await listener.next();
      const before = sockets();
      // RFC 5737: nobody answers from there; where there is no way at all, it fails at once.
      const target = { kind: "tcp", host: "192.0.2.1", port: 9 } as const;
      let calls = 0;
      const completion = { succeed: () => void (calls += 1), fail: () => void (calls += 1) };
      const withdraws = [1, 2, 3].map(() => network.connect(target, completion));
      await sleep(30);
      const callsBefore = calls;
      for (const withdraw of withdraws) withdraw();
      for (let waited = 0; waited < 100 && sockets().length > before.length; waited++)
        await sleep(10);
      assert.deepEqual(
        sockets().filter((socket) => !before.includes(socket)),
        [],
      );
      assert.equal(calls, callsBefore);
      await bench.close();
    },
    { signals: [] },
  );
});
