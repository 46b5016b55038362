import type { RequestContext } from "./request-context.ts";

/**
 * What answers requests: with the web's `Request` and `Response`, so that `hono.fetch` is one as it is. It runs in the request's own
 * scope: cancelled when the client leaves, a deadline passes, or the server has waited long enough for it to end.
 *
 * What it throws becomes a response (`errorResponse`); an `HttpError` the one it says.
 */
export type Handler = (request: Request, context: RequestContext) => Response | Promise<Response>;
