/** A simulated world with a server at `example.test`, and a proxy at `proxy.test`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep } from "arborio";
import { listenTcp } from "arborio/net";
import { simulate, type SimulatedHost, type SimulatedWorld } from "arborio/sim";
import { authority, identity } from "../server/certificates.test.kit.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { upgradeWebSocket } from "../websocket/upgrade-web-socket.ts";
import { httpProxy, type ProxyHandler, runProxy } from "./proxies.test.kit.ts";

/** What a test finds. */
export interface Place {
  readonly world: SimulatedWorld;
  readonly origin: SimulatedHost;
  readonly proxy: SimulatedHost;
  /** What the server was asked: a line for each request, then its fields, each on a line. */
  readonly seen: string[];
  /** Heads that came to proxies. */
  readonly asked: string[];
  /** Starts a proxy at `proxy.test`. */
  startProxy(port: number, handler?: ProxyHandler, isTls?: boolean): Promise<void>;
}

export const SEEDS: readonly number[] = [1, 2, 3];

/** Registers a test in a world of its own, for several seeds. When it is over, the client's side has no connection left. */
export function worldTest(
  title: string,
  body: (place: Place) => Promise<void>,
  seeds: readonly number[] = SEEDS,
): void {
  for (const seed of seeds) {
    void test(`${title} [simulator, seed ${seed}]`, async () => {
      await simulate({ seed }, async (world) => {
        const place = await openPlace(world);
        await body(place);
        // TLS says goodbye before it closes.
        await sleep(1000);
        assert.deepEqual(openSockets(world), [], "a connection was left behind");
      });
    });
  }
}

/** The connections that a host has. */
export function openSockets(world: SimulatedWorld, host = "localhost"): readonly unknown[] {
  return world.netstat(host).filter(({ state }) => state !== "closed" && state !== "listen");
}

export async function openPlace(world: SimulatedWorld): Promise<Place> {
  const seen: string[] = [];
  const asked: string[] = [];
  const origin = world.host("example.test", { addresses: ["10.0.0.1", "fd00::a1"] });
  const proxy = world.host("proxy.test", { addresses: ["10.0.0.2", "fd00::a2"] });
  world.names.set("example.test", ["10.0.0.1", "fd00::a1"]);
  world.names.set("proxy.test", ["10.0.0.2"]);
  for (const port of [80, 443]) {
    await origin.run(() =>
      openServer(
        async (request, context) => {
          seen.push(
            [`${request.method} ${request.url}`, ...fieldLines(request.headers)].join("\n"),
          );
          if (request.headers.has("upgrade")) {
            return upgradeWebSocket(request, context, async (socket) => {
              for await (const message of socket) await socket.send(message);
            });
          }
          return new HttpResponse(`${await request.text()}hello from ${port}`);
        },
        { port, ...(port === 443 ? { tls: { identity } } : {}) },
      ),
    );
  }
  return {
    world,
    origin,
    proxy,
    seen,
    asked,
    async startProxy(port, handler = httpProxy, isTls = false) {
      const tls = isTls ? { tls: { identity } } : {};
      const listener = await proxy.run(() => listenTcp(port, tls));
      proxy.start(() => runProxy(listener, handler, asked));
    },
  };
}

function fieldLines(headers: Headers): string[] {
  return [...headers].map(([name, value]) => `${name}: ${value}`);
}

/** Trusts the authority of the tests. */
export const TRUSTED: { readonly trusted: string } = { trusted: authority };
