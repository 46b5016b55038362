/**
 * All middleware in the box at once, in the order that the documentation has it, over a pool of two connections, with servers that fail in all ways, and people who
 * change their minds at any moment: nobody waits for ever, no connection is lost, and nobody gets what is another's, or what was changed before he asked.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { failAfter, moveOnAfter, run, sleep, type TaskGroup, taskGroup } from "arborio";
import { random } from "arborio/lowlevel";
import { simulator } from "arborio/sim";
import { type HttpClient, openHttpClient } from "../client/http-client.ts";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import type { Handler } from "../server/handler.ts";
import { openServer } from "../server/open-server.ts";
import { HttpResponse } from "../web/http-response.ts";
import { cacheOutcome } from "./cache/cache-outcome.ts";
import { circuitBreaker } from "./circuit-breaker.ts";
import { httpCache } from "./http-cache.ts";
import { limitRate } from "./limit-rate.ts";
import { retryRequests } from "./retry-requests.ts";

const PATHS = ["/a", "/b", "/c"];
const USERS = ["", "x", "y"];

/** One of these, by chance. */
function chosen<T>(choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)] as T;
}

/** A server of three documents, which are changed by POST, and tell who asked for which version. */
class Documents {
  readonly #versions: Map<string, number> = new Map(PATHS.map((path) => [path, 0]));

  readonly handler: Handler = async (request) => {
    const path = new URL(request.url).pathname;
    const user = request.headers.get("x-user") ?? "";
    if (request.method === "POST") return this.#changed(path);
    if (random() < 0.15) return this.#failed();
    if (path.startsWith("/to")) return redirect(path.slice(3));
    const version = this.#versions.get(path) ?? 0;
    const etag = `"${version}"`;
    const control = chosen(["max-age=1", "no-cache", "max-age=1, stale-if-error=5", "no-store"]);
    const headers = { etag, "cache-control": control, vary: "x-user" };
    if (request.headers.get("if-none-match") === etag)
      return new HttpResponse(null, { status: 304, headers });
    await sleep(random() * 30);
    const text = textOf(path, user, version);
    return random() < 0.5
      ? new HttpResponse(text, { headers })
      : new HttpResponse(
          async (sink) => {
            await sink.send(text.slice(0, 100));
            await sleep(random() * 30);
            await sink.send(text.slice(100));
          },
          { headers },
        );
  };

  #changed(path: string): Response {
    const version = (this.#versions.get(path) ?? 0) + 1;
    this.#versions.set(path, version);
    return new HttpResponse(`${version}`);
  }

  async #failed(): Promise<Response> {
    const kind = Math.floor(random() * 5);
    // Longer than anybody waits.
    if (kind === 0) await sleep(5000);
    if (kind === 1) throw new Error("the connection breaks, or the status is 500");
    const cut = async (sink: { send(piece: string): Promise<void> }): Promise<void> => {
      await sink.send("x".repeat(100));
      throw new Error("cut");
    };
    if (kind === 2) return new HttpResponse(cut, { headers: { "cache-control": "max-age=9" } });
    const endless = async (sink: { send(piece: string): Promise<void> }): Promise<void> => {
      for (;;) {
        await sink.send("x".repeat(10_000));
        await sleep(1);
      }
    };
    if (kind === 3) return new HttpResponse(endless, { status: 503 });
    return new HttpResponse("later", { status: 429, headers: { "retry-after": "1" } });
  }
}

function redirect(location: string): Response {
  return new HttpResponse("elsewhere", {
    status: 302,
    headers: { location, "cache-control": "max-age=1" },
  });
}

/** Long enough to come in pieces. */
function textOf(path: string, user: string, version: number): string {
  return `${path} ${user} ${version} `.padEnd(3000, ".");
}

/** Somebody who asks for documents and changes them, and looks at what he gets. */
class Person {
  readonly #client: HttpClient;
  /** The versions that are known to be there, by path. */
  readonly #known: Map<string, number>;
  answers = 0;

