import assert from "node:assert/strict";
import { test } from "node:test";
import type { Completion, ConnectTarget, Withdraw } from "../../platform/network.ts";
import type { Wire } from "../../platform/wire.ts";
import { End, tcp, TestNetwork } from "./fabric.test.kit.ts";
import type { HostNetwork } from "./host-network.ts";

type TcpTarget = Extract<ConnectTarget, { kind: "tcp" }>;

function connect(
  host: HostNetwork,
  target: Omit<TcpTarget, "kind">,
): (completion: Completion<Wire>) => Withdraw {
  return (completion) => host.connect({ kind: "tcp", ...target }, completion);
}

test("simulated connect: nobody listens: ECONNREFUSED after a round trip, and nothing is left", () => {
  const network = new TestNetwork({ latencyMs: [2, 2] });
  const client = network.host("10.0.0.1");
  network.host("10.0.0.2");
  const outcome = network.begin(connect(client, { host: "10.0.0.2", port: 80 }));
  network.settle();
  assert.equal(outcome.error?.systemCode, "ECONNREFUSED");
  assert.match(
    outcome.error?.message ?? "",
    /^connect to 10\.0\.0\.2:80: the connection was refused/,
  );
  assert.equal(outcome.at, 4000);
  assert.equal(client.sockets.size, 0);
});

test("simulated connect: nobody has the address: EHOSTUNREACH; no way of that family: ENETUNREACH", () => {
  const network = new TestNetwork();
  const client = network.host("10.0.0.1");
  assert.equal(network.codeOf(connect(client, { host: "10.0.0.9", port: 80 })), "EHOSTUNREACH");
  assert.equal(network.codeOf(connect(client, { host: "fd00::9", port: 80 })), "ENETUNREACH");
});

test("simulated connect: a host that is silent: ETIMEDOUT after 127 s", () => {
  const network = new TestNetwork();
  const client = network.host("10.0.0.1");
  network.silentHost("10.0.0.2");
  const outcome = network.begin(connect(client, { host: "10.0.0.2", port: 80 }));
  network.settle();
  assert.equal(outcome.error?.systemCode, "ETIMEDOUT");
  assert.equal(outcome.at, 127_000_000);
});

