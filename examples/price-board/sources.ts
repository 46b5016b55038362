/** The sources of the demo: a server of ours on loopback. It stands for programs that are not ours, so it has a run of its own. */

import { Event, run } from "arborio";
import { openServer } from "@arborio/http";
import {
  answers,
  drops,
  error,
  hangs,
  price,
  ScriptedSources,
  type Scripts,
  stalls,
} from "./scripted-sources.ts";
import type { Source } from "./source-list.ts";

/** In the order they are asked. */
const SCRIPTS: Scripts = {
  alder: [price(40, 101.5)],
  aspen: [price(65, 88.2)],
  beech: [price(120, 54.75)],
  birch: [hangs()],
  cedar: [price(30, 230)],
  cherry: [error(50, 503), price(45, 17.95)],
  cypress: [price(480, 310.4)],
  elder: [error(20, 404)],
  elm: [price(90, 76.1)],
  fir: [drops(35), price(60, 45.05)],
  hazel: [error(25, 403)],
  hemlock: [stalls(70, '{"price": 66')],
  holly: [price(430, 129.99)],
  juniper: [answers(40, "<h1>Welcome</h1>")],
  larch: [error(80, 500)],
  linden: [answers(55, "72.5")],
  maple: [price(75, 64.3)],
  oak: [hangs(), error(30, 503), price(50, 412)],
  pine: [price(20, 33.33)],
  poplar: [answers(45, '{"price": "on request"}')],
  rowan: [price(560, 91.6)],
  spruce: [error(15, 429), price(40, 39.8)],
  walnut: [price(110, 187.25)],
  willow: [stalls(40, "5")],
  "wych elm": [price(85, 79.9)],
  yew: [hangs()],
};

/** The demo's sources while they run. */
export class LoopbackSources implements AsyncDisposable {
  list: readonly Source[] = [];
  readonly #opened = new Event();
  readonly #closed = new Event();
  /** Ends when they are closed. No signal reaches it: a Ctrl-C is meant for the board. */
  readonly #run: Promise<void> = run(() => this.#serve(), { name: "sources", signals: [] });

  private constructor() {}

  static async open(): Promise<LoopbackSources> {
    const sources = new LoopbackSources();
    // If they cannot be opened, their run ends with the reason.
    await Promise.race([sources.#opened.wait(), sources.#run]);
    return sources;
  }

  async #serve(): Promise<void> {
    const sources = new ScriptedSources(SCRIPTS);
    const options = { port: 0, host: "127.0.0.1", graceMs: 0, onError: () => {} };
    await using server = await openServer(sources.handle, options);
    this.list = sources.at(server.url);
    this.#opened.set();
    await this.#closed.wait();
  }

  /** Ends all connections, those of hanging requests too. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.set();
    await this.#run;
  }
}
