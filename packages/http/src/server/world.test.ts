/** Many clients of all kinds at once, on a simulated network with delays, in several orders of events: nobody gets what is not his, and nothing is left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { moveOnAfter, sleep, taskGroup } from "arborio";
import { random } from "arborio/lowlevel";
import { connectTcp, type SocketStream } from "arborio/net";
import { simulate } from "arborio/sim";
import { bytesOf, get, lines, RawClient } from "../connection/raw-client.test.kit.ts";
import type { HttpRequest } from "../web/http-request.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { Handler } from "./handler.ts";
import { openServer } from "./open-server.ts";

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const CLIENTS = 12;
const ROUNDS = 4;

/** A whole number from 0 to below `count`, from the seed. */
function below(count: number): number {
  return Math.floor(random() * count);
}

/** Echoes in one of the ways in which a response can be sent, after a while; counts what runs. */
class Echo {
  running = 0;

  readonly handle: Handler = async (request) => {
    this.running += 1;
    try {
      const { pathname } = new URL(request.url);
      await sleep(below(20));
      const text = request.method === "POST" ? await this.#read(request as HttpRequest) : "";
      const answer = `${pathname} ${text}`;
      if (below(2) === 0) return new HttpResponse(answer);
      return new HttpResponse(async (sink) => {
        this.running += 1;
        try {
          for (let at = 0; at < answer.length; at += 1000) {
            await sink.send(answer.slice(at, at + 1000));
            if (below(4) === 0) await sleep(below(5));
          }
        } finally {
          this.running -= 1;
        }
      });
    } finally {
      this.running -= 1;
    }
  };

  async #read(request: HttpRequest): Promise<string> {
    if (below(2) === 0) return await request.text();
    const decoder = new TextDecoder();
    let text = "";
    for await (const piece of request.bodyStream ?? []) {
      text += decoder.decode(piece, { stream: true });
      if (below(8) === 0) await sleep(1);
    }
    return text;
  }
}

/** A request, and the body of its response. */
function someRequest(name: string): readonly [string, string] {
  const kind = below(3);
  const path = `/${name}`;
  if (kind === 0) return [get(path), `${path} `];
  const body = name.repeat(below(3000));
  if (kind === 1) {
    const head = lines(`POST ${path} HTTP/1.1`, "host: a", `content-length: ${body.length}`, "");
    return [head + body, `${path} ${body}`];
  }
  const head = lines(`POST ${path} HTTP/1.1`, "host: a", "transfer-encoding: chunked", "");
  let chunks = "";
  for (let at = 0; at < body.length;) {
    const piece = body.slice(at, at + 1 + below(2000));
    chunks += `${piece.length.toString(16)}\r\n${piece}\r\n`;
    at += piece.length;
  }
  return [`${head}${chunks}0\r\n\r\n`, `${path} ${body}`];
}

/** Sends it in pieces of any size. */
async function sendInPieces(stream: SocketStream, text: string): Promise<void> {
  for (let at = 0; at < text.length;) {
    const bytes = 1 + below(below(2) === 0 ? 10 : 5000);
    await stream.send(bytesOf(text.slice(at, at + bytes)));
    at += bytes;
    if (below(10) === 0) await sleep(below(10));
  }
}

/** Pipelines some requests, and sees that each is answered, in order. */
async function wellMeaning(name: string): Promise<void> {
  using stream = await connectTcp("server", 80);
  const raw = new RawClient(stream);
  const requests = Array.from({ length: 1 + below(5) }, (_, index) =>
    someRequest(`${name}-${index}`),
  );
  await taskGroup(async (group) => {
    group.startSoon(() => sendInPieces(stream, requests.map(([request]) => request).join("")));
    for (const [, expected] of requests) {
      const { head, body } = await raw.response();
      assert.equal(head.status, 200);
      assert.equal(body, expected);
    }
  });
}

/** Leaves in the middle of what it does. */
async function leaving(name: string): Promise<void> {
  using stream = await connectTcp("server", 80);
  await moveOnAfter(below(40), async () => {
    await taskGroup(async (group) => {
      group.startSoon(() => sendInPieces(stream, someRequest(name)[0] + someRequest(name)[0]));
      await new RawClient(stream).rest();
    });
  });
  if (below(2) === 0) stream.abort();
}

/** Sends what is no request. */
async function nonsensical(): Promise<void> {
  using stream = await connectTcp("server", 80);
  const raw = new RawClient(stream);
  await raw.send(`${get()}GET / HTTP/1.1\r\nno field\r\n\r\n`);
  assert.equal((await raw.response()).head.status, 200);
  assert.equal((await raw.response()).head.status, 400);
}

for (const seed of SEEDS) {
  void test(`a server among clients of all kinds [simulator, seed ${seed}]`, async () => {
    await simulate({ seed, network: { latencyMs: [0.1, 10] } }, async (world) => {
      const echo = new Echo();
      const reported: unknown[] = [];
      const host = world.host("server", { addresses: ["10.0.0.1"] });
      const server = await host.run(() =>
        openServer(echo.handle, { port: 80, onError: (error) => void reported.push(error) }),
      );
      await taskGroup(async (group) => {
        for (let client = 0; client < CLIENTS; client++) {
          group.startSoon(async () => {
            for (let round = 0; round < ROUNDS; round++) {
              const name = `${client}-${round}`;
              const kind = below(4);
              if (kind < 2) await wellMeaning(name);
              else if (kind === 2) await leaving(name);
              else await nonsensical();
            }
          });
        }
      });
      await server.close();
      assert.equal(echo.running, 0);
      assert.equal(server.statistics().connectionsOpen, 0);
      assert.deepEqual(reported, []);
      // The last packets, and what waits after them.
      await sleep(300_000);
      assert.deepEqual(world.netstat(), []);
    });
  });
}
