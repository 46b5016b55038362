import { InvalidStateError } from "arborio";
import type { SocketAddress, TlsInfo } from "arborio/net";
import type { Exchange } from "../connection/exchange.ts";
import type { Continuation } from "../connection/run-upgrade.ts";
import type { RequestClient } from "../ops/forwarded.ts";
import type { FieldList } from "../protocol/message.ts";
import { responseHead } from "../protocol/serialize.ts";
import { fieldsFrom } from "../web/fields-from.ts";
import { HttpResponse } from "../web/http-response.ts";
import type { HeadersSource } from "../web/headers-source.ts";

/** Options of `context.upgrade`. */
export interface UpgradeOptions {
  /** One of those that the client offers, as `Upgrade` will say it. Default: the first. Not for tunnels. */
  readonly protocol?: string;
  /** Fields of the response. */
  readonly headers?: HeadersSource;
}

/** What a handler learns, and can do, beside the request and its response. */
export class RequestContext {
  readonly #exchange: Exchange;

  /** @internal */
  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** The other end of the connection: a proxy, if there is one in between. `undefined` if the transport has no addresses. */
  get peer(): SocketAddress | undefined {
    return this.#exchange.connection.peer;
  }

  /** The server's end of the connection; `undefined` once the connection is gone, or if the transport has no addresses. */
  get local(): SocketAddress | undefined {
    return this.#exchange.connection.wire.details.localAddress;
  }

  /** What TLS agreed upon; `undefined` without TLS. */
  get tls(): TlsInfo | undefined {
    return this.#exchange.connection.wire.details.tls;
  }

  /** The field lines as they came, names and values in turn. */
  get rawFields(): FieldList {
    return this.#exchange.head.fields;
  }

  /** Who sent the request, and what to, as the proxies say that the server trusts (`trustProxies`); `request.url` is made of it. */
  get client(): RequestClient {
    return this.#exchange.client;
  }

  /**
   * Tells the client before the response what it will need, usually by `Link` (103, RFC 8297). Clients of HTTP/1.0 are told nothing. May
   * be called more than once.
   *
   * @throws TypeError if a field cannot be sent.
   * @throws InvalidStateError if the response is on its way.
   *
   * @example
   * ```ts
   * import { run } from "arborio";
   * import { HttpResponse } from "@arborio/http";
   * import { testClient } from "@arborio/http/testing";
   *
   * await run(async () => {
   *   await using client = testClient(async (_request, context) => {
   *     await context.earlyHints({ link: "</style.css>; rel=preload; as=style" });
   *     return new HttpResponse("page");
   *   });
   *   console.assert((await client.fetch("/")).status === 200);
   * });
   * ```
   */
  async earlyHints(headers: HeadersSource): Promise<void> {
    const { connection, head } = this.#exchange;
    const text = responseHead("1.1", 103, "Early Hints", fieldsFrom("earlyHints", headers));
    if (connection.isAnswered || !(head.version === "1.0" || (await connection.sendInterim(text))))
      throw new InvalidStateError(
        "context.earlyHints: the response is on its way; call it before the handler returns",
      );
  }

  /**
   * What the client would rather speak from here on (RFC 9110 §7.8): `["websocket"]`. Empty if it offers nothing, or sends a body: then
   * the request is like any other.
   */
  get upgradeProtocols(): readonly string[] {
    const { head, body } = this.#exchange;
    if (head.upgrade === "" || body !== null) return [];
    return head.upgrade
      .split(",")
      .map((protocol) => protocol.trim())
      .filter((protocol) => protocol !== "");
  }

  /**
   * Switches to another protocol, as the client offers by `Upgrade`, or opens the tunnel that it wants by `CONNECT`: gives the response
   * (101, or 200) for the handler to return, and when that was sent, calls `continuation` with the rest of the connection, inside the
   * request's scope. What came behind the request is received first. When `continuation` ends, the connection is closed; if it
   * throws, as one that breaks, and the error is reported. A shutdown of the server asks it (`currentScope().shuttingDown`), and
   * cancels it after the grace. That the client has gone it learns from the stream.
   *
   * A handler that does not return that response, or none like it, has declined.
   *
   * @throws InvalidStateError if the client wants nothing like that.
   * @throws TypeError if a field cannot be sent.
   *
   * @example Echo, once the client has asked for it
   * ```ts
   * import { run } from "arborio";
   * import { HttpResponse } from "@arborio/http";
   * import { testClient } from "@arborio/http/testing";
   *
   * await run(async () => {
   *   await using client = testClient((_request, context) => {
   *     if (!context.upgradeProtocols.includes("echo")) return new HttpResponse("plain");
   *     return context.upgrade(async (stream) => {
   *       for await (const bytes of stream) await stream.send(bytes);
   *     });
   *   });
   *   using stream = client.connect();
   *   const head = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
   *   await stream.send(new TextEncoder().encode(head));
   *   console.assert(new TextDecoder().decode(await stream.receive()).startsWith("HTTP/1.1 101"));
   * });
   * ```
   */
  upgrade(continuation: Continuation, options: UpgradeOptions = {}): Response {
    const exchange = this.#exchange;
    if (typeof continuation !== "function") {
      throw new TypeError(
        `context.upgrade: got ${typeof continuation}, needs a function that takes the stream`,
      );
    }
    const headers = fieldsFrom("context.upgrade({ headers })", options.headers ?? {});
    const pairs: [string, string][] = [];
    for (let index = 0; index < headers.length; index += 2)
      pairs.push([headers[index] as string, headers[index + 1] as string]);
    const isTunnel = exchange.head.method === "CONNECT";
    const protocol = isTunnel ? "" : this.#protocolOf(options.protocol);
    const status = isTunnel ? 200 : 101;
    exchange.upgrade = { status, protocol, continuation };
    return new HttpResponse(null, { status, headers: pairs });
  }

  #protocolOf(wanted: string | undefined): string {
    const offered = this.upgradeProtocols;
    const protocol =
      wanted === undefined
        ? offered[0]
        : offered.find((one) => one.toLowerCase() === wanted.toLowerCase());
    if (protocol !== undefined) return protocol;
    throw new InvalidStateError(
      `context.upgrade: got ${wanted === undefined ? "a request" : JSON.stringify(wanted)}, needs a protocol that the client offers: ${offered.join(", ") || "it offers none"}; see context.upgradeProtocols`,
    );
  }
}
