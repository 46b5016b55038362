/** Connecting, cancelled at every checkpoint, by each way: nothing is left of it. */
import assert from "node:assert/strict";
import { shielded, sleep } from "arborio";
import { connectTcp, listenUnix } from "arborio/net";
import type { ByteStream } from "arborio/streams";
import { cancelEverywhere } from "arborio/testing";
import { requestUrlOf } from "../client/request-url.ts";
import type { DialOptions } from "./dial-options.ts";
import { NetworkDialer } from "./network-dialer.ts";
import { socksProxy } from "./proxies.test.kit.ts";
import type { RouteOptions } from "./route-options.ts";
import { Routes } from "./routes.ts";
import { openSockets, TRUSTED, worldTest } from "./worlds.test.kit.ts";

const PROXY_TLS = { ...TRUSTED, serverName: "localhost" };

const WAYS: readonly (readonly [name: string, url: string, RouteOptions, DialOptions])[] = [
  ["TCP", "http://example.test/", {}, {}],
  ["TLS", "https://example.test/", { tls: TRUSTED }, {}],
  ["HTTP proxy", "http://example.test/", { proxy: "http://proxy.test:3128" }, {}],
  ["tunnel", "https://example.test/", { proxy: "http://proxy.test:3128", tls: TRUSTED }, {}],
  [
    "TLS in TLS",
    "https://example.test/",
    { proxy: { url: "https://proxy.test:8443", tls: PROXY_TLS }, tls: TRUSTED },
    {},
  ],
  ["SOCKS5", "https://example.test/", { proxy: "socks5://u:p@proxy.test", tls: TRUSTED }, {}],
  ["SOCKS4a", "http://example.test/", { proxy: "socks4a://proxy.test" }, {}],
  ["Unix socket", "http://example.test/", { socketPath: "/socket" }, {}],
  ["guard", "http://example.test/", {}, { guardAddress: () => sleep(1) }],
  [
    "own connections",
    "https://example.test/",
    { tls: TRUSTED },
    { connect: ({ port }) => connectTcp("10.0.0.1", port) },
  ],
];

for (const [name, url, options, dialing] of WAYS) {
  worldTest(
    `dial: cancelled at every checkpoint, by ${name}`,
    async (place) => {
      await place.startProxy(3128);
      await place.startProxy(8443, undefined, true);
      await place.startProxy(1080, socksProxy({ u: "p" }));
      const listener = await listenUnix("/socket");
      place.world.localhost.start(() => listener.serve((stream) => drained(stream)));
      const route = new Routes(options).of(requestUrlOf(new URL(url)), {});
      const { rounds } = await cancelEverywhere(async () => {
        try {
          const wire = await new NetworkDialer(dialing).dial(route);
          wire.close(false);
        } finally {
          // Until the other side has seen it too.
          await shielded(() => sleep(1000));
        }
      });
      assert.ok(rounds.waiting >= 1, JSON.stringify(rounds));
      await sleep(1000);
      for (const host of ["localhost", "proxy.test", "example.test"])
        assert.deepEqual(openSockets(place.world, host), []);
    },
    [1, 2],
  );
}

async function drained(stream: ByteStream): Promise<void> {
  for await (const _chunk of stream);
}
