import assert from "node:assert/strict";
import { test } from "node:test";
import type { SystemError } from "../../core/errors.ts";
import type { DatagramHandle, DatagramReceiver, DatagramTarget } from "../../platform/network.ts";
import type { IpAddress } from "../../platform/wire.ts";
import { TestNetwork } from "./fabric.test.kit.ts";
import type { NetworkOptions } from "./fabric.ts";
import type { HostNetwork } from "./host-network.ts";

/** A UDP socket with a log of what it was told: `"text from host:port"`, `"failed CODE"`. */
class Socket implements DatagramReceiver {
  readonly network: TestNetwork;
  readonly handle: DatagramHandle;
  readonly log: string[] = [];

  constructor(network: TestNetwork, host: HostNetwork, target: Partial<DatagramTarget> = {}) {
    this.network = network;
    this.handle = network.get((completion) => host.openDatagram(udp(target), this, completion));
  }

  get port(): number {
    return (this.handle.localAddress as IpAddress).port;
  }

  received(bytes: Uint8Array, from: IpAddress): void {
    this.log.push(`${new TextDecoder().decode(bytes)} from ${from.host}:${from.port}`);
    // What comes belongs to the receiver: nobody else sees this.
    bytes.fill(0);
  }

  failed(error: Error): void {
    this.log.push(`failed ${(error as SystemError).systemCode}`);
  }

  /** Sends and lets everything happen; the code of the error, if there was one. */
  send(data: string | Uint8Array, host?: string, port = 53): string | undefined {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    return this.network.codeOf((completion) => {
      this.handle.send(bytes, host === undefined ? undefined : { host, port }, completion);
      return () => {};
    });
  }

  takeLog(): string[] {
    return this.log.splice(0);
  }
}

function udp(target: Partial<DatagramTarget>): DatagramTarget {
  return {
    family: 4,
    host: undefined,
    port: 0,
    remote: undefined,
    reuseAddress: false,
    reusePort: false,
    ipv6Only: false,
    ...target,
  };
}

/** A socket on 10.0.0.1, and one on port 53 of 10.0.0.2. */
function pair(options: NetworkOptions = {}, seed = 1): [Socket, Socket] {
  const network = new TestNetwork(options, seed);
  return [
    new Socket(network, network.host("10.0.0.1")),
    new Socket(network, network.host("10.0.0.2"), { port: 53 }),
  ];
}

test("simulated UDP: a datagram arrives as one, also an empty one, with the address to answer", () => {
  const [client, server] = pair();
  assert.equal(client.send("hello", "10.0.0.2"), undefined);
  assert.equal(client.send("", "10.0.0.2"), undefined);
  assert.deepEqual(server.log, [
    `hello from 10.0.0.1:${client.port}`,
    ` from 10.0.0.1:${client.port}`,
  ]);
  server.send("answer", "10.0.0.1", client.port);
  assert.deepEqual(client.log, ["answer from 10.0.0.2:53"]);
  assert.deepEqual(client.handle.localAddress, { host: "0.0.0.0", port: client.port });
});

test("simulated UDP: nobody there: an unconnected socket is not told, a connected one is", () => {
  const [client] = pair();
  const { network } = client;
  assert.equal(client.send("x", "10.0.0.2", 99), undefined);
  assert.equal(client.send("x", "10.0.0.9"), undefined);
  assert.deepEqual(client.log, []);
  const host = network.host("10.0.0.3");
  const refused = new Socket(network, host, { remote: { host: "10.0.0.2", port: 99 } });
  assert.equal(refused.send("x"), undefined);
  assert.deepEqual(refused.log, ["failed ECONNREFUSED"]);
  const lost = new Socket(network, host, { remote: { host: "10.0.0.9", port: 53 } });
  lost.send("x");
  assert.deepEqual(lost.log, ["failed EHOSTUNREACH"]);
  network.silentHost("10.0.0.4");
  const silent = new Socket(network, host, { remote: { host: "10.0.0.4", port: 53 } });
  silent.send("x");
  assert.deepEqual(silent.log, []);
});

test("simulated UDP: a connected socket gets its peer's datagrams only, and before those that are not connected", () => {
  const [server, other] = pair();
  const { network } = server;
  const host = network.host("10.0.0.5");
  const remote = { host: "10.0.0.2", port: 53 };
  const connected = new Socket(network, host, { port: 70, remote, reuseAddress: true });
  assert.deepEqual(connected.handle.localAddress, { host: "10.0.0.5", port: 70 });
  const open = new Socket(network, host, { host: "10.0.0.5", port: 70, reuseAddress: true });
  other.send("peer", "10.0.0.5", 70);
  server.send("stranger", "10.0.0.5", 70);
  assert.deepEqual(connected.log, ["peer from 10.0.0.2:53"]);
  assert.deepEqual(open.log, [`stranger from 10.0.0.1:${server.port}`]);
  assert.equal(connected.send("x", "10.0.0.2"), "EISCONN");
  assert.equal(open.send("x"), "EDESTADDRREQ");
});

