/** What is set on a UDP socket, multicast, and wrong arguments. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { SystemError } from "../core/errors.ts";
import { failAfter } from "../sync/timeouts.ts";
import { assertCheckpoints } from "../testing/checkpoints.ts";
import { type BackendTest, onEveryBackend } from "../testing/every-backend.ts";
import { connectUdp, openUdp } from "./open-udp.ts";

/** None of what is tested here takes long; what hangs shall say where. */
const LIMIT_MS = 10_000;

const every = onEveryBackend(nodeTest);
const test: BackendTest = (title, body, options) =>
  every(title, (group) => failAfter(LIMIT_MS, async () => body(group)), options);

const LOOPBACK = "127.0.0.1";
const GROUP = "239.7.7.7";
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

/** Whether this machine lets anybody join a group on its loopback interface. */
const hasMulticast = await new Promise<boolean>((resolve) => {
  const socket = createSocket("udp4");
  socket.bind(0, () => {
    try {
      socket.addMembership(GROUP, LOOPBACK);
      socket.setMulticastInterface(LOOPBACK);
      resolve(true);
    } catch {
      resolve(false);
    }
    socket.close();
  });
});
const needsMulticast = hasMulticast
  ? {}
  : { skip: { backend: "host", reason: "this machine has no multicast on loopback" } as const };

test(
  "UdpSocket.joinGroup: each member that shares the port gets what is sent to the group",
  async () => {
    using first = await openUdp({ reuseAddress: true });
    const { port } = first.localAddress;
    using second = await openUdp({ port, reuseAddress: true });
    using sender = await openUdp();
    const options = { networkInterface: LOOPBACK };
    first.joinGroup(GROUP, options);
    second.joinGroup(GROUP, options);
    sender.setMulticastInterface(LOOPBACK);
    sender.setMulticastLoopback(true);
    sender.setMulticastTimeToLive(1);
    await sender.send(bytes(1), { host: GROUP, port });
    assert.deepEqual((await first.receive()).data, bytes(1));
    assert.deepEqual((await second.receive()).data, bytes(1));
    second.leaveGroup(GROUP, options);
    second.joinGroup(GROUP, options);
    second.close();
    await sender.send(bytes(2), { host: GROUP, port });
    assert.deepEqual((await first.receive()).data, bytes(2));
  },
  needsMulticast,
);

test(
  "UdpSocket.joinGroup, leaveGroup: what the system refuses is a SystemError that names the group",
  async () => {
    using socket = await openUdp();
    const options = { networkInterface: LOOPBACK };
    const refused = { name: "SystemError", message: /239\.7\.7\.7/ };
    assert.throws(() => socket.leaveGroup(GROUP, options), refused);
    socket.joinGroup(GROUP, options);
    assert.throws(() => socket.joinGroup(GROUP, options), refused);
    socket.leaveGroup(GROUP, options);
    assert.throws(() => socket.leaveGroup(GROUP, options), refused);
    assert.throws(() => socket.joinGroup(LOOPBACK), SystemError);
  },
  needsMulticast,
);

test(
  "UdpSocket: a network interface that is not there is a SystemError, of IPv6 too",
  async () => {
    using socket = await openUdp({ family: 6 });
    const refused = { name: "SystemError", systemCode: "ENODEV" };
    assert.throws(() => socket.setMulticastInterface("nosuch0"), refused);
    assert.throws(() => socket.joinGroup("ff02::7777", { networkInterface: "nosuch0" }), refused);
  },
  {
    skip: { backend: "simulator", reason: "its hosts have one network interface, without a name" },
  },
);

test("UdpSocket: options of sockets that are bound or connected can be set at any time", async () => {
  using bound = await openUdp({ host: LOOPBACK });
  using connected = await connectUdp(LOOPBACK, bound.localAddress.port);
  for (const socket of [bound, connected]) {
    socket.setBroadcast(true);
    socket.setBroadcast(false);
    socket.setTimeToLive(1);
    socket.setTimeToLive(255);
    socket.setMulticastTimeToLive(1);
    socket.setMulticastLoopback(false);
  }
});

test("UdpSocket: wrong arguments of options are refused before the system sees them", async () => {
  using socket = await openUdp({ host: LOOPBACK });
  using connected = await connectUdp(LOOPBACK, 9);
  const cases: readonly [() => void, string, RegExp][] = [
    [
      () => socket.setBroadcast(1 as never),
      "TypeError",
      /^UdpSocket\.setBroadcast: got 1, needs true or false/,
    ],
    [() => socket.setMulticastLoopback("" as never), "TypeError", /setMulticastLoopback: got ""/],
    [
      () => socket.setTimeToLive(0),
      "RangeError",
      /^UdpSocket\.setTimeToLive: got 0, needs a whole number from 1 to 255/,
    ],
    [
      () => connected.setTimeToLive(256),
      "RangeError",
      /^ConnectedUdpSocket\.setTimeToLive: got 256/,
    ],
    [() => socket.setTimeToLive("1" as never), "TypeError", /got "1"/],
    [
      () => socket.setMulticastTimeToLive(1.5),
      "RangeError",
      /got 1\.5, needs a whole number from 1/,
    ],
    [() => socket.setMulticastInterface("lo"), "RangeError", /got "lo", needs an IPv4 address/],
    [
      () => socket.joinGroup("ff02::1"),
      "RangeError",
      /^UdpSocket\.joinGroup: got "ff02::1", needs a numeric multicast address of IPv4/,
    ],
    [
      () => socket.leaveGroup("group.example"),
      "RangeError",
      /^UdpSocket\.leaveGroup: got "group\.example"/,
    ],
    [
      () => socket.joinGroup(GROUP, { networkInterface: 1 as never }),
      "TypeError",
      /joinGroup\(\{ networkInterface \}\): got 1/,
    ],
    [
      () => socket.joinGroup(GROUP, LOOPBACK as never),
      "TypeError",
      /got "127\.0\.0\.1", needs an object/,
    ],
  ];
  for (const [call, name, message] of cases) assert.throws(call, { name, message });
});

