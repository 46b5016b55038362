/** The signal of a request ends each wait of the middleware in the box at once, with its reason, and nothing is left of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { now, run, sleep, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import type { HttpClientOptions } from "../client/client-options.ts";
import { openHttpClient } from "../client/http-client.ts";
import type { Handler } from "../server/handler.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { circuitBreaker } from "./circuit-breaker.ts";
import { digestAuth } from "./digest-auth.ts";
import { httpCache } from "./http-cache.ts";
import { limitRate } from "./limit-rate.ts";
import { retryRequests } from "./retry-requests.ts";

interface Wait {
  readonly name: string;
  readonly client: () => HttpClientOptions;
  readonly answer: Handler;
  /** Requests that are sent before, and not aborted; their answers are not waited for. */
  readonly before?: number;
}

const LONG_MS = 20_000;

/** Answers `first` at once, and all else after long. */
function thenNothing(first: () => HttpResponse): Handler {
  let asked = 0;
  return async () => {
    if (asked++ === 0) return first();
    await sleep(LONG_MS);
    return new HttpResponse("late");
  };
}

function busy(fields: Record<string, string> = {}): HttpResponse {
  return new HttpResponse("later", { status: 503, headers: fields });
}

/** A body that begins, and goes on after long. */
function begun(status: number, headers: Record<string, string>): HttpResponse {
  return new HttpResponse(
    async (sink) => {
      await sink.send("begun");
      await sleep(LONG_MS);
    },
    { status, headers },
  );
}

const CHALLENGE = { "www-authenticate": 'Digest realm="a", nonce="b", qop="auth"' };

const waits = (): readonly Wait[] => [
  {
    name: "between attempts",
    client: () => ({ middleware: [retryRequests({ delayMs: () => LONG_MS })] }),
    answer: () => busy(),
  },
  {
    name: "between attempts, for the server",
    client: () => ({ middleware: [retryRequests()] }),
    answer: () => busy({ "retry-after": "20" }),
  },
  {
    name: "of another attempt",
    client: () => ({ middleware: [retryRequests()] }),
    answer: thenNothing(busy),
  },
  {
    name: "for the rate",
    client: () => ({ middleware: [limitRate({ requestsMax: 1, perMs: LONG_MS })] }),
    answer: () => new HttpResponse(""),
    before: 1,
  },
  {
    name: "behind who waits for the rate",
    client: () => ({ middleware: [limitRate({ requestsMax: 1, perMs: LONG_MS })] }),
    answer: () => new HttpResponse(""),
    before: 2,
  },
  {
    name: "of a trial",
    client: () => ({ middleware: [circuitBreaker({ failuresMax: 1, openMs: 0 })] }),
    answer: thenNothing(busy),
    before: 1,
  },
  {
    name: "for an answer to Digest",
    client: () => ({ middleware: [digestAuth({ user: "a", password: "b" })] }),
    answer: thenNothing(() => new HttpResponse("", { status: 401, headers: CHALLENGE })),
  },
  {
    name: "for an equal request",
    client: () => ({ middleware: [httpCache()] }),
    answer: async () => {
      await sleep(LONG_MS);
      return new HttpResponse("late");
    },
    before: 1,
  },
  {
    name: "for the body of an equal request",
    client: () => ({ middleware: [httpCache()] }),
    answer: async () => {
      await sleep(450);
      return begun(200, { "cache-control": "max-age=100" });
    },
    before: 1,
  },
  {
    name: "for a store",
    client: () => {
      const never = (): Promise<undefined> => sleep(LONG_MS).then(() => undefined);
      return { middleware: [httpCache({ store: { get: never, set: never, delete: never } })] };
    },
    answer: () => new HttpResponse(""),
  },
  {
    name: "behind a redirect",
    client: () => ({}),
    answer: thenNothing(() => new HttpResponse("", { status: 302, headers: { location: "/x" } })),
  },
  {
    name: "for the beginning of an error",
    client: () => ({ raiseForStatus: true }),
    answer: () => begun(500, {}),
  },
];

for (const [index, { name }] of waits().entries()) {
  void test(`aborted: a wait ${name}`, async () => {
    const { client: options, answer, before = 0 } = waits()[index] as Wait;
    const main = async (): Promise<void> => {
      await using server = await openServer(answer, { port: 0, onError: () => {} });
      await taskGroup(async (group) => {
        await using client = openHttpClient({ base: server.url, ...options() });
        for (let count = 0; count < before; count++) {
          group.startSoon(() => client.request("/").catch(() => undefined));
          await sleep(20);
        }
        const start = now();
        const controller = new AbortController();
        group.startSoon(async () => {
          await sleep(500);
          controller.abort(new RangeError("enough"));
        });
        await assert.rejects(client.request("/", { signal: controller.signal }), /enough/);
        assert.ok(now() - start >= 499 && now() - start < 501, `${now() - start}`);
        await sleep(LONG_MS * 3);
        const { connectionsActive, requestsWaiting } = client.statistics();
        assert.deepEqual([connectionsActive, requestsWaiting], [0, 0]);
      });
    };
    await run(main, { signals: [], backend: simulator({ seed: 1 }) });
  });
}
