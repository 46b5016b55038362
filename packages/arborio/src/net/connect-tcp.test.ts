import assert from "node:assert/strict";
import { test as runnerTest } from "node:test";
import { ambientScope } from "../core/ambient.ts";
import { Deadline } from "../core/deadlines.ts";
import { NotSupportedError, SystemError, TlsError } from "../core/errors.ts";
import { currentBackend, setBackend } from "../platform/capabilities.ts";
import type { Tls } from "../platform/tls.ts";
import type { Wire } from "../platform/wire.ts";
import { moveOnAfter, sleep } from "../sync/timeouts.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { connectTcp, type ConnectTcpOptions } from "./connect-tcp.ts";
import { ConnectionFailedError } from "./errors.ts";
import { FakeNetwork, FakeWire } from "./fake-network.test.kit.ts";
import { listenTcp } from "./listen-tcp.ts";

const test = onEveryBackend(runnerTest);
const scripted = {
  skip: { backend: "host", reason: "the network is a script in virtual time" },
} as const;

/** A network that connects to 1.1.1.1 after 5 ms. */
function useFake(tls?: Tls): FakeNetwork {
  const network = new FakeNetwork({ connect: { "1.1.1.1": { afterMs: 5 } } });
  const { tls: _own, ...backend } = currentBackend();
  setBackend(
    ambientScope(),
    tls === undefined ? { ...backend, network } : { ...backend, network, tls },
  );
  return network;
}

test("connectTcp: to an address, and to a name; the stream knows both ends", async () => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  for (const host of ["127.0.0.1", "localhost"]) {
    using stream = await connectTcp(host, listener.port);
    using accepted = await listener.accept();
    assert.deepEqual(stream.remoteAddress, { host: "127.0.0.1", port: listener.port });
    assert.deepEqual(accepted.remoteAddress, stream.localAddress);
    await stream.send(new Uint8Array([1, 2, 3]));
    stream.close();
    const received: number[] = [];
    for await (const chunk of accepted) received.push(...chunk);
    assert.deepEqual(received, [1, 2, 3]);
  }
});

test("connectTcp: over IPv6, also when a dual-stack listener is asked by IPv4", async () => {
  using listener = await listenTcp(0);
  for (const host of ["::1", "127.0.0.1"]) {
    using stream = await connectTcp(host, listener.port);
    using accepted = await listener.accept();
    await accepted.send(new Uint8Array([7]));
    assert.deepEqual([...(await stream.receive())], [7]);
  }
});

test("connectTcp: nobody listens", async () => {
  const listener = await listenTcp(0, { host: "127.0.0.1" });
  const { port } = listener;
  listener.close();
  const connecting = connectTcp("127.0.0.1", port);
  await assert.rejects(connecting, (error) => {
    assert.ok(error instanceof ConnectionFailedError);
    const [attempt] = error.attempts;
    assert.deepEqual(attempt?.address, { host: "127.0.0.1", port });
    assert.ok(attempt?.error instanceof SystemError && error.cause === attempt.error);
    assert.equal(attempt.error.systemCode, "ECONNREFUSED");
    assert.match(
      error.message,
      new RegExp(`^connectTcp to 127\\.0\\.0\\.1:${port}: 127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`),
    );
    return true;
  });
  await assert.rejects(connectTcp("no-such-name.invalid", port), (error) => {
    assert.ok(error instanceof ConnectionFailedError && error.cause instanceof SystemError);
    assert.deepEqual([error.attempts.length, error.cause.systemCode], [0, "ENOTFOUND"]);
    return true;
  });
});

test("connectTcp: from an address and port of this machine", async () => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  const free = await listenTcp(0, { host: "127.0.0.1" });
  const localPort = free.port;
  free.close();
  using stream = await connectTcp("127.0.0.1", listener.port, {
    localHost: "127.0.0.1",
    localPort,
  });
  assert.deepEqual(stream.localAddress, { host: "127.0.0.1", port: localPort });
  using byName = await connectTcp("localhost", listener.port, { localHost: "127.0.0.1" });
  assert.equal((byName.localAddress as { host: string }).host, "127.0.0.1");
});

