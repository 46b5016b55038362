/**
 * The sources of the demo: an HTTP server on loopback that behaves as the world does, well and badly, and the same way each
 * time. It stands for programs that are not ours, so it is plain Node code, without Arborio.
 */

import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Source } from "./source-list.ts";

/** What a source does with its n-th request. */
interface Behaviour {
  /** Milliseconds until it answers. */
  readonly afterMs: number;
  /** `hangs`: never answers. `stalls`: begins its answer and never ends it. `drops`: closes the connection. */
  readonly act: "answers" | "hangs" | "stalls" | "drops";
  readonly status: number;
  readonly body: string;
}

type Script = readonly [name: string, ...behaviours: Behaviour[]];

/** In the order they are asked. The last behaviour of a source is also that of every later request. */
const SCRIPTS: readonly Script[] = [
  ["alder", price(40, 101.5)],
  ["aspen", price(65, 88.2)],
  ["beech", price(120, 54.75)],
  ["birch", hangs()],
  ["cedar", price(30, 230)],
  ["cherry", error(50, 503), price(45, 17.95)],
  ["cypress", price(480, 310.4)],
  ["elder", error(20, 404)],
  ["elm", price(90, 76.1)],
  ["fir", drops(35), price(60, 45.05)],
  ["hazel", error(25, 403)],
  ["hemlock", stalls(70, '{"price": 66')],
  ["holly", price(430, 129.99)],
  ["juniper", answers(40, 200, "<h1>Welcome</h1>")],
  ["larch", error(80, 500)],
  ["linden", answers(55, 200, "72.5")],
  ["maple", price(75, 64.3)],
  ["oak", hangs(), error(30, 503), price(50, 412)],
  ["pine", price(20, 33.33)],
  ["poplar", answers(45, 200, '{"price": "on request"}')],
  ["rowan", price(560, 91.6)],
  ["spruce", error(15, 429), price(40, 39.8)],
  ["walnut", price(110, 187.25)],
  ["willow", stalls(40, "5")],
  ["wych elm", price(85, 79.9)],
  ["yew", hangs()],
];

/** The demo's sources while they run. */
export class LoopbackSources implements AsyncDisposable {
  readonly list: readonly Source[];
  readonly #server: Server;

  private constructor(server: Server) {
    const { port } = server.address() as AddressInfo;
    this.#server = server;
    this.list = SCRIPTS.map(([name]) => ({
      name,
      url: `http://127.0.0.1:${port}/${encodeURIComponent(name)}`,
    }));
  }

  static async open(): Promise<LoopbackSources> {
    const asked = new Map<string, number>();
    const server = createServer((request, response) => {
      const name = decodeURIComponent((request.url ?? "").slice(1));
      const times = asked.get(name) ?? 0;
      asked.set(name, times + 1);
      act(behaviourOf(name, times), response);
    });
    await new Promise<void>((listening, failed) => {
      server.once("error", failed);
      server.listen(0, "127.0.0.1", listening);
    });
    return new LoopbackSources(server);
  }

  /** Ends all connections, those of hanging requests too. */
  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((closed) => {
      this.#server.close(() => closed());
      this.#server.closeAllConnections();
    });
  }
}

function behaviourOf(name: string, times: number): Behaviour {
  const [, ...behaviours] = SCRIPTS.find(([known]) => known === name) ?? [name];
  return behaviours[Math.min(times, behaviours.length - 1)] ?? error(0, 404);
}

function act({ act: what, afterMs, status, body }: Behaviour, response: ServerResponse): void {
  if (what === "hangs") return;
  const timer = setTimeout(() => {
    if (what === "drops") {
      response.socket?.destroy();
      return;
    }
    response.writeHead(status, { "content-type": "application/json" });
    if (what === "stalls") response.write(body);
    else response.end(body);
  }, afterMs);
  response.once("close", () => clearTimeout(timer));
}

function price(afterMs: number, amount: number): Behaviour {
  return answers(afterMs, 200, JSON.stringify({ price: amount, currency: "EUR" }));
}

function error(afterMs: number, status: number): Behaviour {
  return answers(afterMs, status, "");
}

function answers(afterMs: number, status: number, body: string): Behaviour {
  return { act: "answers", afterMs, status, body };
}

function stalls(afterMs: number, body: string): Behaviour {
  return { act: "stalls", afterMs, status: 200, body };
}

function drops(afterMs: number): Behaviour {
  return { act: "drops", afterMs, status: 0, body: "" };
}

function hangs(): Behaviour {
  return { act: "hangs", afterMs: 0, status: 0, body: "" };
}