test("simulated UDP: what is too large, or goes nowhere by its family, fails at once", () => {
  const [client] = pair();
  assert.equal(client.send(new Uint8Array(65_508), "10.0.0.2"), "EMSGSIZE");
  assert.equal(client.send(new Uint8Array(65_507), "10.0.0.2"), undefined);
  assert.equal(client.send("x", "fd00::1"), "EAFNOSUPPORT");
  const six = new Socket(client.network, client.network.host("fd00::7"), { family: 6 });
  assert.equal(six.send("x", "10.0.0.2"), "EAFNOSUPPORT");
  assert.equal(six.send("x", "::ffff:10.0.0.2"), "ENETUNREACH");
});

test("simulated UDP: a socket of both families sends and shows IPv4 as mapped; with ipv6Only it does not", () => {
  const [client] = pair();
  const { network } = client;
  const host = network.host("10.0.0.6", "fd00::6");
  const both = new Socket(network, host, { family: 6, port: 53 });
  client.send("x", "10.0.0.6");
  assert.deepEqual(both.takeLog(), [`x from ::ffff:10.0.0.1:${client.port}`]);
  assert.equal(both.send("back", "::ffff:10.0.0.1", client.port), undefined);
  assert.deepEqual(client.takeLog(), ["back from 10.0.0.6:53"]);
  const only = new Socket(network, host, { family: 6, port: 54, ipv6Only: true });
  client.send("x", "10.0.0.6", 54);
  assert.deepEqual(only.log, []);
  assert.equal(only.send("back", "::ffff:10.0.0.1", client.port), "ENETUNREACH");
});

test("simulated UDP: ports in use, addresses of others and families that do not fit are refused", () => {
  const network = new TestNetwork();
  const host = network.host("10.0.0.1");
  const code = (target: Partial<DatagramTarget>): string | undefined =>
    network.codeOf((completion) =>
      host.openDatagram(udp(target), { received: () => {}, failed: () => {} }, completion),
    );
  assert.equal(code({ port: 53, host: "127.0.0.1" }), undefined);
  assert.equal(code({ port: 53 }), "EADDRINUSE");
  assert.equal(code({ port: 53, reuseAddress: true }), "EADDRINUSE");
  assert.equal(code({ host: "10.0.0.2" }), "EADDRNOTAVAIL");
  assert.equal(code({ host: "::1" }), "EINVAL");
  assert.equal(code({ remote: { host: "::1", port: 1 } }), "EINVAL");
});

test("simulated UDP: of sockets that share an address the last one gets all; with reusePort they are spread", () => {
  const [client] = pair();
  const { network } = client;
  const host = network.host("10.0.0.7");
  const sharing = [1, 2].map(() => new Socket(network, host, { port: 60, reuseAddress: true }));
  const spreading = [1, 2].map(() => new Socket(network, host, { port: 61, reusePort: true }));
  for (let count = 0; count < 40; count++) {
    client.send("x", "10.0.0.7", 60);
    client.send("x", "10.0.0.7", 61);
  }
  assert.deepEqual(
    sharing.map(({ log }) => log.length),
    [0, 40],
  );
  const counts = spreading.map(({ log }) => log.length);
  assert.ok(Math.min(...counts) > 5, `spread as ${counts.join(" ")}`);
});

test("simulated UDP: by default all arrive once and in order, whatever the seed", () => {
  for (let seed = 0; seed < 20; seed++) assert.equal(arrivals({}, seed), "0123456789");
});

test("simulated UDP: datagrams are lost, come twice and overtake one another as often as the world says", () => {
  const seen = (udpOptions: NetworkOptions["udp"] & {}): Set<string> =>
    new Set(Array.from({ length: 40 }, (_, seed) => arrivals(udpOptions, seed)));
  const all = "0123456789".split("");
  const lossy = [...seen({ lossRate: 0.3 })];
  assert.ok(lossy.some((log) => log.length < 10) && lossy.some((log) => log.length > 5));
  for (const log of lossy) assert.equal(log, log.split("").sort().join(""));
  const doubled = [...seen({ duplicateRate: 0.3 })];
  assert.ok(doubled.some((log) => log.length > 10));
  for (const log of doubled) assert.deepEqual([...new Set(log)].sort(), all);
  const mixed = [...seen({ reorderRate: 1 })];
  assert.ok(mixed.some((log) => log !== all.join("")));
  for (const log of mixed) assert.deepEqual(log.split("").sort(), all);
  assert.deepEqual([...seen({ lossRate: 1 })], [""]);
});

