import type { ClientRequest } from "./client-request.ts";
import type { ClientResponse } from "./client-response.ts";

/** Sends a request on: to the next middleware, at last to the network. May be called again, or not at all. */
export type Next = (request: ClientRequest) => Promise<ClientResponse>;

/**
 * What stands between `fetch` and the network. It may change the request (`request.with`), answer it itself, send it again, and look at the
 * response. A response that it does not give on it has to close: `response.close()`.
 */
export type Middleware = (request: ClientRequest, next: Next) => Promise<ClientResponse>;