test("openUdp, connectUdp: wrong arguments reject, and are never thrown at once", async () => {
  const open = (options: unknown) => (): Promise<unknown> => openUdp(options as never);
  const connect =
    (...args: unknown[]) =>
    (): Promise<unknown> =>
      connectUdp(...(args as [never, never]));
  const cases: readonly [() => Promise<unknown>, string, RegExp][] = [
    [open(null), "TypeError", /^openUdp: got null, needs an object/],
    [open({ port: 65_536 }), "RangeError", /^openUdp\(\{ port \}\): got 65536/],
    [open({ port: "1" }), "TypeError", /^openUdp\(\{ port \}\): got "1"/],
    [open({ host: "[::1]" }), "RangeError", /^openUdp\(\{ host \}\): got "\[::1\]"/],
    [open({ family: 5 }), "RangeError", /^openUdp\(\{ family \}\): got 5, needs 4 or 6/],
    [
      open({ family: 6, host: LOOPBACK }),
      "RangeError",
      /^openUdp\(\{ family \}\): got 6 for the local address 127/,
    ],
    [open({ reuseAddress: 1 }), "TypeError", /^openUdp\(\{ reuseAddress \}\): got 1/],
    [open({ reusePort: 1 }), "TypeError", /^openUdp\(\{ reusePort \}\): got 1/],
    [open({ ipv6Only: 1 }), "TypeError", /^openUdp\(\{ ipv6Only \}\): got 1/],
    [open({ queueDatagrams: 0 }), "RangeError", /^openUdp\(\{ queueDatagrams \}\): got 0/],
    [
      connect(LOOPBACK, 0),
      "RangeError",
      /^connectUdp: got 0, needs a whole number from 1 to 65535/,
    ],
    [connect("", 1), "RangeError", /^connectUdp: got ""/],
    [
      connect(LOOPBACK, 1, { localHost: "localhost" }),
      "RangeError",
      /^connectUdp\(\{ localHost \}\): got "localhost"/,
    ],
    [
      connect(LOOPBACK, 1, { localPort: -1 }),
      "RangeError",
      /^connectUdp\(\{ localPort \}\): got -1/,
    ],
    [connect(LOOPBACK, 1, { overflow: "" }), "RangeError", /^connectUdp\(\{ overflow \}\): got ""/],
  ];
  for (const [call, name, message] of cases) await assert.rejects(call(), { name, message });
});

test("UdpSocket.send: wrong arguments reject, and are never thrown at once", async () => {
  using socket = await openUdp({ host: LOOPBACK });
  const send =
    (...args: unknown[]) =>
    (): Promise<unknown> =>
      socket.send(...(args as [never, never]));
  const to = { host: LOOPBACK, port: 9 };
  const cases: readonly [() => Promise<unknown>, string, RegExp][] = [
    [
      send("text", to),
      "TypeError",
      /^UdpSocket\.send: got "text", needs a Uint8Array: new TextEncoder/,
    ],
    [
      send(bytes(1)),
      "TypeError",
      /^UdpSocket\.send: got undefined, needs an object such as \{ host/,
    ],
    [
      send(bytes(1), { ...to, port: 0 }),
      "RangeError",
      /^UdpSocket\.send to \{ port \}: got 0, needs/,
    ],
    [
      send(bytes(1), { ...to, host: "a b" }),
      "RangeError",
      /^UdpSocket\.send to \{ host \}: got "a b"/,
    ],
    [
      send(bytes(1), { ...to, host: "::1" }),
      "RangeError",
      /got the address "::1", needs one of IPv4/,
    ],
    [send(bytes(1), { path: "/a" }), "TypeError", /to \{ port \}: got undefined/],
  ];
  for (const [call, name, message] of cases) await assert.rejects(call(), { name, message });
});

test("openUdp, connectUdp, UdpSocket.send: are checkpoints (§2.1)", async () => {
  using socket = await assertCheckpoints(() => openUdp({ host: LOOPBACK }));
  using connected = await assertCheckpoints(() => connectUdp(LOOPBACK, socket.localAddress.port));
  await assertCheckpoints(() => connected.send(bytes(1)));
  await assertCheckpoints(() => socket.send(bytes(1), connected.localAddress));
});