/** In which order ten datagrams arrive that are sent at once. */
function arrivals(options: NetworkOptions["udp"] & {}, seed: number): string {
  const [client, server] = pair({ udp: options }, seed);
  for (let index = 0; index < 10; index++) {
    const bytes = new TextEncoder().encode(String(index));
    client.handle.send(
      bytes,
      { host: "10.0.0.2", port: 53 },
      { succeed: () => {}, fail: assert.fail },
    );
  }
  client.network.settle();
  return server.log.map((line) => line.charAt(0)).join("");
}

test("simulated UDP: faults of the network change nothing but what they are about", () => {
  const at = (options: NetworkOptions): number[] => {
    const [client, server] = pair({ ...options }, 5);
    const times: number[] = [];
    server.received = (): number => times.push(client.network.clock.nowUs);
    client.send("x", "10.0.0.2");
    return times;
  };
  assert.deepEqual(at({}), at({ udp: { lossRate: 0.000001, reorderRate: 0.000001 } }));
});

test("simulated UDP: what is sent faster than the network carries is lost", () => {
  const [client, server] = pair();
  const bytes = new Uint8Array(65_000);
  for (let index = 0; index < 200; index++)
    client.handle.send(
      bytes,
      { host: "10.0.0.2", port: 53 },
      { succeed: () => {}, fail: assert.fail },
    );
  client.network.settle();
  assert.equal(server.log.length, Math.floor((4 * 1024 * 1024) / 65_000));
  server.takeLog();
  client.send(bytes, "10.0.0.2");
  assert.equal(server.log.length, 1);
});

test("simulated UDP: broadcast must be allowed, and reaches every host's sockets on the port", () => {
  const [client, server] = pair();
  assert.equal(client.send("x", "255.255.255.255"), "EACCES");
  client.handle.setOption({ name: "broadcast", value: true });
  assert.equal(client.send("x", "255.255.255.255"), undefined);
  assert.deepEqual(server.log, [`x from 10.0.0.1:${client.port}`]);
});

test("simulated UDP: multicast reaches the members of the group, own host included unless switched off", () => {
  const network = new TestNetwork();
  const [one, two] = [network.host("10.0.0.1"), network.host("10.0.0.2")];
  const sender = new Socket(network, one);
  const members = [one, two].map((host) => new Socket(network, host, { port: 53 }));
  const group = "224.0.0.251";
  for (const { handle } of members) handle.setMembership("join", group, undefined);
  const reached = (): number[] => {
    sender.send("x", group);
    return members.map((member) => member.takeLog().filter((line) => line.startsWith("x ")).length);
  };
  assert.deepEqual(reached(), [1, 1]);
  sender.handle.setOption({ name: "multicastLoopback", value: false });
  assert.deepEqual(reached(), [0, 1]);
  sender.handle.setOption({ name: "multicastTimeToLive", value: 0 });
  sender.handle.setOption({ name: "multicastLoopback", value: true });
  assert.deepEqual(reached(), [1, 0]);
  members[0]?.handle.setMembership("leave", group, "0.0.0.0");
  assert.deepEqual(reached(), [0, 0]);
});

test("simulated UDP: memberships and options that cannot be are refused", () => {
  const [client] = pair();
  const { handle } = client;
  const refused =
    (code: string): ((error: unknown) => boolean) =>
    (error) =>
      (error as SystemError).systemCode === code;
  const group = "224.0.0.1";
  assert.throws(() => handle.setMembership("join", "10.0.0.1", undefined), refused("EINVAL"));
  assert.throws(() => handle.setMembership("join", "ff02::1", undefined), refused("EINVAL"));
  assert.throws(() => handle.setMembership("join", group, "10.0.0.2"), refused("EADDRNOTAVAIL"));
  assert.throws(() => handle.setMembership("leave", group, undefined), refused("EADDRNOTAVAIL"));
  handle.setMembership("join", group, "10.0.0.1");
  assert.throws(() => handle.setMembership("join", group, undefined), refused("EADDRINUSE"));
  assert.throws(() => handle.setOption({ name: "timeToLive", value: 0 }), refused("EINVAL"));
  assert.throws(
    () => handle.setOption({ name: "multicastTimeToLive", value: 256 }),
    refused("EINVAL"),
  );
});

test("simulated UDP: after close nothing is told any more, and the port is free", () => {
  const [client, server] = pair();
  const { network } = client;
  client.handle.send(
    new Uint8Array(1),
    { host: "10.0.0.2", port: 53 },
    { succeed: () => {}, fail: assert.fail },
  );
  server.handle.close();
  server.handle.close();
  network.settle();
  assert.deepEqual(server.log, []);
  const [, host] = network.internet.hosts;
  assert.equal(host?.sockets.size, 0);
  assert.equal(new Socket(network, host as HostNetwork, { port: 53 }).port, 53);
});