  constructor(client: HttpClient, known: Map<string, number>) {
    this.#client = client;
    this.#known = known;
  }

  async act(signal: AbortSignal): Promise<void> {
    const path = chosen(PATHS);
    const turn = random();
    if (turn < 0.2) await this.#change(path, signal);
    else await this.#ask(turn < 0.5 ? `/to${path}` : path, chosen(USERS), signal);
  }

  async #change(path: string, signal: AbortSignal): Promise<void> {
    const response = await this.#client.request(path, { method: "POST", body: "x", signal });
    if (response.status !== 200) return;
    const version = Number(response.text());
    this.#known.set(path, Math.max(version, this.#known.get(path) ?? 0));
  }

  async #ask(asked: string, user: string, signal: AbortSignal): Promise<void> {
    const path = asked.replace("/to", "");
    const least = this.#known.get(path) ?? 0;
    const headers = user === "" ? {} : { "x-user": user, authorization: `Bearer ${user}` };
    using response = await this.#client.fetch(asked, { headers, signal });
    if (random() < 0.2) {
      await response.bodyStream?.receive();
      return;
    }
    const text = await response.text();
    if (response.status !== 200 || text === "x".repeat(text.length)) return;
    this.answers += 1;
    const [, gotPath = "", gotUser, version = ""] = /^(\S+) (\S*) (\d+) /.exec(text) ?? [];
    assert.equal(text, textOf(path, user, Number(version)));
    assert.deepEqual([gotPath, gotUser], [path, user]);
    if (cacheOutcome(response) !== "stale")
      assert.ok(Number(version) >= least, `${version} after ${least}: ${cacheOutcome(response)}`);
  }
}

/** Acts, until it is done, or until a moment that chance has chosen: by its scope, or by a signal. */
async function changingMind(group: TaskGroup, person: Person): Promise<void> {
  const ms = random() * 200;
  const kind = chosen(["stays", "leaves", "aborts"]);
  const controller = new AbortController();
  const abort = async (): Promise<void> => {
    await sleep(ms);
    controller.abort(new RangeError("enough"));
  };
  try {
    if (kind === "aborts") group.startSoon(abort, { daemon: true });
    await moveOnAfter(kind === "leaves" ? ms : Infinity, () => person.act(controller.signal));
  } catch (error) {
    if (error instanceof RequestFailedError || (error as Error).message === "enough") return;
    throw error;
  }
}

for (let seed = 0; seed < 40; seed++) {
  void test(`together: cache, retries, circuit breaker and limit of rate over two connections [seed ${seed}]`, async () => {
    const main = async (): Promise<void> => {
      const documents = new Documents();
      await using server = await openServer(documents.handler, {
        port: 0,
        host: "127.0.0.1",
        onError: () => {},
      });
      await taskGroup(async (group) => {
        await using client = openHttpClient({
          base: server.url,
          limits: { connectionsMax: 2 },
          timeouts: { headMs: 300, bodyMs: 300 },
          middleware: [
            httpCache({ group: seed % 2 === 0 ? group : null }),
            retryRequests({ delayMs: () => 20 }),
            circuitBreaker({ failuresMax: 3, openMs: 100 }),
            limitRate({ requestsMax: 400, retryAfterMsMax: 50 }),
          ],
        });
        const known = new Map<string, number>();
        const people = Array.from({ length: 6 }, () => new Person(client, known));
        await failAfter(600_000, () =>
          taskGroup(async (all) => {
            for (const person of people)
              all.startSoon(async () => {
                for (let turn = 0; turn < 15; turn++) await changingMind(all, person);
              });
          }),
        );
        await sleep(1000);
        const { connectionsActive, connectionsConnecting, requestsWaiting } = client.statistics();
        assert.deepEqual([connectionsActive, connectionsConnecting, requestsWaiting], [0, 0, 0]);
        assert.ok(people.reduce((sum, { answers }) => sum + answers, 0) > 15);
      });
    };
    await run(main, { signals: [], backend: simulator({ seed }) });
  });
}
