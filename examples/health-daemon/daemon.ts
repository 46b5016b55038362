import { sleep } from "arborio";
import { connectTcp, formatAddress, type Listener } from "arborio/net";
import { createHealthChecks, type Handler, HttpError, HttpResponse, serve } from "@arborio/http";

/** What a daemon is told. */
export interface DaemonOptions {
  readonly listener: Listener;
  /** What it cannot work without: ready only while connections there succeed. */
  readonly needs?: { readonly host: string; readonly port: number };
  /** Milliseconds in which a load balancer learns that no more shall come; until then all that comes is answered. */
  readonly drainMs: number;
  /** Milliseconds, with those, for what is being worked on. */
  readonly graceMs: number;
  /** Gets why it is not ready. */
  readonly log: (line: string) => void;
}

/** How long what it needs may take to answer, in milliseconds: less than a balancer waits for the check. */
const CHECK_MS_MAX = 1000;
/** So long an answer of it is good, in milliseconds, however many balancers ask. */
const CHECK_CACHE_MS = 100;
/** Longest piece of work, in milliseconds. */
const WORK_MS_MAX = 60_000;

/** Works until it is asked to shut down: then it says that it is not ready, a little later accepts no more, and finishes its work. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { listener, needs, drainMs, graceMs, log } = options;
  const health = createHealthChecks({
    checks:
      needs === undefined
        ? {}
        : {
            [formatAddress(needs)]: async () => {
              using _connection = await connectTcp(needs.host, needs.port);
            },
          },
    timeoutMs: CHECK_MS_MAX,
    cacheMs: CHECK_CACHE_MS,
    onFailure: (name, error) => log(`not ready: ${name}: ${String(error)}`),
  });
  await serve(health.wrap(work), { listener, drainMs, graceMs });
}

/** `/work?ms=500` takes so long. */
const work: Handler = async (request) => {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname !== "/work") throw new HttpError(404, `there is no ${pathname}`);
  const ms = Number(searchParams.get("ms") ?? 0);
  if (!(ms >= 0 && ms <= WORK_MS_MAX)) {
    throw new HttpError(400, `ms: needs a number from 0 to ${String(WORK_MS_MAX)}`);
  }
  await sleep(ms);
  return new HttpResponse("done\n");
};
