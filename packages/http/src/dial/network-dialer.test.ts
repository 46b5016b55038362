/** Names, addresses and sockets: how the first hop is connected to. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as nodeTest } from "node:test";
import { abandonOnCancel, failAfter, moveOnAfter, now, sleep, taskGroup } from "arborio";
import { connectTcp, listenUnix } from "arborio/net";
import { type ByteStream, createMemoryStreamPair } from "arborio/streams";
import { onEveryBackend } from "arborio/testing";
import { openHttpClient } from "../client/http-client.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { identity } from "../server/certificates.test.kit.ts";
import { publicAddressesOnly } from "../middleware/public-addresses-only.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { DialTarget } from "./dial-target.ts";
import { NetworkDialer } from "./network-dialer.ts";
import { socksProxy } from "./proxies.test.kit.ts";
import { TRUSTED, worldTest } from "./worlds.test.kit.ts";

const test = onEveryBackend(nodeTest);

worldTest("dial: one lookup for many connections, and clearDnsCache", async ({ world }) => {
  const lookups: string[] = [];
  await using client = openHttpClient({
    lookup: async (host) => {
      lookups.push(host);
      await sleep(10);
      return ["10.0.0.1"];
    },
  });
  const fetches = async (): Promise<void> => {
    await taskGroup(async (group) => {
      for (let count = 0; count < 5; count++)
        group.startSoon(() => client.request("http://example.test/", { headers: { a: "b" } }));
    });
  };
  await fetches();
  assert.ok(world.netstat("localhost").length > 1, "there was one connection for all");
  assert.deepEqual(lookups, ["example.test"]);
  client.clearDnsCache("other.test");
  await client.request("http://example.test:80/", { localHost: "0.0.0.0" });
  assert.deepEqual(lookups, ["example.test"]);
  client.clearDnsCache();
  await client.request("http://example.test/", { localHost: "192.168.0.1" });
  assert.deepEqual(lookups, ["example.test", "example.test"]);
});

worldTest("dial: happy eyeballs race over addresses that are known", async ({ world }) => {
  world.host("silent", { addresses: ["10.9.9.9"], silent: true });
  await using client = openHttpClient({
    lookup: () => ["10.9.9.9", "10.0.0.1"],
    timeouts: { idleMs: 1 },
  });
  // They take turns: the silent one is the first, then the second, then the first again.
  const took: number[] = [];
  for (let count = 0; count < 3; count++) {
    const before = now();
    await client.request("http://example.test/", {
      headers: { connection: "close" },
      localHost: count % 2 === 0 ? "192.168.0.1" : "0.0.0.0",
    });
    took.push(now() - before);
    await sleep(100);
  }
  assert.ok((took[0] ?? 0) >= 250 && (took[0] ?? 0) < 400, String(took));
  assert.ok((took[1] ?? 1000) < 200, String(took));
});

worldTest("dial: addresses at which nobody is are not kept", async (place) => {
  place.world.host("silent", { addresses: ["10.9.9.9"], silent: true });
  await place.startProxy(3128);
  for (const [address, reason] of [
    ["10.0.0.9", "unreachable"],
    ["10.9.9.9", "timeout"],
  ] as const) {
    const moved: Record<string, string> = { "example.test": address, "proxy.test": address };
    await using client = openHttpClient({
      lookup: (host) => [moved[host] as string],
      dnsTtlMs: Infinity,
      timeouts: { connectMs: 1000 },
    });
    const url = "http://example.test/";
    await assert.rejects(client.request(url), { phase: "connect", reason });
    moved["example.test"] = "10.0.0.1";
    assert.equal((await client.request(url)).status, 200);
    const proxy = "http://proxy.test:3128";
    await assert.rejects(client.request(url, { proxy }), { phase: "connect", reason });
    moved["proxy.test"] = "10.0.0.2";
    assert.equal((await client.request(url, { proxy })).status, 200);
  }
});

worldTest("dial: a request that is given up does not forget addresses", async (place) => {
  place.world.host("silent", { addresses: ["10.9.9.9"], silent: true });
  let lookups = 0;
  await using client = openHttpClient({
    lookup: () => {
      lookups += 1;
      return ["10.9.9.9"];
    },
  });
  for (let count = 0; count < 3; count++)
    await moveOnAfter(100, () => client.request("http://example.test/"));
  assert.equal(lookups, 1);
});

worldTest("dial: a lookup by a promise of others, which is abandoned in time", async () => {
  const never = new Promise<string[]>(() => {});
  await using client = openHttpClient({
    lookup: () => abandonOnCancel(never),
    timeouts: { connectMs: 1000 },
  });
  const before = now();
  await taskGroup(async (group) => {
    for (let count = 0; count < 3; count++) {
      group.startSoon(() =>
        assert.rejects(client.request("http://example.test/"), {
          phase: "connect",
          reason: "timeout",
        }),
      );
    }
  });
  assert.ok(now() - before < 1001, `${now() - before} ms`);
});

worldTest("dial: a resolver that does not answer for IPv6 holds up nothing", async ({ world }) => {
  world.names.set("example.test", ["10.0.0.1"], { ipv6: { delayMs: Infinity } });
  await using client = openHttpClient();
  assert.equal((await client.request("http://example.test/")).status, 200);
  assert.ok(now() < 300, `${now()} ms`);
});

worldTest("dial: what cannot be reached is told, with why", async ({ world }) => {
  world.names.set("nowhere.test", [], { fail: "ENOTFOUND" });
  const cases: [url: string, options: object, message: RegExp][] = [
    ["http://nowhere.test/", {}, /cannot connect to nowhere\.test:80: .*ENOTFOUND/s],
    ["http://example.test:81/", {}, /cannot connect to example\.test:81: .*ECONNREFUSED/s],
    ["http://[fd00::a1]:81/", {}, /cannot connect to \[fd00::a1\]:81/],
    [`http://${"a".repeat(63)}.${"b.".repeat(100)}test/`, {}, /at most 253/],
    ["http://example.test/", { localHost: "::1" }, /cannot connect/],
    ["http://10.0.0.1/", { localHost: "::1" }, /no address of the family of ::1 is known for 10/],
    ["http://localhost/", { socketPath: "/no/such" }, /cannot connect to \/no\/such: .*ENOENT/s],
  ];
  await using client = openHttpClient();
  for (const [url, options, message] of cases) {
    await assert.rejects(client.request(url, options), (error) => {
      assert.ok(error instanceof RequestFailedError, String(error));
      assert.deepEqual([error.phase, error.reason], ["connect", "unreachable"]);
      assert.match(error.message, message);
      assert.ok(error.cause instanceof Error);
      return true;
    });
  }
});

worldTest("dial: a lookup that gives nothing, fails, or never ends", async () => {
  await using client = openHttpClient({
    timeouts: { connectMs: 1000 },
    lookup: async (host) => {
      if (host === "failing.test") throw new TypeError("resolver down");
      if (host === "wrong.test") return ["localhost"];
      if (host === "endless.test") await sleep(Infinity);
      return [];
    },
  });
  const failing = { phase: "connect", reason: "unreachable" };
  await assert.rejects(client.request("http://none.test/"), {
    ...failing,
    message: /no address is known for none\.test/,
  });
  await assert.rejects(client.request("http://failing.test/"), {
    ...failing,
    message: /resolver down/,
  });
  await assert.rejects(client.request("http://wrong.test/"), {
    ...failing,
    message: /gave \["localhost"\], needs an array of numeric addresses/,
  });
  await assert.rejects(client.request("http://endless.test/"), {
    phase: "connect",
    reason: "timeout",
  });
  assert.ok(now() >= 1000 && now() < 1001, String(now()));
});

worldTest("guardAddress: is asked about every address before anything connects", async (place) => {
  const { world } = place;
  world.names.set("mixed.test", ["10.0.0.1", "169.254.169.254"]);
  const asked: string[] = [];
  await using client = openHttpClient({
    tls: { verify: false },
    guardAddress: (address, { role, host, port }) => {
      asked.push(`${role} ${host}:${port} ${address}`);
      if (/^(127|169\.254)\.|^::1$|^::ffff:7f00/.test(address)) throw new Error("not there");
    },
  });
  const refused: [url: string, address: string][] = [
    // Who controls the name cannot hide one address behind another.
    ["http://mixed.test/", "169.254.169.254"],
    // WHATWG URLs have one form for all ways to write a number (#12827).
    ["http://2130706433/", "127.0.0.1"],
    ["http://127.1/", "127.0.0.1"],
    ["http://0x7f.1/", "127.0.0.1"],
    ["http://017700000001/", "127.0.0.1"],
    ["http://127.0.0.1./", "127.0.0.1"],
    ["http://%31%32%37.0.0.1/", "127.0.0.1"],
    ["http://１２７.0.0.1/", "127.0.0.1"],
    ["https://[::1]/", "::1"],
    ["https://[0:0:0:0:0:0:0:1]/", "::1"],
    ["http://[::ffff:127.0.0.1]/", "::ffff:7f00:1"],
    ["http://localhost/", "::1"],
  ];
  for (const [url, address] of refused) {
    asked.length = 0;
    await assert.rejects(client.request(url), (error) => {
      assert.ok(error instanceof RequestFailedError, `${url} ${String(error)}`);
      assert.deepEqual([error.phase, error.reason, error.isLocal], ["connect", "refused", true]);
      assert.match(error.message, /is forbidden: not there/);
      return true;
    });
    assert.ok(asked.at(-1)?.endsWith(` ${address}`), `${url} ${asked.join()}`);
  }
  assert.deepEqual(world.netstat("localhost"), []);
  asked.length = 0;
  assert.equal((await client.request("http://example.test/")).status, 200);
  assert.deepEqual(asked.sort(), [
    "origin example.test:80 10.0.0.1",
    "origin example.test:80 fd00::a1",
  ]);
});

worldTest(
  "guardAddress: with proxies, their address, and the server's where it is known",
  async (place) => {
    await place.startProxy(3128);
    await place.startProxy(1080, socksProxy());
    const asked: string[] = [];
    await using client = openHttpClient({
      dnsTtlMs: 0,
      lookup: (host) => [host === "proxy.test" ? "10.0.0.2" : "10.0.0.1"],
      guardAddress: async (address, { role }) => {
        await sleep(1);
        asked.push(`${role} ${address}`);
        if (address === "127.0.0.1") throw new Error("not there");
      },
    });
    const ask = async (url: string, proxy: string): Promise<string> => {
      asked.length = 0;
      const outcome = await client.request(url, { proxy }).then(
        () => "ok",
        (error: RequestFailedError) => error.reason,
      );
      return [...asked, outcome].join();
    };
    const http = "http://proxy.test:3128";
    assert.equal(await ask("http://example.test/", http), "proxy 10.0.0.2,ok");
    assert.equal(await ask("http://10.0.0.1/", http), "origin 10.0.0.1,proxy 10.0.0.2,ok");
    assert.equal(await ask("http://127.0.0.1/", http), "origin 127.0.0.1,refused");
    const socks = "origin 10.0.0.1,proxy 10.0.0.2,ok";
    assert.equal(await ask("http://example.test/", "socks5://proxy.test"), socks);
    assert.equal(await ask("http://example.test/", "socks5h://proxy.test"), "proxy 10.0.0.2,ok");
    assert.equal(
      await ask("http://127.0.0.1/", "socks5h://proxy.test"),
      "origin 127.0.0.1,refused",
    );
  },
);

worldTest("connect: stands in for the network, under proxies and TLS", async (place) => {
  await place.startProxy(3128);
  const targets: DialTarget[] = [];
  await using client = openHttpClient({
    tls: TRUSTED,
    connect: async (target) => {
      targets.push(target);
      return await connectTcp(target.role === "proxy" ? "10.0.0.2" : "10.0.0.1", target.port);
    },
    lookup: () => assert.fail("looked up"),
  });
  assert.equal((await client.request("https://example.test/")).text(), "hello from 443");
  const proxy = "http://somewhere.test:3128";
  assert.equal((await client.request("https://example.test/", { proxy })).status, 200);
  const common = { socketPath: null, localHost: null };
  assert.deepEqual(targets, [
    { role: "origin", host: "example.test", port: 443, ...common },
    { role: "proxy", host: "somewhere.test", port: 3128, ...common },
  ]);
});

test("connect: numeric addresses in URLs are guarded all the same", async () => {
  await using client = openHttpClient({
    connect: () => assert.fail("connected"),
    guardAddress: publicAddressesOnly(),
  });
  for (const host of ["127.0.0.1", "[::ffff:10.0.0.1]", "0x7f.1"])
    await assert.rejects(client.request(`http://${host}/`), { reason: "refused" }, host);
});

test("connect: a stream in memory, and what it throws", async (group) => {
  await using client = openHttpClient({
    connect: async ({ host }) => {
      if (host === "broken.test") throw new Error("no way");
      const [near, far] = createMemoryStreamPair();
      group.startSoon(() => answer(far));
      return near;
    },
  });
  assert.equal((await client.request("http://a.test/")).text(), "hi");
  await assert.rejects(client.request("http://broken.test/"), {
    phase: "connect",
    reason: "unreachable",
    message: /cannot connect to broken\.test:80: no way/,
  });
});

async function answer(stream: ByteStream): Promise<void> {
  using server = stream;
  await server.receive();
  await server.send(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"));
  for await (const _chunk of server) assert.fail("more than one request");
}

test("connect: a stream that has broken already, and one that its owner has closed", async () => {
  await using client = openHttpClient({
    connect: async ({ host }) => {
      const [near, far] = createMemoryStreamPair();
      far.abort();
      await near.receive().catch(() => {});
      if (host === "closed.test") near.close();
      return near;
    },
  });
  const reason = "disconnected";
  await assert.rejects(client.request("http://broken.test/"), { phase: "connect", reason });
  await assert.rejects(client.request("https://broken.test/"), { phase: "tls", reason });
  await assert.rejects(client.request("http://closed.test/"), { name: "ClosedResourceError" });
});

test("NetworkDialer: wrong options are refused", () => {
  assert.throws(() => new NetworkDialer({ connect: 1 as never }), {
    message: /connect: got number/,
  });
  assert.throws(() => new NetworkDialer({ guardAddress: {} as never }), {
    message: /guardAddress: got object, needs a function/,
  });
});

worldTest("localHost: the connection comes from there", async (place) => {
  let peer = "";
  await place.origin.run(() =>
    openServer(
      (_request, { peer: from }) => {
        peer = String((from as { host?: string } | undefined)?.host);
        return new HttpResponse("");
      },
      { port: 8000 },
    ),
  );
  await place.world.host("three", { addresses: ["10.0.1.7", "10.0.1.8"] }).run(async () => {
    await using client = openHttpClient({ localHost: "10.0.1.8" });
    await client.request("http://example.test:8000/");
    assert.match(peer, /10\.0\.1\.8$/);
    await client.request("http://example.test:8000/", { localHost: "10.0.1.7" });
    assert.match(peer, /10\.0\.1\.7$/);
  });
});

test("socketPath: HTTP and HTTPS over a Unix socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "arborio-dial-"));
  try {
    await serveUnix(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function serveUnix(folder: string): Promise<void> {
  const [plain, secure] = [join(folder, "plain"), join(folder, "secure")];
  await using _first = await openServer(() => new HttpResponse("plain"), {
    listener: await listenUnix(plain),
  });
  await using _second = await openServer(() => new HttpResponse("secure"), {
    listener: await listenUnix(secure, { tls: { identity } }),
  });
  await using client = openHttpClient({ socketPath: plain, tls: TRUSTED });
  await failAfter(10_000, async () => {
    assert.equal((await client.request("http://anything.test/")).text(), "plain");
    const options = { socketPath: secure };
    const response = await client.request("https://example.test/", options);
    assert.equal(response.text(), "secure");
    await assert.rejects(client.request("https://other.test/", options), {
      reason: "certificate",
    });
  });
}
