/** Names, and sockets that the system does or does not open: with a network of the backend that does what the test wants. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { SystemError } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import type { Backend } from "../platform/backend.ts";
import type {
  Completion,
  DatagramHandle,
  DatagramTarget,
  Network,
  Withdraw,
} from "../platform/network.ts";
import { run } from "../platform/run.ts";
import type { SocketAddress } from "../platform/wire.ts";
import { simulator } from "../sim/simulator.ts";
import { connectUdp, openUdp } from "./open-udp.ts";

const NAMES: Readonly<Record<string, readonly string[]>> = {
  "both.example 6": ["2001:db8::1", "2001:db8::2"],
  "both.example 4": ["192.0.2.1"],
  "four.example 4": ["192.0.2.4"],
};

/** Knows a few names, no way to IPv6, and keeps a log. */
class FakeNetwork implements Partial<Network> {
  readonly lookups: string[] = [];
  readonly opened: DatagramTarget[] = [];
  readonly sent: SocketAddress[] = [];
  readonly sentBytes: Uint8Array[] = [];
  withdrawn = 0;
  /** While set, nothing is answered. */
  silent = false;

  lookup(host: string, family: 4 | 6, completion: Completion<readonly string[]>): Withdraw {
    const query = `${host} ${family}`;
    this.lookups.push(query);
    const found = NAMES[query];
    return this.#answer(() => {
      if (found !== undefined) completion.succeed(found);
      else completion.fail(new SystemError(`look up ${host}`, "ENOTFOUND"));
    });
  }

  openDatagram(
    target: DatagramTarget,
    _receiver: unknown,
    completion: Completion<DatagramHandle>,
  ): Withdraw {
    this.opened.push(target);
    return this.#answer(() => {
      if (target.remote !== undefined && target.family === 6)
        completion.fail(new SystemError(`to ${target.remote.host}`, "ENETUNREACH"));
      else completion.succeed(this.#handle());
    });
  }

  #handle(): DatagramHandle {
    return {
      localAddress: { host: "192.0.2.9", port: 9 },
      send: (bytes, to, completion) => {
        this.sentBytes.push(bytes);
        if (to !== undefined) this.sent.push(to);
        void Promise.resolve().then(() => completion.succeed());
      },
      setOption: () => {},
      setMembership: () => {},
      close: () => {},
    };
  }

  #answer(answer: () => void): Withdraw {
    let wanted = !this.silent;
    void Promise.resolve().then(() => wanted && answer());
    return () => {
      wanted = false;
      this.withdrawn += 1;
    };
  }
}

function test(title: string, body: (network: FakeNetwork) => Promise<void>): void {
  nodeTest(title, async () => {
    const network = new FakeNetwork();
    const host: Backend = simulator().createBackend();
    const backend: Backend = { ...host, network: network as unknown as Network };
    await run(() => body(network), { backend, signals: [] });
  });
}

const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof SystemError && error.systemCode === code;
const data = new Uint8Array(1);

test("connectUdp: takes the first address of a name that the system knows a way to", async (network) => {
  using socket = await connectUdp("both.example", 53, { localPort: 9, queueDatagrams: 1 });
  assert.deepEqual(socket.remoteAddress, { host: "192.0.2.1", port: 53 });
  assert.deepEqual([socket.family, network.opened.at(-1)?.port], [4, 9]);
  assert.deepEqual(
    network.opened.map(({ remote }) => remote?.host),
    ["2001:db8::1", "192.0.2.1"],
  );
});

test("connectUdp: without any way there, throws the error of the first address", async (network) => {
  await assert.rejects(connectUdp("both.example", 53, { family: 6 }), (error) => {
    assert.ok(hasCode("ENETUNREACH")(error));
    return (error as Error).message === "to 2001:db8::1";
  });
  assert.equal(network.opened.length, 2);
});

test("openUdp, connectUdp: a name that nobody knows is ENOTFOUND, and nothing is opened", async (network) => {
  await assert.rejects(openUdp({ host: "unknown.example" }), hasCode("ENOTFOUND"));
  await assert.rejects(connectUdp("four.example", 53, { family: 6 }), hasCode("ENOTFOUND"));
  assert.equal(network.opened.length, 0);
});

test("openUdp: without a host it is of IPv4, or of the family that was asked for", async (network) => {
  using _four = await openUdp();
  using _six = await openUdp({ family: 6, ipv6Only: true });
  using _name = await openUdp({ host: "both.example" });
  assert.deepEqual(
    network.opened.map(({ family, host, ipv6Only }) => [family, host, ipv6Only]),
    [
      [4, undefined, false],
      [6, undefined, true],
      [6, "2001:db8::1", false],
    ],
  );
});

test("UdpSocket.send: looks a name up each time, for an address that suits the socket", async (network) => {
  using four = await openUdp();
  using six = await openUdp({ family: 6, ipv6Only: true });
  using dual = await openUdp({ family: 6 });
  await four.send(data, { host: "both.example", port: 1 });
  await four.send(data, { host: "both.example", port: 2 });
  await six.send(data, { host: "both.example", port: 3 });
  await dual.send(data, { host: "four.example", port: 4 });
  await assert.rejects(six.send(data, { host: "four.example", port: 5 }), hasCode("ENOTFOUND"));
  assert.deepEqual(network.sent, [
    { host: "192.0.2.1", port: 1 },
    { host: "192.0.2.1", port: 2 },
    { host: "2001:db8::1", port: 3 },
    { host: "::ffff:192.0.2.4", port: 4 },
  ]);
  assert.equal(network.lookups.filter((query) => query === "both.example 4").length, 2);
});

test("UdpSocket.send: cancelled or closed while a name is looked up, sends nothing", async (network) => {
  using socket = await openUdp();
  network.silent = true;
  const scope = new CancelScope();
  const cancelled = scope.run(() => socket.send(data, { host: "four.example", port: 1 }));
  await waitAllTasksBlocked();
  scope.cancel();
  await cancelled;
  assert.deepEqual([network.withdrawn, network.sent], [1, []]);
  network.silent = false;
  const late = socket.send(data, { host: "four.example", port: 1 });
  socket.close();
  await assert.rejects(late, { name: "ClosedResourceError" });
  assert.deepEqual(network.sent, []);
});

test("UdpSocket.send: what is sent to a name may be changed while it is looked up", async (network) => {
  using socket = await openUdp();
  const buffer = new Uint8Array([1]);
  const sending = socket.send(buffer, { host: "four.example", port: 1 });
  buffer[0] = 9;
  await sending;
  assert.deepEqual(network.sentBytes, [new Uint8Array([1])]);
});

test("openUdp: cancelled while the system opens the socket, it is withdrawn", async (network) => {
  network.silent = true;
  const scope = new CancelScope();
  const opening = scope.run(async () => void (await openUdp()));
  await waitAllTasksBlocked();
  assert.equal(network.opened.length, 1);
  scope.cancel();
  await opening;
  assert.equal(network.withdrawn, 1);
});
