/** A server that says what it is told to, a client with a cache, and what came to the server. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { run, sleep } from "arborio";
import { wallNow } from "arborio/lowlevel";
import { simulator } from "arborio/sim";
import type { FetchOptions, HttpClientOptions } from "../client/client-options.ts";
import { type HttpClient, openHttpClient } from "../client/http-client.ts";
import { formatHttpDate } from "../protocol/http-date.ts";
import { openServer } from "../server/open-server.ts";
import type { Server } from "../server/server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { cacheOutcome } from "./cache/cache-outcome.ts";
import { createMemoryCacheStore, type MemoryCacheStore } from "./cache/memory-cache-store.ts";
import { type HttpCache, httpCache, type HttpCacheOptions } from "./http-cache.ts";

/** A test in virtual time, with several seeds. */
export function test(title: string, body: () => Promise<void>): void {
  for (const seed of [1, 2, 3]) {
    void nodeTest(`${title} [seed ${seed}]`, async () => {
      await run(body, { signals: [], backend: simulator({ seed }) });
    });
  }
}

/** What a server is asked. */
export type Answering = (
  request: Request,
  asked: number,
) => HttpResponse | Response | Promise<HttpResponse>;

export interface Cached extends AsyncDisposable {
  readonly server: Server;
  readonly client: HttpClient;
  readonly cache: HttpCache;
  readonly store: MemoryCacheStore;
  /** What came to the server: `GET /path`. */
  readonly seen: string[];
  /** The text and what the cache did: `"hello hit"`. */
  ask(path?: string, options?: FetchOptions): Promise<string>;
  /** Asks, and compares with what `ask` is to give. */
  expect(...expected: (string | readonly [string, string, FetchOptions?])[]): Promise<void>;
}

export async function cached(
  answer: Answering,
  options: HttpCacheOptions = {},
  more: HttpClientOptions = {},
): Promise<Cached> {
  const store = createMemoryCacheStore();
  const cache = httpCache({ store, ...options });
  const seen: string[] = [];
  const server = await openServer(
    async (request) => {
      seen.push(`${request.method} ${new URL(request.url).pathname}`);
      return await answer(request, seen.length);
    },
    { port: 0, host: "127.0.0.1" },
  );
  const client = openHttpClient({ base: server.url, middleware: [cache], ...more });
  const ask = async (path = "/", how: FetchOptions = {}): Promise<string> => {
    const response = await client.request(path, how);
    return `${response.status === 200 ? "" : `${response.status} `}${response.text()} ${cacheOutcome(response)}`;
  };
  return {
    server,
    client,
    cache,
    store,
    seen,
    ask,
    async expect(...expected) {
      for (const one of expected) {
        const [text, path, how] = typeof one === "string" ? [one, "/"] : one;
        assert.equal(await ask(path, how), text);
      }
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Counts its answers, with these fields. */
export function counting(
  headers: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>),
  status = 200,
): Answering {
  return (_, asked) =>
    new HttpResponse(String(asked), {
      status,
      headers: typeof headers === "function" ? headers() : { ...headers },
    });
}

/** A date as many seconds from now. */
export function dateIn(seconds: number): string {
  return formatHttpDate(wallNow() + seconds * 1000);
}

/** Fields of a response that is fresh for long. */
export const FRESH: Readonly<Record<string, string>> = { "cache-control": "max-age=100" };

/** A body that comes in pieces, some time apart. */
export function pieces(count: number, bytes: number, apartMs = 10): HttpResponse {
  return new HttpResponse(
    async (sink) => {
      for (let index = 0; index < count; index++) {
        await sink.send(new Uint8Array(bytes).fill(97 + index));
        await sleep(apartMs);
      }
    },
    { headers: { ...FRESH } },
  );
}

/** A store that waits, as those on disks and networks do. */
export function slowStore(): MemoryCacheStore {
  const store = createMemoryCacheStore();
  return {
    ...store,
    get: async (key) => {
      await sleep(1);
      return await store.get(key);
    },
    set: async (key, responses) => {
      await sleep(1);
      await store.set(key, responses);
    },
    delete: async (key) => {
      await sleep(1);
      await store.delete(key);
    },
  };
}
