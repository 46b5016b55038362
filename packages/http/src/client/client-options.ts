import type { DialOptions } from "../dial/dial-options.ts";
import type { RouteOptions } from "../dial/route-options.ts";
import type { ProtocolLimits } from "../protocol/limits.ts";
import type { BodySource } from "../web/payload.ts";
import type { Middleware } from "./middleware.ts";

/** How long a client waits, in milliseconds; `Infinity`: as long as the scope around lets it. */
export interface ClientTimeouts {
  /** For a free connection of the pool. Default `Infinity`. */
  readonly poolMs: number;
  /** For a new connection: look-up, TCP, proxies and TLS. Default 30,000. */
  readonly connectMs: number;
  /** For the head of the response, once the request is sent. Default 60,000. */
  readonly headMs: number;
  /** For more of the response's body, while somebody waits for it. Default 60,000. */
  readonly bodyMs: number;
  /** For the server to take more of the request. Default 60,000. */
  readonly writeMs: number;
  /** For `100 Continue` (RFC 9110 §10.1.1); then the body is sent without. Default 1,000. */
  readonly continueMs: number;
  /** That a connection is kept without use; less, if the server says that it keeps it for less. Default 15,000. */
  readonly idleMs: number;
}

/** What a client takes at most. Those of the protocol too. */
export interface ClientLimits extends ProtocolLimits {
  /** Connections, all together. Default 100. */
  readonly connectionsMax: number;
  /** Connections to one origin. Default 100. */
  readonly originConnectionsMax: number;
  /** Redirects that are followed for one request. Default 10. */
  readonly redirectsMax: number;
}

/** What holds for all requests of a client, or for one: those of the request come first. */
export interface RequestDefaults extends RouteOptions {
  /** Fields of the request. */
  readonly headers?: HeadersInit;
  /** How long is waited. */
  readonly timeouts?: Partial<ClientTimeouts>;
}

/** Options of `openHttpClient`. */
export interface HttpClientOptions extends RequestDefaults, DialOptions {
  /** What relative URLs are relative to. */
  readonly base?: string | URL;
  /** What is taken at most. */
  readonly limits?: Partial<ClientLimits>;
  /** What stands between `fetch` and the network, outermost first. Each request and each redirect passes all of it. */
  readonly middleware?: readonly Middleware[];
}

/** Options of one request: those of the web's `fetch` that mean something here, and more. */
export interface FetchOptions extends RequestDefaults {
  /** Default `"GET"`. Methods are case-sensitive; those of the web are written in upper case. */
  readonly method?: string;
  /** The body: what the web takes, and Arborio's streams, async iterables and producers. */
  readonly body?: BodySource;
  /** A value to send as JSON. */
  readonly json?: unknown;
  /**
   * A protocol that the server is asked to switch to (RFC 9110 §7.8), such as `"websocket"`, for which there is `client.webSocket`. If it does, the
   * response is a 101, and `response.takeStream()` gives the connection.
   */
  readonly upgrade?: string;
  /** Aborts the request, and the reading of its response. */
  readonly signal?: AbortSignal | null;
}
