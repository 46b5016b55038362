import { moveOnAfter } from "arborio";
import { RequestFailedError } from "../connection/request-failed-error.ts";
import type { ClientRequest } from "./client-request.ts";
import type { ClientResponse } from "./client-response.ts";
import type { Next } from "./middleware.ts";
import {
  isRedirect,
  type Reauthorize,
  redirectedRequest,
  redirectFailure,
} from "./redirected-request.ts";

/** Of the body of a redirect, which nobody reads, so many bytes are taken to keep the connection. */
const DROPPED_BYTES_MAX = 65_536;

/** So long, in milliseconds, they are waited for: a new connection is made sooner than that. */
const DROP_MS = 100;

/** How redirects are followed. */
export interface Following {
  readonly mode: "follow" | "error";
  readonly redirectsMax: number;
  readonly send: Next;
  readonly reauthorized: Reauthorize;
  /** A redirect is about to be followed. */
  readonly onRedirect: ((response: ClientResponse, next: ClientRequest) => void) | null;
}

/**
 * The response behind redirects. Those before it are its `history`; their bodies are gone.
 *
 * @throws RequestFailedError if one cannot be followed.
 */
export async function followRedirects(
  request: ClientRequest,
  response: ClientResponse,
  following: Following,
): Promise<ClientResponse> {
  const { mode, redirectsMax, send, onRedirect } = following;
  const history: ClientResponse[] = [];
  while (isRedirect(response)) {
    let next: ClientRequest;
    try {
      if (mode === "error") {
        throw redirectFailure(
          request,
          "redirect",
          `the response is a redirect (${response.status}), and { redirect: "error" } allows for none`,
        );
      }
      if (history.length >= redirectsMax) {
        throw redirectFailure(
          request,
          "too-many-redirects",
          `more than ${redirectsMax} redirects; the last was from ${response.url}`,
        );
      }
      next = redirectedRequest(request, response, following.reauthorized);
      onRedirect?.(response, next);
    } catch (error) {
      response.close();
      throw error;
    }
    await drop(response);
    history.push(response);
    request = next;
    response = await send(next);
  }
  if (history.length > 0) response.history = history;
  return response;
}

/** Gives the connection back: with what is left of the body taken off it, if that is little and comes soon. */
export async function drop(response: ClientResponse): Promise<void> {
  using _closed = response;
  // Whoever reads it, a middleware, has what is left.
  if (response.bodyUsed) return;
  const { payload } = response.source;
  if (payload === null || payload instanceof Uint8Array) return;
  const { length } = payload as { readonly length?: number };
  if (length !== undefined && length > DROPPED_BYTES_MAX) return;
  try {
    await moveOnAfter(DROP_MS, async () => {
      let bytes = 0;
      for await (const piece of payload) if ((bytes += piece.length) > DROPPED_BYTES_MAX) break;
    });
  } catch (error) {
    // That the rest of it is broken changes nothing about where it leads.
    if (!(error instanceof RequestFailedError)) throw error;
  }
}
