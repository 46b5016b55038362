import type { CancelScope } from "arborio";
import type { SocketAddress } from "arborio/net";
import type { RequestClient } from "../ops/forwarded.ts";
import type { RequestHead } from "../protocol/message.ts";
import { HttpRequest, type RequestSource } from "../web/http-request.ts";
import type { IncomingBody } from "./incoming-body.ts";
import type { Upgrade } from "./run-upgrade.ts";
import type { ServerConnection } from "./server-connection.ts";

/** Of a transport that has no addresses. */
const NO_ADDRESS: SocketAddress = { path: "" };

/** One request and its response, and what its request is made of when somebody looks. */
export class Exchange implements RequestSource {
  readonly connection: ServerConnection;
  readonly head: RequestHead;
  readonly body: IncomingBody | null;
  /** What happens for this request, from its handler to the end of its response, is in this scope. */
  readonly scope: CancelScope;
  readonly request: HttpRequest;
  /** The switch of protocols that the handler wants. */
  upgrade: Upgrade | null = null;
  #client: RequestClient | null = null;

  constructor(
    connection: ServerConnection,
    head: RequestHead,
    body: IncomingBody | null,
    scope: CancelScope,
  ) {
    this.connection = connection;
    this.head = head;
    this.body = body;
    this.scope = scope;
    this.request = new HttpRequest(this);
  }

  /** Who sent it, and what to, as far as proxies are trusted. */
  get client(): RequestClient {
    const { authority, fields } = this.head;
    this.#client ??= this.connection.core.clientOf({
      peer: this.connection.peer ?? NO_ADDRESS,
      scheme: this.#ownScheme,
      host: authority === "" ? this.fallbackHost : authority,
      fields,
    });
    return this.#client;
  }

  get scheme(): "http" | "https" {
    return this.connection.core.trustsProxies ? this.client.scheme : this.#ownScheme;
  }

  get host(): string | undefined {
    return this.connection.core.trustsProxies ? this.client.host : undefined;
  }

  get #ownScheme(): "http" | "https" {
    return this.connection.wire.details.tls === undefined ? "http" : "https";
  }

  get fallbackHost(): string {
    const address = this.connection.wire.details.localAddress;
    if (address === undefined || "path" in address) return "localhost";
    const { host, port } = address;
    return host.includes(":") ? `[${host.replace(/%.*/, "")}]:${port}` : `${host}:${port}`;
  }

  signal(): AbortSignal {
    return this.scope.signal;
  }
}
