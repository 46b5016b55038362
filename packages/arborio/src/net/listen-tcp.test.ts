import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { SystemError } from "../core/errors.ts";
import { currentBackend, setBackend } from "../platform/capabilities.ts";
import type { ListenTarget } from "../platform/network.ts";
import type { IpAddress } from "../platform/wire.ts";
import { simulatedWorld } from "../sim/world.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { connectTcp } from "./connect-tcp.ts";
import { ConnectionFailedError } from "./errors.ts";
import { FakeNetwork, fakeError, type NetworkScript } from "./fake-network.test.kit.ts";
import { listenTcp, type ListenTcpOptions } from "./listen-tcp.ts";

const test = onEveryBackend(runnerTest);
const scripted = {
  skip: { backend: "host", reason: "the network is a script in virtual time" },
} as const;

function useFake(script: NetworkScript): FakeNetwork {
  const network = new FakeNetwork(script);
  setBackend(ambientScope(), { ...currentBackend(), network });
  return network;
}

function hasCode(code: string, message = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SystemError, String(error));
    assert.equal(error.systemCode, code);
    assert.match(error.message, message);
    return true;
  };
}

function ports({ addresses }: { addresses: readonly unknown[] }): number[] {
  return addresses.map((address) => (address as IpAddress).port);
}

/** Sockets that were asked for, as `"listen host port"`. */
function listens(network: FakeNetwork): string[] {
  return network.log
    .map((line) => line.split(" ").slice(1).join(" "))
    .filter((line) => line.startsWith("listen"));
}

/** Where the runtime cannot refuse a connection, it is reset. */
async function connectAndReceive(host: string, port: number): Promise<void> {
  using stream = await connectTcp(host, port);
  await stream.receive();
}

const localName: NetworkScript["lookup"] = {
  6: { afterMs: 1, addresses: ["::1"] },
  4: { afterMs: 1, addresses: ["127.0.0.1"] },
};

test("listenTcp: without a host, on all addresses of both families, with one port", async () => {
  using listener = await listenTcp(0);
  assert.equal(listener.addresses.length, 1);
  for (const host of ["127.0.0.1", "::1", "localhost"]) {
    using _client = await connectTcp(host, listener.port);
    using _accepted = await listener.accept();
  }
});

test("listenTcp: with a family, on its wildcard address alone; so an IPv6 address takes no IPv4", async () => {
  for (const options of [{ family: 6 }, { host: "::" }] as ListenTcpOptions[]) {
    using six = await listenTcp(0, options);
    using _client = await connectTcp("::1", six.port);
    using _accepted = await six.accept();
    await assert.rejects(connectAndReceive("127.0.0.1", six.port));
    assert.equal(six.statistics().connectionsWaiting, 0);
  }
  using four = await listenTcp(0, { family: 4 });
  assert.deepEqual(four.addresses, [{ host: "0.0.0.0", port: four.port }]);
  await assert.rejects(connectTcp("::1", four.port), ConnectionFailedError);
  using _client = await connectTcp("127.0.0.1", four.port);
});

test("listenTcp: a port that is taken is EADDRINUSE, and the message says at which address", async () => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  const { port } = listener;
  const where = new RegExp(`127\\.0\\.0\\.1:${port}: .*in use`);
  await assert.rejects(listenTcp(port, { host: "127.0.0.1" }), hasCode("EADDRINUSE", where));
  await assert.rejects(listenTcp(port, { host: "localhost" }), hasCode("EADDRINUSE"));
  await assert.rejects(listenTcp(port), hasCode("EADDRINUSE"));
  listener.close();
  using again = await listenTcp(port, { host: "127.0.0.1" });
  assert.equal(again.port, port);
});

test("listenTcp: an address that is not this machine's, and a name that is not known", async () => {
  await assert.rejects(listenTcp(0, { host: "192.0.2.1" }), hasCode("EADDRNOTAVAIL"));
  await assert.rejects(listenTcp(0, { host: "no-such-name.invalid" }), hasCode("ENOTFOUND"));
  await assert.rejects(listenTcp(0, { host: "127.0.0.1", family: 6 }), hasCode("ENOTFOUND"));
});

test("listenTcp: reusePort lets two listeners have the same port", async () => {
  using first = await listenTcp(0, { host: "127.0.0.1", reusePort: true });
  using second = await listenTcp(first.port, { host: "127.0.0.1", reusePort: true });
  assert.equal(second.port, first.port);
});

test(
  "listenTcp: a name with several addresses has a socket for each, and all share the port",
  async () => {
    simulatedWorld().names.set("both.test", ["127.0.0.1", "::1"]);
    using listener = await listenTcp(0, { host: "both.test" });
    assert.equal(listener.addresses.length, 2);
    assert.deepEqual(ports(listener), [listener.port, listener.port]);
    for (const host of ["127.0.0.1", "::1"]) {
      using _client = await connectTcp(host, listener.port);
      using _accepted = await listener.accept();
    }
    using four = await listenTcp(0, { host: "both.test", family: 4 });
    assert.deepEqual(four.addresses, [{ host: "127.0.0.1", port: four.port }]);
  },
  { skip: { backend: "host", reason: "its hosts file may know one address of localhost only" } },
);

test(
  "listenTcp: without IPv6 on the machine, on all IPv4 addresses",
  async () => {
    for (const code of ["EAFNOSUPPORT", "EADDRNOTAVAIL"]) {
      const network = useFake({
        listen(target) {
          if ("host" in target && target.host === "::") throw fakeError("listen on [::]:0", code);
          return 7;
        },
      });
      const listener = await listenTcp(0);
      assert.deepEqual(listener.addresses, [{ host: "0.0.0.0", port: 7 }]);
      listener.close();
      assert.deepEqual([...network.open], []);
    }
    const network = useFake({ listen: () => throwIt(fakeError("listen on [::]:80", "EACCES")) });
    await assert.rejects(listenTcp(80), hasCode("EACCES"));
    assert.deepEqual(listens(network), ["listen :: 80"]);
  },
  scripted,
);