test("simulated connect: loopback is each host's own, all of 127.0.0.0/8 and ::1; wildcards mean it", () => {
  const network = new TestNetwork();
  const [one, other] = [network.host("10.0.0.1"), network.host("10.0.0.2")];
  network.listen(one, tcp("127.0.0.1", 80));
  network.listen(one, tcp("::1", 80));
  for (const host of ["127.0.0.1", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"]) {
    const wire = network.get(connect(one, { host, port: 80 }));
    const { remoteAddress } = wire.details;
    assert.equal(
      (remoteAddress as { host: string }).host,
      host.includes(":") && !host.includes(".") ? "::1" : "127.0.0.1",
    );
    assert.equal(network.codeOf(connect(other, { host, port: 80 })), "ECONNREFUSED");
  }
  assert.equal(network.codeOf(connect(one, { host: "127.0.0.2", port: 80 })), "ECONNREFUSED");
});

test("simulated connect: from a local address and port, if they are this host's and free", () => {
  const network = new TestNetwork();
  const client = network.host("10.0.0.1", "10.0.0.3", "fd00::1");
  const server = network.host("10.0.0.2");
  network.listen(server, tcp("0.0.0.0", 80));
  const to = { host: "10.0.0.2", port: 80 };
  const from = { localHost: "10.0.0.3", localPort: 5000 };
  const wire = network.get(connect(client, { ...to, ...from }));
  assert.deepEqual(wire.details.localAddress, { host: "10.0.0.3", port: 5000 });
  assert.equal(network.codeOf(connect(client, { ...to, ...from })), "EADDRINUSE");
  assert.equal(network.codeOf(connect(client, { ...to, localHost: "10.0.0.2" })), "EADDRNOTAVAIL");
  assert.equal(network.codeOf(connect(client, { ...to, localHost: "fd00::1" })), "EINVAL");
  assert.equal(network.codeOf(connect(client, { ...to, localHost: "127.0.0.1" })), "EINVAL");
  wire.close(false);
  network.settle();
  assert.ok(network.get(connect(client, { ...to, ...from })));
});

test("simulated connect: withdrawn at any moment, the other side accepts nothing, and no port is held", () => {
  for (let atUs = 0; atUs < 4000; atUs += 500) {
    const network = new TestNetwork({ latencyMs: [2, 2] });
    const [client, server] = [network.host("10.0.0.1"), network.host("10.0.0.2")];
    const listener = network.listen(server, tcp("10.0.0.2", 80, { backlog: 1 }));
    const target = { host: "10.0.0.2", port: 80, localPort: 5000 };
    const outcome = network.begin(connect(client, target));
    if (atUs > 0) network.settle(atUs);
    outcome.withdraw();
    network.settle();
    assert.equal(outcome.at, undefined);
    assert.equal(listener.accepted.length, 0);
    assert.equal(client.sockets.size, 0);
    // The port and the one place in the backlog are free again.
    assert.ok(network.get(connect(client, target)));
  }
});

test("simulated connect: more handshakes than the backlog takes are tried again a second later", () => {
  const network = new TestNetwork({ latencyMs: [2, 2] });
  const [client, server] = [network.host("10.0.0.1"), network.host("10.0.0.2")];
  const listener = network.listen(server, tcp("10.0.0.2", 80, { backlog: 2 }));
  const startUs = network.clock.nowUs;
  const outcomes = [1, 2, 3].map(() =>
    network.begin(connect(client, { host: "10.0.0.2", port: 80 })),
  );
  network.settle();
  assert.deepEqual(
    outcomes.map(({ at }) => (at as number) - startUs),
    [4000, 4000, 1_004_000],
  );
  assert.equal(listener.accepted.length, 3);
});

test("simulated connect: all ports for connections in use: EADDRNOTAVAIL", () => {
  const network = new TestNetwork();
  const client = network.host("10.0.0.1");
  const lent: unknown[] = [];
  for (let count = 0; count <= 65_535 - 49_152; count++) lent.push(client.tcp.lend(undefined));
  assert.ok(lent.every((port) => typeof port === "number"));
  assert.equal(new Set(lent).size, lent.length);
  assert.equal(network.codeOf(connect(client, { host: "10.0.0.1", port: 1 })), "EADDRNOTAVAIL");
});

test("simulated listen: port 0 takes free ports in turn, the same in every run", () => {
  const ports = (): number[] => {
    const network = new TestNetwork();
    const host = network.host("10.0.0.1");
    return [1, 2, 3].map(() => network.listen(host, tcp("127.0.0.1", 0)).port);
  };
  assert.deepEqual(ports(), [49_152, 49_153, 49_154]);
  assert.deepEqual(ports(), ports());
});

test("simulated listen: an address in use, by itself or by a wildcard, and addresses of others are refused", () => {
  const network = new TestNetwork();
  const host = network.host("10.0.0.1", "fd00::1");
  const code = (address: string, port: number, ipv6Only = false): string | undefined =>
    network.codeOf((completion) =>
      host.listen(
        tcp(address, port, { ipv6Only }),
        { accepted: () => {}, failed: () => {} },
        completion,
      ),
    );
  assert.equal(code("127.0.0.1", 80), undefined);
  assert.equal(code("127.0.0.1", 80), "EADDRINUSE");
  assert.equal(code("0.0.0.0", 80), "EADDRINUSE");
  assert.equal(code("::", 80), "EADDRINUSE");
  assert.equal(code("::", 80, true), undefined);
  assert.equal(code("10.0.0.1", 80), undefined);
  assert.equal(code("fd00::1", 80), "EADDRINUSE");
  assert.equal(code("10.0.0.2", 80), "EADDRNOTAVAIL");
});

test("simulated listen: the IPv6 wildcard takes IPv4 too and shows it as mapped; with ipv6Only it does not", () => {
  const network = new TestNetwork();
  const [client, server] = [
    network.host("10.0.0.1", "fd00::1"),
    network.host("10.0.0.2", "fd00::2"),
  ];
  const listener = network.listen(server, tcp("::", 80));
  network.get(connect(client, { host: "10.0.0.2", port: 80 }));
  network.get(connect(client, { host: "fd00::2", port: 80 }));
  const shown = listener.accepted.map(({ details }) => [
    details.localAddress,
    details.remoteAddress,
  ]);
  assert.deepEqual(
    shown.flat().map((address) => (address as { host: string }).host),
    ["::ffff:10.0.0.2", "::ffff:10.0.0.1", "fd00::2", "fd00::1"],
  );
  network.listen(server, tcp("::", 81, { ipv6Only: true }));
  assert.equal(network.codeOf(connect(client, { host: "10.0.0.2", port: 81 })), "ECONNREFUSED");
});

test("simulated listen: an address of its own goes before the wildcard", () => {
  const network = new TestNetwork();
  const host = network.host("10.0.0.1");
  const shared = { reusePort: true };
  const all = network.listen(host, tcp("0.0.0.0", 80, shared));
  const own = network.listen(host, tcp("10.0.0.1", 80, shared));
  for (let count = 0; count < 10; count++) {
    network.get(connect(host, { host: "10.0.0.1", port: 80 }));
    network.get(connect(host, { host: "127.0.0.1", port: 80 }));
  }
  assert.deepEqual([own.accepted.length, all.accepted.length], [10, 10]);
});

test("simulated listen: with reusePort connections are spread over all listeners", () => {
  const network = new TestNetwork();
  const host = network.host("10.0.0.1");
  const listeners = [1, 2, 3].map(() =>
    network.listen(host, tcp("127.0.0.1", 80, { reusePort: true })),
  );
  for (let count = 0; count < 60; count++)
    network.get(connect(host, { host: "127.0.0.1", port: 80 }));
  const counts = listeners.map(({ accepted }) => accepted.length);
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    60,
  );
  assert.ok(Math.min(...counts) > 5, `spread as ${counts.join(" ")}`);
});

test("simulated listen: closed, it refuses; a connection whose handshake was not done is reset", () => {
  const network = new TestNetwork({ latencyMs: [2, 2] });
  const [client, server] = [network.host("10.0.0.1"), network.host("10.0.0.2")];
  const listener = network.listen(server, tcp("10.0.0.2", 80));
  const outcome = network.begin(connect(client, { host: "10.0.0.2", port: 80 }));
  network.settle(5000);
  const near = new End(outcome.value as Wire);
  listener.close();
  network.settle();
  assert.deepEqual(near.log, ["failed ECONNRESET"]);
  assert.equal(listener.accepted.length, 0);
  assert.equal(network.codeOf(connect(client, { host: "10.0.0.2", port: 80 })), "ECONNREFUSED");
  near.wire.close(false);
  assert.equal(client.sockets.size + server.sockets.size, 0);
});

test("simulated listen: withdrawn, it does not listen", () => {
  const network = new TestNetwork();
  const host = network.host("10.0.0.1");
  const acceptor = { accepted: () => {}, failed: () => {} };
  const outcome = network.begin((completion) =>
    host.listen(tcp("127.0.0.1", 80), acceptor, completion),
  );
  outcome.withdraw();
  network.settle();
  assert.equal(outcome.at, undefined);
  assert.equal(host.sockets.size, 0);
  network.listen(host, tcp("127.0.0.1", 80));
});
