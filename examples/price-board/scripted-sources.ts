/** Sources that behave as the world does, well and badly, and the same way each time: a handler for a server of their own. */

import { sleep, sleepForever } from "arborio";
import { HttpResponse } from "@arborio/http";
import type { Source } from "./source-list.ts";

/** What a source does with one request. */
export type Behaviour = () => Promise<HttpResponse>;

/** What each source does with its requests, in order; the last behaviour is also that of every later one. */
export type Scripts = Readonly<Record<string, readonly Behaviour[]>>;

export class ScriptedSources {
  readonly #scripts: Scripts;
  /** Names of the sources asked, in order. */
  readonly asked: string[] = [];

  constructor(scripts: Scripts) {
    this.#scripts = scripts;
  }

  /** Where they are found on such a server. */
  at(serverUrl: string): Source[] {
    const names = Object.keys(this.#scripts);
    return names.map((name) => ({ name, url: `${serverUrl}${encodeURIComponent(name)}` }));
  }

  readonly handle = async ({ url }: Request): Promise<HttpResponse> => {
    const name = decodeURIComponent(new URL(url).pathname.slice(1));
    const behaviours = this.#scripts[name] ?? [error(0, 404)];
    const times = this.asked.filter((other) => other === name).length;
    this.asked.push(name);
    return await (behaviours[Math.min(times, behaviours.length - 1)] as Behaviour)();
  };
}

/** Answers with a price. */
export function price(afterMs: number, amount: number): Behaviour {
  return answers(afterMs, JSON.stringify({ price: amount, currency: "EUR" }));
}

/** Answers with a status of failure. */
export function error(afterMs: number, status: number): Behaviour {
  return answers(afterMs, "", status);
}

/** Answers. */
export function answers(afterMs: number, body: string, status = 200): Behaviour {
  return async () => {
    await sleep(afterMs);
    return new HttpResponse(body, { status });
  };
}

/** Begins its answer and never ends it. */
export function stalls(afterMs: number, body: string): Behaviour {
  return begins(afterMs, body, sleepForever);
}

/** Begins its answer, and then the connection breaks: what a body throws does that. */
export function drops(afterMs: number): Behaviour {
  return begins(afterMs, '{ "price": ', () => {
    throw new Error("this source drops its connections");
  });
}

/** Never answers. */
export function hangs(): Behaviour {
  return sleepForever;
}

function begins(afterMs: number, body: string, end: () => Promise<void>): Behaviour {
  return async () => {
    await sleep(afterMs);
    return new HttpResponse(async (sink) => {
      await sink.send(body);
      await end();
    });
  };
}
