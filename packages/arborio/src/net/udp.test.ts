import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test as nodeTest } from "node:test";
import { hostBackend } from "../platform/host.ts";
import { ClosedResourceError, NotSupportedError, SystemError } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { failAfter, moveOnAfter, sleep } from "../sync/timeouts.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { type BackendTest, onEveryBackend } from "../testing/every-backend.ts";
import { connectUdp, openUdp, type OpenUdpOptions } from "./open-udp.ts";
import type { UdpSocket } from "./udp-socket.ts";

/** None of what is tested here takes long; what hangs shall say where. */
const LIMIT_MS = 10_000;

const every = onEveryBackend(nodeTest);
const test: BackendTest = (title, body, options) =>
  every(title, (group) => failAfter(LIMIT_MS, async () => body(group)), options);

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === "::1");
const needsIpv6 = hasIpv6
  ? {}
  : { skip: { backend: "host", reason: "this machine has no IPv6" } as const };
const notOnDeno = (reason: string): object =>
  hostBackend.name === "deno" ? { skip: { backend: "host", reason } } : {};

const LOOPBACK = "127.0.0.1";
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof SystemError && error.systemCode === code;

function openLocal(options: OpenUdpOptions = {}): Promise<UdpSocket> {
  return openUdp({ host: LOOPBACK, ...options });
}

test("UdpSocket: datagrams go there and back, whole, with the address of who sent them", async () => {
  using a = await openLocal();
  using b = await openLocal();
  assert.deepEqual([a.family, a.localAddress.host], [4, LOOPBACK]);
  await a.send(bytes(1, 2, 3), b.localAddress);
  await a.send(bytes(4), b.localAddress);
  const first = await b.receive();
  assert.deepEqual(first, { data: bytes(1, 2, 3), address: a.localAddress });
  assert.deepEqual((await b.receive()).data, bytes(4));
  await b.send(first.data, first.address);
  assert.deepEqual(await a.receive(), { data: bytes(1, 2, 3), address: b.localAddress });
});

test("UdpSocket: an empty datagram is one; the largest has 65,507 bytes, and one more is EMSGSIZE", async () => {
  using a = await openLocal();
  using b = await openLocal();
  await a.send(bytes(), b.localAddress);
  assert.deepEqual(await b.receive(), { data: bytes(), address: a.localAddress });
  const largest = new Uint8Array(65_507).fill(7);
  await a.send(largest, b.localAddress);
  assert.deepEqual((await b.receive()).data, largest);
  await assert.rejects(a.send(new Uint8Array(65_508), b.localAddress), hasCode("EMSGSIZE"));
  await a.send(bytes(1), b.localAddress);
  assert.deepEqual((await b.receive()).data, bytes(1));
});

test("UdpSocket: what is sent may be changed as soon as send has returned, what is received belongs to the receiver", async () => {
  using a = await openLocal();
  using b = await openLocal();
  const buffer = bytes(0);
  const sendings = [1, 2, 3].map((n) => {
    buffer[0] = n;
    return a.send(buffer, b.localAddress);
  });
  buffer[0] = 9;
  await Promise.all(sendings);
  const received = [await b.receive(), await b.receive(), await b.receive()];
  // Deno sends what is sent at once in any order, as the network may.
  assert.deepEqual(
    received.map(({ data }) => data[0] ?? 0).sort((x, y) => x - y),
    [1, 2, 3],
  );
  for (const { data } of received) {
    assert.ok(data.constructor === Uint8Array && data.buffer.byteLength <= 2 * data.byteLength);
  }
});

test("UdpSocket: keeps what comes up to its limit, drops the oldest or the newest, and counts", async () => {
  using sender = await openLocal();
  for (const [overflow, kept] of [
    ["drop-oldest", [7, 8, 9, 10]],
    ["drop-newest", [1, 2, 3, 4]],
  ] as const) {
    using receiver = await openLocal({ queueDatagrams: 4, overflow });
    for (let n = 1; n <= 10; n++) await sender.send(new Uint8Array(n), receiver.localAddress);
    while (receiver.statistics().droppedDatagrams < 6) await sleep(1);
    const { queuedDatagrams, droppedDatagrams } = receiver.statistics();
    assert.deepEqual([queuedDatagrams, droppedDatagrams], [4, 6]);
    for (const size of kept) assert.equal((await receiver.receive()).data.length, size);
    assert.equal(receiver.statistics().queuedBytes, 0);
  }
});

test("openUdp, connectUdp: names are looked up, also by send, each time", async () => {
  using server = await openUdp({ host: "localhost" });
  const { port } = server.localAddress;
  using client = await openUdp({ family: server.family });
  await client.send(bytes(1), { host: "localhost", port });
  assert.deepEqual((await server.receive()).data, bytes(1));
  using connected = await connectUdp("localhost", port);
  assert.deepEqual(connected.remoteAddress, server.localAddress);
  await connected.send(bytes(2));
  assert.deepEqual((await server.receive()).data, bytes(2));
});

test("connectUdp: receives from its peer only, also of what came before it was connected", async () => {
  using peer = await openLocal();
  using other = await openLocal();
  using socket = await connectUdp(LOOPBACK, peer.localAddress.port);
  assert.equal(socket.remoteAddress.port, peer.localAddress.port);
  await socket.send(bytes(1));
  const { address } = await peer.receive();
  assert.equal(address.port, socket.localAddress.port);
  await other.send(bytes(2), address);
  await peer.send(bytes(3), address);
  assert.deepEqual(await socket.receive(), bytes(3));
  assert.equal(await moveOnAfter(20, () => socket.receive()), undefined);
  assert.equal(socket.statistics().queuedDatagrams, 0);
});

