import type { DialOptions } from "../dial/dial-options.ts";
import type { RouteOptions } from "../dial/route-options.ts";
import type { ProtocolLimits } from "../protocol/limits.ts";
import type { BodySource } from "../web/payload.ts";
import type { RequestBodyOptions, ResponseBodyOptions } from "./body-options.ts";
import type { ClientResponse } from "./client-response.ts";
import type { ClientTrace } from "./client-trace.ts";
import type { CookieJar } from "./cookie-jar.ts";
import type { Middleware } from "./middleware.ts";
import type { HeadersSource } from "../web/headers-source.ts";

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

/** Fields of a request, as the web takes them; in a record, `null` takes a default away. */
export type RequestHeaders = HeadersSource | Readonly<Record<string, string | null>>;

/** Values that a query or a form is made of: several of one name as an array; `null` and `undefined` are left out. */
export type QueryValue = string | number | bigint | boolean | null | undefined;

/** A query: a record, pairs, or the web's. */
export type Query =
  | Readonly<Record<string, QueryValue | readonly QueryValue[]>>
  | Iterable<readonly [string, QueryValue]>
  | URLSearchParams;

/** What a request is authorized by: a user and a password (Basic, RFC 7617), or a token (Bearer, RFC 6750). */
export type Credentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string };

/**
 * Credentials, or a function that is asked for those of a URL, each time that a request is to go there: also for redirects, so it has to look at
 * the URL. It gives `null` for none.
 */
export type Auth = Credentials | ((url: string) => Credentials | null);

/** What holds for all requests of a client, or for one: those of the request come first. */
export interface RequestDefaults extends RouteOptions, ResponseBodyOptions {
  /**
   * Fields of the request. Those of a request take the place of the client's of the same name; several of one name are all sent. Fields that are the connection's
   * (`Connection`, `Transfer-Encoding`, `Content-Length`, …) are left out. A `Headers` object may be that of another request that is passed on: of
   * it `Host` and `Proxy-Authorization` are left out too.
   */
  readonly headers?: RequestHeaders;
  /**
   * Credentials for `Authorization`. Those of a client are for its `base`, or, if it has none, for all that is asked for; a redirect to another origin does
   * not get them. Fields of the request and credentials in the URL come first; `null`: none.
   */
  readonly auth?: Auth | null;
  /** What is done with a redirect: it is followed, given as it is, or an error. Default `"follow"`, for all methods. */
  readonly redirect?: "follow" | "manual" | "error";
  /** Whether a response with a status of 400 or more is thrown as a `StatusError`; or a function that says which is. Default `false`. */
  readonly raiseForStatus?: boolean | ((response: ClientResponse) => boolean);
  /**
   * What stands between `fetch` and the network, outermost first. Each request and each redirect passes all of it. A list of one request takes the place of the
   * client's: `[...client.middleware, another]` adds to it.
   */
  readonly middleware?: readonly Middleware[];
  /** How long is waited. */
  readonly timeouts?: Partial<ClientTimeouts>;
}

/** Options of `openHttpClient`. */
export interface HttpClientOptions extends RequestDefaults, DialOptions {
  /** What relative URLs are relative to (RFC 3986 §5): an absolute URL whose path ends with `/`. */
  readonly base?: string | URL;
  /** What is taken at most. */
  readonly limits?: Partial<ClientLimits>;
  /** Where cookies are kept: `true` for a new `CookieJar`. Default: they are not. */
  readonly cookies?: CookieJar | boolean;
  /** Hooks that see what the client does. */
  readonly trace?: ClientTrace;
}

/** Members of the web's `RequestInit` that mean something to browsers only: they are taken, and change nothing. */
export interface IgnoredInit {
  /** Of pages that are left. */
  readonly keepalive?: boolean;
  /** Of pages and other origins. */
  readonly mode?: Request["mode"];
  /** Among the requests of a page. */
  readonly priority?: "auto" | "high" | "low";
  /** Of a page. */
  readonly referrer?: string;
  /** Of a page. */
  readonly referrerPolicy?: Request["referrerPolicy"];
  /** Of a page. */
  readonly window?: null;
}

/** Options of one request: those of the web's `fetch`, and more. */
export interface FetchOptions extends RequestDefaults, RequestBodyOptions, IgnoredInit {
  /** Default `"GET"`. Methods are case-sensitive, but `get`, `head`, `post`, `put`, `delete` and `options` are written in upper case, as on the web. */
  readonly method?: string;
  /** Added to the query of the URL. */
  readonly query?: Query;
  /** The body: what the web takes, and Arborio's streams, async iterables and producers. */
  readonly body?: BodySource;
  /** A value to send as JSON. */
  readonly json?: unknown;
  /** A form to send: `FormData` as `multipart/form-data`, which files need; else as `application/x-www-form-urlencoded`. */
  readonly form?: Query | FormData;
  /** Cookies for this request alone, as they are. They come before those of the jar, and cross no origin. */
  readonly cookies?: Readonly<Record<string, string>>;
  /** Redirects that are followed at most. Default: the client's limit. */
  readonly redirectsMax?: number;
  /**
   * A protocol that the server is asked to switch to (RFC 9110 §7.8), such as `"websocket"`, for which there is `client.webSocket`. If it does, the
   * response is a 101, and `response.takeStream()` gives the connection.
   */
  readonly upgrade?: string;
  /** Aborts the request, and the reading of its response. */
  readonly signal?: AbortSignal | null;
  /** `"omit"`: neither the client's `auth` nor its cookies, and none are kept. Else it changes nothing. */
  readonly credentials?: Request["credentials"];
  /** `"no-store"`, `"reload"` and `"no-cache"` are told to caches on the way; `"force-cache"` and `"only-if-cached"` are refused. */
  readonly cache?: Request["cache"];
  /** Refused unless it is empty: nothing here checks it. */
  readonly integrity?: string;
  /** `"half"`. Changes nothing: both directions stream always. */
  readonly duplex?: "half" | "full";
}
