import assert from "node:assert/strict";
import { test } from "node:test";
import { run, taskGroup } from "arborio";
import { listenTcp } from "arborio/net";
import { simulate, simulator } from "arborio/sim";
import { openHttpClient } from "../client/http-client.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import { runProxy, saying } from "../dial/proxies.test.kit.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { type AddressGuard, publicAddressesOnly } from "./public-addresses-only.ts";

const PUBLIC: readonly string[] = [
  "1.1.1.1",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "128.0.0.0",
  "169.253.255.255",
  "169.255.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "191.255.255.255",
  "192.0.1.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "::ffff:1.1.1.1",
  "64:ff9b::1.1.1.1",
  "2001:200::1",
  "2606:4700:4700::1111",
  "2a00:1450:4001:80b::200e",
  "2001:4860:4860::8888",
];

const FORBIDDEN: readonly (readonly [address: string, why: RegExp])[] = [
  ["0.0.0.0", /this network/],
  ["0.255.255.255", /this network/],
  ["10.0.0.0", /private/],
  ["10.255.255.255", /private/],
  ["100.64.0.0", /shared/],
  ["100.100.100.200", /shared/],
  ["100.127.255.255", /shared/],
  ["127.0.0.1", /loopback/],
  ["127.255.255.254", /loopback/],
  ["169.254.169.254", /metadata/],
  ["169.254.170.2", /metadata/],
  ["168.63.129.16", /Azure/],
  ["172.16.0.0", /private/],
  ["172.31.255.255", /private/],
  ["192.0.0.192", /protocols/],
  ["192.0.2.1", /documentation/],
  ["192.88.99.1", /6to4/],
  ["192.168.255.255", /private/],
  ["198.18.0.1", /benchmarks/],
  ["198.19.255.255", /benchmarks/],
  ["198.51.100.1", /documentation/],
  ["203.0.113.1", /documentation/],
  ["224.0.0.1", /multicast/],
  ["239.255.255.255", /multicast/],
  ["240.0.0.1", /reserved/],
  ["255.255.255.255", /broadcast/],
  ["::", /not assigned/],
  ["::1", /loopback/],
  ["::127.0.0.1", /not assigned/],
  ["::ffff:127.0.0.1", /loopback/],
  ["::ffff:a9fe:a9fe", /metadata/],
  ["::FFFF:10.1.2.3", /private/],
  ["0:0:0:0:0:ffff:c0a8:0101", /private/],
  ["::ffff:0:10.0.0.1", /not assigned/],
  ["64:ff9b::127.0.0.1", /loopback/],
  ["64:ff9b::a9fe:a9fe", /metadata/],
  ["64:ff9b:1::1.1.1.1", /not assigned/],
  ["100::1", /not assigned/],
  ["2001::1", /protocols/],
  ["2001:0:53aa:64c:0:0:f5ff:fffe", /Teredo/],
  ["2001:1ff:ffff::1", /protocols/],
  ["2001:db8::1", /documentation/],
  ["2002:7f00:1::", /6to4/],
  ["2002:101:101::1", /6to4/],
  ["3fff:0:1::1", /documentation/],
  ["4000::1", /not assigned/],
  ["5f00::1", /not assigned/],
  ["fc00::1", /unique local/],
  ["fd00:ec2::254", /unique local/],
  ["fe80::1", /link-local/],
  ["fe80::1%eth0", /link-local/],
  ["fec0::1", /not assigned/],
  ["ff02::1", /multicast/],
  ["localhost", /no numeric address/],
  ["0177.0.0.1", /no numeric address/],
  ["2130706433", /no numeric address/],
];

const origin = { role: "origin", host: "h", port: 80, socketPath: null, localHost: null } as const;

test("publicAddressesOnly: addresses of the Internet pass, all others do not", () => {
  const guard = publicAddressesOnly();
  for (const address of PUBLIC) guard(address, origin);
  for (const [address, why] of FORBIDDEN) assert.throws(() => guard(address, origin), why, address);
});

test("publicAddressesOnly: allow and deny, of which deny comes first", () => {
  const guard = publicAddressesOnly({
    allow: ["10.1.0.0/16", "::1", "fd00::/8"],
    deny: ["10.1.2.0/24", "1.1.1.1", "2a00::/16"],
  });
  for (const address of ["10.1.0.1", "::ffff:10.1.255.1", "64:ff9b::10.1.0.1", "::1", "fd00::1"])
    void guard(address, origin);
  for (const address of ["10.2.0.1", "127.0.0.1", "fe80::1"])
    assert.throws(() => guard(address, origin), /not public/, address);
  for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "1.1.1.1", "2a00::1"])
    assert.throws(() => guard(address, origin), /denied/, address);
  const untranslated = publicAddressesOnly({ deny: ["64:ff9b::/96"] });
  assert.throws(() => untranslated("64:ff9b::1.1.1.1", origin), /denied/);
  const translated = publicAddressesOnly({ deny: ["2600:64::/96"] });
  assert.throws(() => translated("2600:64::10.0.0.1", origin), /denied/);
});

