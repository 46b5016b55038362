import type { TlsClientOptions } from "arborio/net";
import type { ProxyCredentials } from "./route.ts";
import type { HeadersSource } from "../web/headers-source.ts";

/** A proxy, with what its URL does not tell. */
export interface ProxyOptions {
  /** `http:`, `https:`, `socks5:`, `socks5h:`, `socks4:` or `socks4a:`. The last four have port 1080 by default. */
  readonly url: string | URL;
  /** Who asks it to connect; they come before those of the URL. */
  readonly credentials?: ProxyCredentials;
  /** Fields that the proxy alone gets: with CONNECT, and with what it forwards. Not for SOCKS. */
  readonly headers?: HeadersSource;
  /** How TLS with the proxy itself is made, for `https:`. */
  readonly tls?: TlsClientOptions;
}

/** A proxy; `null`: none. */
export type ProxyLike = string | URL | ProxyOptions | null;

/** The proxy for a URL, without credentials and fragment; a WebSocket's has the scheme `ws:` or `wss:`. */
export type ProxyChoice = (url: URL) => ProxyLike;

/**
 * By which way requests go. What they have different here never shares a connection.
 *
 * @example Through the proxies of the environment, but for one server
 * ```ts
 * import { run } from "arborio";
 * import { createProxyChooser, HttpResponse, openHttpClient, openServer } from "@arborio/http";
 *
 * await run(async () => {
 *   await using server = await openServer(() => new HttpResponse("hello"), { port: 0 });
 *   // A program gives `process.env`.
 *   const proxy = createProxyChooser({ http_proxy: "http://user:password@proxy.example:3128" });
 *   await using client = openHttpClient({ proxy });
 *   console.assert((await client.request(server.url, { proxy: null })).text() === "hello");
 * });
 * ```
 */
export interface RouteOptions {
  /**
   * How TLS with the server is made. Those of a request are laid over those of the client, one by one; its own `identity` and `session` are
   * for the server that is asked: a redirect to another origin does not get them. `alpnProtocols` can only be `["http/1.1"]`, which is the
   * default, or `[]`. A body without a length is whole only if the server says goodbye (RFC 9112 §9.8), unless `requireCloseNotify` is `false`.
   */
  readonly tls?: TlsClientOptions;
  /**
   * SHA-256 digests of certificates (DER), in hexadecimal with or without colons: a server of HTTPS must have one of these certificates,
   * which is looked at after the handshake, before anything is sent. It must be trusted too; for certificates that nobody has signed,
   * say `tls: { verify: false }`. Default: any.
   */
  readonly fingerprints?: readonly string[];
  /**
   * The proxy, or what chooses one for each request and each redirect; `null`: none. An HTTP proxy gets requests of `http:` as they are, with its
   * own credentials, and is asked for a tunnel (CONNECT) for `https:` and WebSockets; what it answers to the former is the response. Credentials
   * of one proxy are never given to another, nor to a server. Default: none; the environment is not looked at (see `createProxyChooser`).
   */
  readonly proxy?: ProxyLike | ProxyChoice;
  /**
   * Path of a Unix socket, on which the servers of all URLs are found. A request's comes before the client's `proxy`, as its `proxy` does
   * before the client's `socketPath`. Default: none.
   */
  readonly socketPath?: string | null;
  /** Numeric address of this machine to connect from. Default: the system chooses. */
  readonly localHost?: string | null;
}