test(
  "connectTcp: only addresses of the family of localHost are looked up",
  async () => {
    const network = useFake();
    await assert.rejects(connectTcp("name.test", 80, { localHost: "::1" }), ConnectionFailedError);
    assert.deepEqual(
      network.log.map((line) => line.split(" ").slice(1).join(" ")),
      ["lookup 6"],
    );
  },
  scripted,
);

test(
  "connectTcp: addresses that are known are raced in the order given, and nothing is looked up",
  async () => {
    const network = useFake();
    const addresses = ["1.1.1.2", "::2", "1.1.1.1"];
    using stream = await connectTcp("name.test", 80, { addresses, attemptDelayMs: 100 });
    assert.equal(network.wires[0]?.name, "1.1.1.1");
    assert.deepEqual(network.log, [
      "0 connect 1.1.1.2",
      "100 connect ::2",
      "200 connect 1.1.1.1",
      "205 withdraw connect 1.1.1.2",
      "205 withdraw connect ::2",
    ]);
    stream.close();
    assert.deepEqual([...network.open], []);
  },
  scripted,
);

test(
  "connectTcp: the certificate is checked against the name, not against the addresses that are known",
  async () => {
    let name = "";
    const tls = fakeTls("secured");
    useFake({
      ...tls,
      prepare: (settings) => void (name = settings.side === "client" ? settings.serverName : ""),
    });
    using _stream = await connectTcp("name.test", 443, { addresses: ["1.1.1.1"], tls: true });
    assert.equal(name, "name.test");
  },
  scripted,
);

test(
  "connectTcp: tells the system of noDelay and keepAliveMs only if they are not the default",
  async () => {
    const cases: [ConnectTcpOptions, FakeWire["options"]][] = [
      [{}, []],
      [{ noDelay: true, keepAliveMs: false }, []],
      [{ noDelay: false }, [{ noDelay: false, keepAliveMs: false }]],
      [{ keepAliveMs: 1000 }, [{ noDelay: true, keepAliveMs: 1000 }]],
    ];
    for (const [options, expected] of cases) {
      const network = useFake();
      using _stream = await connectTcp("1.1.1.1", 80, options);
      assert.deepEqual(network.wires[0]?.options, expected);
    }
  },
  scripted,
);

test("connectTcp: noDelay and keepAliveMs are taken by the system too", async () => {
  using listener = await listenTcp(0, { host: "127.0.0.1" });
  using stream = await connectTcp("127.0.0.1", listener.port, {
    noDelay: false,
    keepAliveMs: 30_000,
  });
  stream.setOptions({ noDelay: true, keepAliveMs: false });
  using accepted = await listener.accept();
  await stream.send(new Uint8Array(1));
  assert.equal((await accepted.receive()).length, 1);
});

