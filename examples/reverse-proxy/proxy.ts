import { gather, moveOnAfter, now, taskGroup } from "arborio";
import {
  type ClientResponse,
  type FetchOptions,
  type Handler,
  type HttpClient,
  type HttpClientOptions,
  HttpError,
  HttpRequest,
  type RequestContext,
  RequestFailedError,
} from "@arborio/http";
import { type ByteStream, copyStream } from "arborio/streams";
import { forwardedHeaders } from "./forwarded-headers.ts";
import type { Upstreams } from "./upstreams.ts";

/** How requests are passed on as they are: what a request says comes from its client alone, and bodies and redirects are its client's business. */
export const AS_THEY_ARE: HttpClientOptions = {
  headers: { accept: null, "user-agent": null },
  decompress: false,
  redirect: "manual",
};

/** When one side of a WebSocket has ended, the other has so long to do so too, in milliseconds. */
const HALF_OPEN_MS = 10_000;

/** What a proxy is told. */
export interface ProxyOptions {
  /** Asks the servers behind the proxy, opened with `AS_THEY_ARE`. */
  readonly client: HttpClient;
  /** Those servers, by the host that clients ask for: `"example.org"`, without port; `"*"` stands for all others. */
  readonly sites: ReadonlyMap<string, Upstreams>;
}

/** A handler that passes requests on to other servers, and their responses back. Bodies stream, both ways, at the pace of whoever is slower. */
export function createProxy({ client, sites }: ProxyOptions): Handler {
  return async (request, context) => {
    // A tunnel to anywhere; what may show what is added here; and what is for no resource (OPTIONS *).
    const { method } = request;
    const isForServer = request instanceof HttpRequest && request.target === "*";
    if (method === "CONNECT" || method === "TRACE" || isForServer)
      throw new HttpError(405, `${method} is not passed on`);
    const { hostname, pathname, search } = new URL(request.url);
    const upstreams = sites.get(hostname) ?? sites.get("*");
    if (upstreams === undefined) throw new HttpError(404, `there is no site ${hostname} here`);

    let failure: RequestFailedError | undefined;
    for (const upstream of upstreams.inTurn()) {
      // Put together as text: a path such as //example.org/ is a path, and not another server.
      const url = `${upstream.origin}${pathname}${search}`;
      const outcome = await ask(client, url, request, context);
      if (!(outcome instanceof RequestFailedError)) return answer(outcome, context);
      failure = outcome;
      if (outcome.reason !== "unreachable") break;
      upstream.isHealthy = false;
      // The body may have been begun.
      if (request.body !== null) break;
    }
    throw errorFor(failure);
  };
}

/** Passes a request on. A failure is a result: there may be another server to ask. */
function ask(
  client: HttpClient,
  url: string,
  request: Request,
  context: RequestContext,
): Promise<ClientResponse | RequestFailedError> {
  return taskGroup(async (group) => {
    const options: FetchOptions = {
      method: request.method,
      headers: forwardedHeaders(request, context),
      body: request.body,
      // Then the client is asked for the body when the server wants it, and not before.
      expectContinue: request.headers.has("expect"),
      onInformational(status, headers) {
        const link = headers.get("link");
        if (status === 103 && link !== null)
          group.startSoon(() => context.earlyHints({ link }), { name: "early hints" });
      },
    };
    try {
      return await client.fetch(url, {
        ...options,
        ...trailersFor(request),
        ...upgradeFor(context),
      });
    } catch (error) {
      if (error instanceof RequestFailedError) return error;
      throw error;
    }
  });
}

/** What comes behind the body is sent behind the body. */
function trailersFor(request: Request): FetchOptions {
  if (!(request instanceof HttpRequest) || !request.headers.has("trailer")) return {};
  return { trailers: () => request.trailers };
}

/** WebSockets alone: behind another protocol, requests could come that this proxy does not see. */
function upgradeFor({ upgradeProtocols }: RequestContext): FetchOptions {
  const isOffered = upgradeProtocols.some((protocol) => protocol.toLowerCase() === "websocket");
  return isOffered ? { upgrade: "websocket" } : {};
}

/** The server's response as it is; if it has switched the protocol, both connections become one. */
function answer(response: ClientResponse, context: RequestContext): Response {
  if (response.status !== 101) return response;
  const { headers } = response;
  const join = async (near: ByteStream): Promise<void> => {
    using far = response.takeStream();
    await moveOnAfter(Infinity, async (scope) => {
      const copy = async (from: ByteStream, to: ByteStream): Promise<void> => {
        await copyStream(from, to, { end: true });
        scope.deadline = now() + HALF_OPEN_MS;
      };
      await gather([() => copy(near, far), () => copy(far, near)]);
    });
  };
  return context.upgrade(join, { protocol: "websocket", headers });
}

function errorFor(failure: RequestFailedError | undefined): unknown {
  if (failure === undefined) return new HttpError(502, "there is no server behind");
  const { reason, cause } = failure;
  // What came from the client, and is its fault: it was too large, or cut.
  if (reason === "request-body") return cause;
  if (reason === "timeout")
    return new HttpError(504, "the server behind took too long", { cause: failure });
  return new HttpError(502, "the server behind gave no response", { cause: failure });
}
