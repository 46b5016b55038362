/** One source: asks it, and asks again where that can help. */

import { currentScope, exponentialBackoff, failAfter, retry, TimeoutError } from "arborio";
import { type ClientResponse, type HttpClient, RequestFailedError } from "@arborio/http";
import type { Entry } from "./entry.ts";
import { type Price, readPrice } from "./price.ts";
import { printable } from "./printable.ts";

export interface FetchSettings {
  readonly client: HttpClient;
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

async function askOnce(entry: Entry, { client, timeoutMs }: FetchSettings): Promise<Price> {
  entry.tries += 1;
  entry.doing = "no answer";
  try {
    // Cancelled, by this timeout or from further out, the request ends, and its connection with it.
    return await failAfter(timeoutMs, () => exchange(entry, client));
  } catch (error) {
    const failure = failureOf(error, entry, timeoutMs);
    entry.doing = failure.message;
    throw failure;
  }
}

async function exchange(entry: Entry, client: HttpClient): Promise<Price> {
  // Left without reading the body, it gives the connection back.
  using response = await client.fetch(entry.source.url, { bodyBytesMax: BODY_BYTES_MAX });
  if (!response.ok) throw refusal(response);
  entry.doing = `HTTP ${response.status}, body unfinished`;
  const price = readPrice(await response.text());
  if (typeof price === "string") throw new NoPriceError("unusable", price, false);
  return price;
}

/** What others throw, as the board has it. @throws what is none of that: a cancellation, or a bug. */
function failureOf(error: unknown, entry: Entry, timeoutMs: number): NoPriceError {
  if (error instanceof NoPriceError) return error;
  if (error instanceof TimeoutError)
    return new NoPriceError("timed out", `${entry.doing} after ${timeoutMs} ms`, true);
  if (!(error instanceof RequestFailedError)) throw error;
  if (error.reason === "too-large")
    return new NoPriceError("unusable", `more than ${BODY_BYTES_MAX} bytes`, false);
  // The message tells all, from the request to the system's error; the last part is why.
  const why = error.message.split(": ").at(-1) ?? error.reason;
  return new NoPriceError("failed", printable(why, REASON_MAX), true);
}

function refusal({ status, statusText }: ClientResponse): NoPriceError {
  const why = printable(`HTTP ${status} ${statusText}`, REASON_MAX);
  const isOurs = status === 401 || status === 403;
  return new NoPriceError(isOurs ? "refused" : "failed", why, PASSING_STATUS.has(status));
}