test("publicAddressesOnly: wrong options", () => {
  assert.throws(() => publicAddressesOnly({ allow: ["10.0.0.1/8"] }), {
    name: "RangeError",
    message: /allow \}\): got "10\.0\.0\.1\/8", needs a numeric address/,
  });
  assert.throws(() => publicAddressesOnly({ deny: ["example.org"] }), RangeError);
  assert.throws(() => publicAddressesOnly({ deny: "10.0.0.0/8" as never }), TypeError);
  assert.throws(() => publicAddressesOnly({ deny: [7 as never] }), TypeError);
});

/** A server on the Internet that redirects to `?to`, one at home, and one beside the client. */
async function world(
  body: (ask: (url: string, guard?: AddressGuard) => Promise<unknown>) => Promise<void>,
  names: Readonly<Record<string, readonly string[]>> = {},
): Promise<void> {
  for (const seed of [1, 2]) {
    await simulate({ seed }, async (simulated) => {
      const outside = simulated.host("outside", { addresses: ["93.184.216.34", "2606:2800::1"] });
      const inside = simulated.host("inside", { addresses: ["10.0.0.7", "169.254.169.254"] });
      for (const host of [outside, inside]) {
        await host.run(() =>
          openServer(
            (request) => {
              const to = new URL(request.url).searchParams.get("to");
              const headers = to === null ? {} : { location: to };
              return new HttpResponse("", { status: to === null ? 200 : 302, headers });
            },
            { port: 80, host: host === outside ? "93.184.216.34" : "10.0.0.7" },
          ),
        );
      }
      await using _local = await openServer(() => new HttpResponse(""), {
        port: 80,
        host: "127.0.0.1",
      });
      for (const [name, addresses] of Object.entries(names)) simulated.names.set(name, addresses);
      simulated.names.set("public.test", ["93.184.216.34"]);
      await body(async (url, guard = publicAddressesOnly()) => {
        await using client = openHttpClient({ guardAddress: guard });
        return (await client.request(url)).status;
      });
    });
  }
}

const isRefused = (error: unknown): boolean => {
  assert.ok(error instanceof RequestFailedError, String(error));
  assert.equal(error.reason, "refused", error.message);
  assert.ok(error.isLocal);
  return true;
};

test("publicAddressesOnly: whatever way an address is written, and wherever redirects lead", async () => {
  await world(
    async (ask) => {
      assert.equal(await ask("http://public.test/"), 200);
      assert.equal(
        await ask("http://127.0.0.1/", publicAddressesOnly({ allow: ["127.0.0.1"] })),
        200,
      );
      await assert.rejects(ask("http://１２７.0.0.1/"), isRefused);
      const forbidden = [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://0/",
        "http://[::ffff:7f00:1]/",
        "http://[::]/",
        "http://10.0.0.7/",
        "http://169.254.169.254/latest/meta-data/",
        "http://home.test/",
        "http://mixed.test/",
        "http://localhost/",
      ];
      for (const url of forbidden) {
        await assert.rejects(ask(url), isRefused, url);
        const redirect = `http://public.test/?to=${encodeURIComponent(url)}`;
        await assert.rejects(ask(redirect), isRefused, redirect);
      }
    },
    { "home.test": ["10.0.0.7"], "mixed.test": ["93.184.216.34", "10.0.0.7"] },
  );
});

test("publicAddressesOnly: a name that changes what it means is judged each time that it is connected to", async () => {
  await simulate({ seed: 1 }, async (simulated) => {
    simulated.host("outside", { addresses: ["93.184.216.34"] });
    const inside = simulated.host("inside", { addresses: ["10.0.0.7"] });
    await inside.run(() =>
      openServer(() => new HttpResponse("secret"), { port: 80, host: "10.0.0.7" }),
    );
    const answers = [["93.184.216.34"], ["10.0.0.7"]];
    let asked = 0;
    await using client = openHttpClient({
      dnsTtlMs: 0,
      lookup: () => answers[Math.min(asked++, 1)] as string[],
      guardAddress: publicAddressesOnly(),
    });
    const reasons: string[] = [];
    for (let count = 0; count < 3; count++) {
      const error = await client
        .request("http://rebinding.test/")
        .catch((caught: unknown) => caught);
      reasons.push((error as RequestFailedError).reason);
    }
    assert.deepEqual(reasons, ["unreachable", "refused", "refused"]);
    assert.equal(simulated.netstat("inside").filter(({ state }) => state !== "listen").length, 0);
  });
});

test("publicAddressesOnly: the program's own proxy is not judged, numeric addresses behind it are", async () => {
  await run(
    async () => {
      const log: string[] = [];
      using listener = await listenTcp(0, { host: "127.0.0.1" });
      await taskGroup(async (group) => {
        group.startSoon(() => runProxy(listener, saying("HTTP/1.1 204 Fine\r\n\r\n"), log));
        await using client = openHttpClient({
          guardAddress: publicAddressesOnly(),
          proxy: `http://127.0.0.1:${listener.port}`,
        });
        assert.equal((await client.request("http://public.test/")).status, 204);
        assert.equal(log.length, 1);
        await assert.rejects(client.request("https://127.0.0.1:1/"), isRefused);
        assert.equal(log.length, 1);
        group.cancel();
      });
    },
    { backend: simulator({ seed: 1 }), signals: [] },
  );
});
