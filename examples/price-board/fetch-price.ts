/** One source: asks it, and asks again where that can help. */

import {
  abandonOnCancel,
  currentScope,
  exponentialBackoff,
  failAfter,
  retry,
  TimeoutError,
} from "arborio";
import type { Entry } from "./entry.ts";
import { type Price, readPrice } from "./price.ts";
import { printable } from "./printable.ts";

/** Anything that fetches as the platform does; tests bring their own. */
export type Fetch = (url: string, init: { readonly signal: AbortSignal }) => Promise<Response>;

export interface FetchSettings {
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly retries: number;
}

/** Why a source gave no price. */
export class NoPriceError extends Error {
  readonly state: "timed out" | "failed" | "refused" | "unusable";
  /** Whether the next try may go better. */
  readonly mayPass: boolean;

  constructor(state: NoPriceError["state"], why: string, mayPass: boolean) {
    super(why);
    this.state = state;
    this.mayPass = mayPass;
  }
}

/** Between tries: longer each time, for a source in trouble does not need more work. */
const BACKOFF = exponentialBackoff({ initialMs: 50, maxMs: 1000 });
/** A price fits in far less; whoever sends more will not be read to the end. */
const BODY_BYTES_MAX = 65_536;
/** Characters of what others say; the rest does not fit a table. */
const REASON_MAX = 60;
/** Busy or restarting; what else a server says of a request stays true. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Fetches the price of one source. `entry` tells others how far it is.
 *
 * @throws NoPriceError when all tries are used up, or another would not help.
 */
export function fetchPrice(entry: Entry, settings: FetchSettings): Promise<Price> {
  let failure: unknown;
  const askUnlessStopping = async (attempt: number): Promise<Price> => {
    // A shutdown lets requests in flight end, but asking again would be a new one.
    if (attempt > 1 && currentScope().shuttingDown) throw failure;
    try {
      return await askOnce(entry, settings);
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  return retry(askUnlessStopping, {
    attempts: 1 + settings.retries,
    backoff: BACKOFF,
    when: (error) => error instanceof NoPriceError && error.mayPass && !currentScope().shuttingDown,
  });
}

async function askOnce(entry: Entry, { fetch, timeoutMs }: FetchSettings): Promise<Price> {
  entry.tries += 1;
  entry.doing = "no answer";
  try {
    // Cancelled, by this timeout or from further out, it stops waiting at once, whatever `fetch` does with the signal. And the
    // task tree sees the wait, as it would not see a plain `await fetch(…, { signal: currentSignal() })`.
    return await failAfter(timeoutMs, () =>
      abandonOnCancel((signal) => exchange(entry, fetch, signal)),
    );
  } catch (caught) {
    const error =
      caught instanceof TimeoutError
        ? new NoPriceError("timed out", `${entry.doing} after ${timeoutMs} ms`, true)
        : caught;
    if (error instanceof NoPriceError) entry.doing = error.message;
    throw error;
  }
}

/** The HTTP exchange: plain code that knows nothing of scopes. */
async function exchange(entry: Entry, fetch: Fetch, signal: AbortSignal): Promise<Price> {
  try {
    const response = await fetch(entry.source.url, { signal });
    if (!response.ok) {
      await response.body?.cancel();
      throw refusal(response);
    }
    entry.doing = `HTTP ${response.status}, body unfinished`;
    const price = readPrice(await readBody(response));
    if (typeof price === "string") throw new NoPriceError("unusable", price, false);
    return price;
  } catch (error) {
    // Too late: nobody waits any more, and an error that nobody gets would be reported as unhandled.
    if (signal.aborted) throw signal.reason;
    if (error instanceof NoPriceError) throw error;
    throw new NoPriceError("failed", networkTrouble(error), true);
  }
}

function refusal({ status, statusText }: Response): NoPriceError {
  const why = printable(`HTTP ${status} ${statusText}`, REASON_MAX);
  const isOurs = status === 401 || status === 403;
  return new NoPriceError(isOurs ? "refused" : "failed", why, PASSING_STATUS.has(status));
}

async function readBody(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    // Leaving the loop ends the connection.
    if (size > BODY_BYTES_MAX)
      throw new NoPriceError("unusable", `more than ${BODY_BYTES_MAX} bytes`, false);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** What the runtimes say differently, and with all they know: "fetch failed" with a cause, or the cause after its context. */
function networkTrouble(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return printable(String(cause), REASON_MAX);
  const { code } = cause as NodeJS.ErrnoException;
  const [sentence = ""] = cause.message.split(". ");
  return printable(sentence.split(": ").at(-1) || String(code ?? cause.name), REASON_MAX);
}
