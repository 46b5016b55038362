import type { ByteStream } from "arborio/streams";
import type { DialTarget } from "./dial-target.ts";

/**
 * How a client finds servers and connects to them.
 *
 * @example A name that only this program knows
 * ```ts
 * import { run } from "arborio";
 * import { lookup } from "arborio/net";
 * import { HttpResponse, openHttpClient, openServer } from "@arborio/http";
 *
 * await run(async () => {
 *   await using server = await openServer(() => new HttpResponse("hello"), { port: 0, host: "127.0.0.1" });
 *   await using client = openHttpClient({
 *     lookup: (host) => (host === "api.test" ? ["127.0.0.1"] : lookup(host)),
 *   });
 *   console.assert((await client.request(`http://api.test:${server.port}/`)).text() === "hello");
 * });
 * ```
 */
export interface DialOptions {
  /**
   * Finds the numeric addresses of a name, instead of the system's resolver: best first. What it throws is the `cause` of a
   * `RequestFailedError`. Cancelled when nobody waits for it any more, as far as it waits for what is Arborio's: a promise of
   * others is waited for, past `connectMs` too, unless `abandonOnCancel` is around it.
   */
  readonly lookup?: (host: string) => readonly string[] | PromiseLike<readonly string[]>;
  /** Milliseconds that the addresses of a name are kept; `Infinity`: until `clearDnsCache`; 0: not at all. Default 10,000. */
  readonly dnsTtlMs?: number;
  /**
   * Is asked about each numeric address before anything connects to it, after names were looked up; what it throws forbids the connection
   * (`RequestFailedError` with the reason `"refused"`): one address that is forbidden forbids the name, since who controls the name
   * chooses which of them answers.
   *
   * It is asked about a proxy's addresses too: `target.role` tells. The name of a server behind a proxy is looked up by the proxy, so that there
   * is no address to ask about here, unless the URL itself has a numeric one, or the proxy is one of `socks5:` and `socks4:`. It is not asked
   * about Unix sockets, which only options of this program name, nor is it with `connect`, but for numeric addresses in URLs.
   * Of promises of others the same holds as for `lookup`.
   */
  readonly guardAddress?: (address: string, target: DialTarget) => void | PromiseLike<void>;
  /**
   * Makes the connection to `target` instead of the network; TLS and what is said to proxies comes on top of it. The stream is the client's
   * then. Called in the scope of who waits for it, as all of a request; of promises of others the same holds as for `lookup`, with
   * `abandonOnCancel(promise, { onLate: (stream) => stream.close() })`.
   */
  readonly connect?: (target: DialTarget) => PromiseLike<ByteStream>;
}