test(
  "listenTcp: ::1 of a name is left out where IPv6 is switched off, but nothing else is",
  async () => {
    const without = (missing: string): NetworkScript => ({
      lookup: localName,
      listen(target) {
        if ("host" in target && target.host === missing) throw fakeError(missing, "EADDRNOTAVAIL");
        return 7;
      },
    });
    useFake(without("::1"));
    using listener = await listenTcp(0, { host: "name.test" });
    assert.deepEqual(listener.addresses, [{ host: "127.0.0.1", port: 7 }]);
    const network = useFake(without("127.0.0.1"));
    await assert.rejects(listenTcp(0, { host: "name.test" }), hasCode("EADDRNOTAVAIL"));
    assert.deepEqual([...network.open], []);
    useFake(without("::1"));
    await assert.rejects(listenTcp(0, { host: "::1" }), hasCode("EADDRNOTAVAIL"));
  },
  scripted,
);

test(
  "listenTcp: a port that is free on one address and taken on another is tried again, from another address first",
  async () => {
    const targets: ListenTarget[] = [];
    let next = 100;
    const network = useFake({
      lookup: localName,
      listen(target) {
        targets.push(target);
        if (target.kind !== "tcp") throw new Error("not TCP");
        if (target.port === 0) return ++next;
        if (target.port < 103) throw fakeError(`listen on ${target.host}`, "EADDRINUSE");
        return target.port;
      },
    });
    const listener = await listenTcp(0, { host: "name.test" });
    assert.deepEqual(ports(listener), [103, 103]);
    assert.deepEqual(listens(network), [
      "listen ::1 0",
      "listen 127.0.0.1 101",
      "listen 127.0.0.1 0",
      "listen ::1 102",
      "listen ::1 0",
      "listen 127.0.0.1 103",
    ]);
    for (const target of targets)
      assert.ok(target.kind === "tcp" && target.ipv6Only === (target.host === "::1"));
    assert.equal(network.open.size, 2);
    listener.close();
    assert.deepEqual([...network.open], []);
  },
  scripted,
);

test(
  "listenTcp: gives up after some ports, and at once for a port that was asked for; no socket is left",
  async () => {
    let next = 100;
    const network = useFake({
      lookup: localName,
      listen(target) {
        if (target.kind === "tcp" && target.host === "127.0.0.1" && target.port > 0)
          throw fakeError("listen on 127.0.0.1", "EADDRINUSE");
        if (target.kind === "tcp" && target.port > 0 && target.port < 1000)
          throw fakeError("listen on ::1", "EADDRINUSE");
        return target.kind === "tcp" && target.port > 0 ? target.port : ++next;
      },
    });
    const tried = /listen on ::1 and 127\.0\.0\.1: 10 ports that were free/;
    await assert.rejects(listenTcp(0, { host: "name.test" }), hasCode("EADDRINUSE", tried));
    assert.equal(listens(network).length, 20);
    await assert.rejects(
      listenTcp(8080, { host: "name.test" }),
      hasCode("EADDRINUSE", /127\.0\.0\.1/),
    );
    assert.deepEqual(listens(network).slice(20), ["listen ::1 8080", "listen 127.0.0.1 8080"]);
    assert.deepEqual([...network.open], []);
  },
  scripted,
);

test(
  "listenTcp: cancelled at every checkpoint, no socket is left",
  async () => {
    await cancelEverywhere(async (round) => {
      const network = useFake({
        lookup: localName,
        listen: ({ kind }) => (kind === "tcp" ? 7 : 0),
      });
      round.after(() => assert.deepEqual([...network.open], []));
      using _listener = await listenTcp(0, { host: "name.test" });
      using _everywhere = await listenTcp(0);
    });
  },
  scripted,
);

test("listenTcp: cancelled at every checkpoint, the port is free again", async () => {
  using free = await listenTcp(0, { host: "127.0.0.1" });
  const { port } = free;
  free.close();
  await cancelEverywhere(async () => {
    using _listener = await listenTcp(port, { host: "127.0.0.1" });
  });
  using _again = await listenTcp(port, { host: "127.0.0.1" });
});

test("listenTcp: wrong arguments are refused, with what was given and what is needed", async () => {
  const cases: [args: unknown[], error: typeof TypeError | typeof RangeError, message: RegExp][] = [
    [["80"], TypeError, /listenTcp: got "80", needs a whole number from 0 to 65535/],
    [[-1], RangeError, /got -1/],
    [[65_536], RangeError, /got 65536/],
    [[0, { host: "" }], RangeError, /listenTcp\(\{ host \}\): got ""/],
    [[0, { family: 5 }], RangeError, /family.*needs 4 or 6/],
    [[0, { backlog: 0 }], RangeError, /backlog.*at least 1/],
    [[0, { backlog: Infinity }], RangeError, /backlog/],
    [[0, { reusePort: 1 }], TypeError, /reusePort.*true or false/],
    [[0, { tls: true }], TypeError, /tls.*needs an object/],
    [[0, null], TypeError, /null/],
  ];
  for (const [args, expected, message] of cases) {
    await assert.rejects(listenTcp(...(args as [number])), (error) => {
      assert.ok(error instanceof expected, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

function throwIt(error: unknown): never {
  throw error;
}
