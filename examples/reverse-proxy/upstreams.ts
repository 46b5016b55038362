import { gather, moveOnAfter, sleep } from "arborio";
import { type HttpClient, RequestFailedError } from "@arborio/http";

/** One server behind the proxy. */
export interface Upstream {
  /** `"http://10.0.0.1:8080"`. */
  readonly origin: string;
  /** Whether it worked when it was asked last. */
  isHealthy: boolean;
}

/** Milliseconds from one look at their health to the next. */
const EVERY_MS = 2000;
/** Milliseconds that a server has to say that it is well. */
const CHECK_MS = 1000;

/** The servers of one site: they take turns. */
export class Upstreams {
  readonly all: readonly Upstream[];
  #turn = 0;

  constructor(origins: readonly string[]) {
    this.all = origins.map((origin) => ({ origin, isHealthy: true }));
  }

  /** The next one first; those that are not healthy last, for they may be well again. */
  inTurn(): Upstream[] {
    const first = this.#turn++ % this.all.length;
    const turned = [...this.all.slice(first), ...this.all.slice(0, first)];
    return turned.sort((one, other) => Number(other.isHealthy) - Number(one.isHealthy));
  }

  /** Looks after them, until it is cancelled or asked to shut down. */
  async watch(client: HttpClient, path: string): Promise<never> {
    for (;;) {
      await gather(this.all.map((upstream) => () => check(client, upstream, path)));
      await sleep(EVERY_MS);
    }
  }
}

async function check(client: HttpClient, upstream: Upstream, path: string): Promise<void> {
  upstream.isHealthy = await moveOnAfter(CHECK_MS, async () => {
    try {
      return (await client.request(`${upstream.origin}${path}`)).ok;
    } catch (error) {
      if (error instanceof RequestFailedError) return false;
      throw error;
    }
  }).then((isWell) => isWell === true);
}