test("connectTcp: wrong arguments are refused, with what was given and what is needed", async () => {
  const cases: [args: unknown[], error: typeof TypeError | typeof RangeError, message: RegExp][] = [
    [["", 80], RangeError, /connectTcp: got ""/],
    [[undefined, 80], TypeError, /connectTcp: got undefined/],
    [["a", "80"], TypeError, /got "80", needs a whole number from 1 to 65535/],
    [["a", 0], RangeError, /got 0, needs/],
    [["a", 65_536], RangeError, /got 65536, needs/],
    [["a", 1.5], RangeError, /got 1\.5/],
    [["a", 80, null], TypeError, /got null, needs an object/],
    [["a", 80, { localPort: -1 }], RangeError, /localPort.*got -1/],
    [
      ["a", 80, { localHost: "localhost" }],
      RangeError,
      /localHost.*got "localhost", needs a numeric address/,
    ],
    [["::1", 80, { localHost: "127.0.0.1" }], RangeError, /same family as ::1/],
    [["a", 80, { noDelay: 1 }], TypeError, /noDelay.*needs true or false/],
    [["a", 80, { keepAliveMs: 0 }], RangeError, /keepAliveMs/],
    [["a", 80, { attemptDelayMs: 9 }], RangeError, /attemptDelayMs.*got 9, needs at least 10/],
    [["a", 80, { attemptDelayMs: Number.NaN }], RangeError, /NaN/],
    [["a", 80, { resolutionDelayMs: "1" }], TypeError, /resolutionDelayMs/],
    [["a", 80, { tls: "yes" }], TypeError, /tls.*got "yes"/],
    [["a", 80, { addresses: "::1" }], TypeError, /addresses.*got "::1", needs an array/],
    [["a", 80, { addresses: [] }], RangeError, /addresses.*got no address/],
    [["a", 80, { addresses: ["::1", "b"] }], RangeError, /addresses.*got "b", needs numeric/],
    [
      ["a", 80, { addresses: ["::1"], localHost: "127.0.0.1" }],
      RangeError,
      /localHost.*same family as ::1/,
    ],
  ];
  for (const [args, expected, message] of cases) {
    await assert.rejects(connectTcp(...(args as [string, number])), (error) => {
      assert.ok(error instanceof expected, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

test("connectTcp: cancelled at every checkpoint", async () => {
  using listener = await listenTcp(0, { host: "127.0.0.1", backlog: 10 });
  await cancelEverywhere(async () => {
    using stream = await connectTcp("localhost", listener.port);
    await stream.send(new Uint8Array(1));
  });
});

test("connectTcp: an address that does not answer is given up when the scope is cancelled", async () => {
  // Reserved for documentation (RFC 5737): either nothing answers, or the system knows that it has no way there.
  const result = await moveOnAfter(20, () =>
    connectTcp("192.0.2.1", 80).catch((error: unknown) => {
      if (error instanceof ConnectionFailedError) return sleep(1000);
      throw error;
    }),
  );
  assert.equal(result, undefined);
});

/** TLS that only does a handshake of 10 ms, which ends as `outcome` says. */
function fakeTls(outcome: "secured" | "failed"): Tls {
  return {
    prepare: () => {},
    wrap(wire: Wire): Wire {
      const { kernel } = ambientScope();
      const secure = new FakeWire("tls", (abortively) => {
        kernel.removeDeadline(deadline);
        wire.close(abortively);
      });
      secure.securing = true;
      const end = (): void => {
        secure.securing = false;
        if (outcome === "secured") secure.receiver?.secured?.();
        else secure.receiver?.failed(new TlsError("TLS: not trusted", "untrusted"));
      };
      const deadline = new Deadline(kernel.now() + 10, end, null);
      kernel.addDeadline(deadline);
      return secure;
    },
  };
}

test(
  "connectTcp: with tls, the handshake is done before the stream is returned",
  async () => {
    const network = useFake(fakeTls("secured"));
    const stream = await connectTcp("1.1.1.1", 443, { tls: true });
    assert.equal(ambientScope().kernel.now(), 15);
    stream.close();
    assert.deepEqual([...network.open], []);
  },
  scripted,
);

test(
  "connectTcp: a handshake that fails closes the socket, and so does the want of TLS",
  async () => {
    const network = useFake(fakeTls("failed"));
    await assert.rejects(connectTcp("1.1.1.1", 443, { tls: { verify: true } }), TlsError);
    assert.deepEqual([...network.open], []);
    const without = useFake();
    await assert.rejects(connectTcp("1.1.1.1", 443, { tls: true }), NotSupportedError);
    assert.deepEqual(without.log, [], "connected before it looked at the options");
    const broken = useFake({ prepare: () => {}, wrap: () => throwIt(new TypeError("no")) });
    await assert.rejects(connectTcp("1.1.1.1", 443, { tls: true }), TypeError);
    assert.deepEqual([...broken.open], []);
  },
  scripted,
);

test(
  "connectTcp: cancelled at every checkpoint, also of the handshake, nothing is left",
  async () => {
    await cancelEverywhere(async (round) => {
      const network = useFake(fakeTls("secured"));
      round.after(() => assert.deepEqual([...network.open], []));
      using _stream = await connectTcp("1.1.1.1", 443, { tls: true });
    });
  },
  scripted,
);

function throwIt(error: unknown): never {
  throw error;
}
