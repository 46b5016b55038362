import type { CancelScope } from "arborio";
import type { SocketAddress } from "arborio/net";
import type { RequestHead } from "../protocol/message.ts";
import { HttpRequest, type RequestSource } from "../web/http-request.ts";
import type { RequestBody } from "../web/request-body.ts";
import type { ServerConnection } from "./server-connection.ts";

/** One request and its response, and what its request is made of when somebody looks. */
export class Exchange implements RequestSource {
  readonly connection: ServerConnection;
  readonly head: RequestHead;
  readonly body: RequestBody | null;
  /** What happens for this request, from its handler to the end of its response, is in this scope. */
  readonly scope: CancelScope;
  readonly request: HttpRequest;

  constructor(
    connection: ServerConnection,
    head: RequestHead,
    body: RequestBody | null,
    scope: CancelScope,
  ) {
    this.connection = connection;
    this.head = head;
    this.body = body;
    this.scope = scope;
    this.request = new HttpRequest(this);
  }

  get scheme(): "http" | "https" {
    return this.connection.wire.details.tls === undefined ? "http" : "https";
  }

  get fallbackHost(): string {
    return authorityOf(this.connection.wire.details.localAddress);
  }

  signal(): AbortSignal {
    return this.scope.signal;
  }
}

/** The authority of a URL for an address; Unix sockets have none. */
function authorityOf(address: SocketAddress | undefined): string {
  if (address === undefined || "path" in address) return "localhost";
  const { host, port } = address;
  return host.includes(":") ? `[${host.replace(/%.*/, "")}]:${port}` : `${host}:${port}`;
}