test("connectUdp: all addresses stand for this machine", async () => {
  using peer = await openLocal();
  using socket = await connectUdp("0.0.0.0", peer.localAddress.port, { localHost: LOOPBACK });
  assert.deepEqual(socket.remoteAddress, peer.localAddress);
  await socket.send(bytes(1));
  await peer.send(bytes(2), (await peer.receive()).address);
  assert.deepEqual(await socket.receive(), bytes(2));
});

test(
  "connectUdp: a closed port is ECONNREFUSED in the operation that waits or comes next, and the socket goes on",
  async () => {
    const gone = await openLocal();
    const { port } = gone.localAddress;
    gone.close();
    using socket = await connectUdp(LOOPBACK, port);
    await socket.send(bytes(1));
    await assert.rejects(socket.receive(), hasCode("ECONNREFUSED"));
    await socket.send(bytes(2));
    await sleep(20);
    await assert.rejects(socket.send(bytes(3)), hasCode("ECONNREFUSED"));
    using back = await openLocal({ port });
    await socket.send(bytes(4));
    assert.deepEqual((await back.receive()).data, bytes(4));
  },
  notOnDeno("node:dgram of Deno 2.9.5 does not tell that a port is closed"),
);

test(
  "UdpSocket: IPv6; at all addresses it takes IPv4 too, and sends to it",
  async () => {
    using six = await openUdp({ host: "::1" });
    using both = await openUdp({ family: 6 });
    using four = await openLocal();
    const { port } = both.localAddress;
    await six.send(bytes(6), { host: "::1", port });
    assert.deepEqual(await both.receive(), { data: bytes(6), address: six.localAddress });
    await four.send(bytes(4), { host: LOOPBACK, port });
    const { data, address } = await both.receive();
    assert.deepEqual([data, address.host], [bytes(4), `::ffff:${LOOPBACK}`]);
    await both.send(bytes(1), address);
    assert.equal((await four.receive()).address.port, port);
    await both.send(bytes(2), four.localAddress);
    assert.deepEqual((await four.receive()).data, bytes(2));
  },
  needsIpv6,
);

test(
  "openUdp: with ipv6Only there is room beside it for IPv4, which it does not send to",
  async () => {
    using six = await openUdp({ family: 6, ipv6Only: true });
    using four = await openUdp({ family: 4, port: six.localAddress.port });
    await assert.rejects(six.send(bytes(1), { host: LOOPBACK, port: 9 }), {
      name: "RangeError",
      message: /^UdpSocket\.send: got the address "127\.0\.0\.1", needs one of IPv6/,
    });
    await assert.rejects(four.send(bytes(1), { host: "::1", port: 9 }), RangeError);
  },
  needsIpv6,
);

test("openUdp: a port that is taken is EADDRINUSE, unless both reuse addresses; a foreign address is EADDRNOTAVAIL", async () => {
  using first = await openLocal();
  const { port } = first.localAddress;
  await assert.rejects(openLocal({ port }), hasCode("EADDRINUSE"));
  await assert.rejects(openLocal({ port, reuseAddress: true }), hasCode("EADDRINUSE"));
  await assert.rejects(openUdp({ host: "203.0.113.9" }), hasCode("EADDRNOTAVAIL"));
  using shared = await openLocal({ reuseAddress: true });
  using sharing = await openLocal({ port: shared.localAddress.port, reuseAddress: true });
  assert.deepEqual(sharing.localAddress, shared.localAddress);
});

test(
  "openUdp: with reusePort each datagram comes to one of several sockets",
  async () => {
    using first = await openLocal({ reusePort: true });
    using second = await openLocal({ port: first.localAddress.port, reusePort: true });
    using sender = await openLocal();
    await sender.send(bytes(1), first.localAddress);
    const came = (): number =>
      first.statistics().queuedDatagrams + second.statistics().queuedDatagrams;
    while (came() === 0) await sleep(1);
    await sleep(5);
    assert.equal(came(), 1);
  },
  notOnDeno("Deno ignores the option, so it is refused"),
);

if (hostBackend.name === "deno") {
  nodeTest("openUdp: Deno refuses reusePort, as docs/gaps.md says", async () => {
    await assert.rejects(openLocal({ reusePort: true }), NotSupportedError);
  });
}

test("UdpSocket.close: ends a receive that waits, and gives the port back at once", async (group) => {
  const socket = await openLocal();
  const { port } = socket.localAddress;
  const waiting = group.startSoon(() => assert.rejects(socket.receive(), ClosedResourceError));
  await waitAllTasksBlocked();
  socket.close();
  await waiting.result();
  using again = await openLocal({ port });
  assert.equal(again.localAddress.port, port);
});

test("openUdp, connectUdp: cancelled at any moment, they leave no socket open", async () => {
  const reserved = await openLocal();
  const { port } = reserved.localAddress;
  reserved.close();
  const { rounds } = await cancelEverywhere(async () => {
    {
      using _socket = await openLocal({ port });
    }
    {
      using _socket = await connectUdp(LOOPBACK, 9, { localHost: LOOPBACK, localPort: port });
    }
    using _socket = await openUdp({ host: "localhost", port });
  });
  assert.ok(rounds.waiting >= 4 && rounds.woken >= 4);
  using _free = await openLocal({ port });
});
