import { moveOnAfter } from "arborio";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import type { FieldHeaders } from "../web/field-headers.ts";
import type { ClientResponse } from "./client-response.ts";

/** Of the body of a response that is thrown, so many bytes are kept. */
const BODY_BYTES_MAX = 8192;

/** So long, in milliseconds, they are waited for. */
const BODY_MS = 1000;

/** What of a response an error needs. */
export interface StatusSource {
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly headers: FieldHeaders;
  readonly method: string;
  /** The beginning of the body. */
  readonly bytes: Uint8Array;
}

/**
 * A response has a status of failure, and `raiseForStatus` was asked for. What came is here: status, headers, and the beginning of the body.
 *
 * Counterpart: `aiohttp.ClientResponseError`.
 */
export class StatusError extends Error {
  /** `"StatusError"`. */
  override readonly name: string = "StatusError";
  /** Of the response. */
  readonly status: number;
  /** Where the response came from, after redirects; without credentials. */
  readonly url: string;
  /** Of the request. */
  readonly method: string;
  /** Of the response. */
  readonly headers: FieldHeaders;
  /** The beginning of the body, as UTF-8: 8,192 bytes at most, and as much of it as came within a second. */
  readonly bodyText: string;

  /** @internal */
  constructor(source: StatusSource) {
    const { status, statusText, url, method, headers, bytes } = source;
    super(`${method} ${url}: the status is ${status}${statusText === "" ? "" : ` ${statusText}`}`);
    this.status = status;
    this.url = url;
    this.method = method;
    this.headers = headers;
    this.bodyText = new TextDecoder().decode(bytes.subarray(0, BODY_BYTES_MAX));
  }
}

/** A response as an error. It is closed: its connection is free. */
export async function statusErrorOf(response: ClientResponse): Promise<StatusError> {
  using _closed = response;
  const { status, statusText, url, headers, request } = response;
  const bytes = await beginning(response);
  return new StatusError({ status, statusText, url, headers, method: request.method, bytes });
}

async function beginning(response: ClientResponse): Promise<Uint8Array> {
  if (response.bodyUsed) return new Uint8Array(0);
  const { payload } = response.source;
  if (payload === null || payload instanceof Uint8Array) return payload ?? new Uint8Array(0);
  const bytes = new Uint8Array(BODY_BYTES_MAX);
  let count = 0;
  try {
    await moveOnAfter(BODY_MS, async () => {
      for await (const piece of payload) {
        const taken = piece.subarray(0, BODY_BYTES_MAX - count);
        bytes.set(taken, count);
        count += taken.length;
        if (count === BODY_BYTES_MAX) break;
      }
    });
  } catch (error) {
    // What matters is the status; of the body there is what came.
    if (!(error instanceof RequestFailedError)) throw error;
  }
  return bytes.subarray(0, count);
}
