/** A simulated world with web sites at several origins, for tests of what goes where. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep } from "arborio";
import { simulate, type SimulatedHost, type SimulatedWorld } from "arborio/sim";
import type { FieldList } from "../protocol/message.ts";
import { authority, identity } from "../server/certificates.test.kit.ts";
import { openServer } from "../server/open-server.ts";
import type { HttpRequest } from "../web/http-request.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { HttpClientOptions } from "./client-options.ts";
import { type HttpClient, openHttpClient } from "./http-client.ts";

/** A request that came to a site. */
export interface Seen {
  /** `"https://a.wild.test"`. */
  readonly origin: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly fields: FieldList;
  readonly body: string;
}

/** Hosts that there are: all of them at 80 and 8080, and with TLS at 443 and 8443. */
export const HOSTS = ["a.wild.test", "b.wild.test", "example.test"] as const;

const PORTS = [80, 443, 8080, 8443];

const SEEDS: readonly number[] = [1, 2];

export class Sites {
  readonly world: SimulatedWorld;
  readonly #machines: Map<string, SimulatedHost> = new Map();
  /** What came, in order. */
  readonly seen: Seen[] = [];
  /** What the sites answer. */
  answer: (request: Seen) => HttpResponse | Promise<HttpResponse> = () => new HttpResponse("page");

  constructor(world: SimulatedWorld) {
    this.world = world;
  }

  /** A client that trusts the sites. */
  client(options: HttpClientOptions = {}): HttpClient {
    return openHttpClient({ tls: { trusted: authority }, ...options });
  }

  /** What came, as lines: `"GET http://a.wild.test/x"`. */
  get lines(): string[] {
    return this.seen.map(({ method, origin, target }) => `${method} ${origin}${target}`);
  }

  /** Each redirect leads to the next URL, with these statuses in turn. */
  redirects(targets: readonly string[], status: number = 302): void {
    const left = [...targets];
    this.answer = () => {
      const location = left.shift();
      if (location === undefined) return new HttpResponse("page");
      return new HttpResponse("moved", { status, headers: { location } });
    };
  }

  /** A server that sends back what it receives, as it comes. */
  async echo(host: string, port: number): Promise<string> {
    await (this.#machines.get(host) as SimulatedHost).run(() =>
      openServer(
        (request) => {
          const { bodyStream } = request as HttpRequest;
          return new HttpResponse(async (sink) => {
            for await (const bytes of bodyStream ?? []) await sink.send(bytes);
          });
        },
        { port },
      ),
    );
    return `http://${host}:${port}/`;
  }

  async open(): Promise<void> {
    for (const [index, host] of HOSTS.entries()) {
      const address = `10.0.0.${index + 1}`;
      const machine = this.world.host(host, { addresses: [address] });
      this.#machines.set(host, machine);
      this.world.names.set(host, [address]);
      for (const port of PORTS) await machine.run(() => this.#open(host, port));
    }
  }

  async #open(host: string, port: number): Promise<void> {
    const isTls = port === 443 || port === 8443;
    const { origin } = new URL(`${isTls ? "https" : "http"}://${host}:${port}`);
    await openServer(
      async (request) => {
        const { method, target, fields } = request as HttpRequest;
        const seen: Seen = { origin, method, target, fields, body: await request.text() };
        this.seen.push(seen);
        return await this.answer(seen);
      },
      {
        port,
        onError: () => {},
        limits: { bodyBytesMax: 10_000_000 },
        ...(isTls ? { tls: { identity } } : {}),
      },
    );
  }
}

/** Registers a test in a world of its own, for several seeds. When it is over, the client's side has no connection left. */
export function sitesTest(
  title: string,
  body: (sites: Sites) => Promise<void>,
  seeds: readonly number[] = SEEDS,
): void {
  for (const seed of seeds) {
    void test(`${title} [simulator, seed ${seed}]`, async () => {
      await simulate({ seed }, async (world) => {
        const sites = new Sites(world);
        await sites.open();
        await body(sites);
        await sleep(1000);
        const left = world.netstat("localhost").filter(({ state }) => state !== "closed");
        assert.deepEqual(left, [], "a connection was left behind");
      });
    });
  }
}

/** The values of a field. */
export function valuesOf({ fields }: { readonly fields: FieldList }, name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if ((fields[at] as string).toLowerCase() === name) values.push(fields[at + 1] as string);
  }
  return values;
}

/** The fields that a client sends of itself. */
const AUTOMATIC: ReadonlySet<string> = new Set([
  "host",
  "user-agent",
  "accept",
  "accept-encoding",
  "content-length",
]);

/** What was sent beyond what is always sent. */
export function ownFields({ fields }: Seen): string[] {
  const own: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (!AUTOMATIC.has((fields[at] as string).toLowerCase()))
      own.push(`${fields[at]}: ${fields[at + 1]}`);
  }
  return own;
}
