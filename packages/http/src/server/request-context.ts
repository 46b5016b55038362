import type { SocketAddress, TlsInfo } from "arborio/net";
import type { Exchange } from "../connection/exchange.ts";
import type { FieldList } from "../protocol/message.ts";

/** What a handler learns beside the request. */
export class RequestContext {
  readonly #exchange: Exchange;

  /** @internal */
  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** The other end of the connection: a proxy, if there is one in between. `undefined` once the connection is gone. */
  get peer(): SocketAddress | undefined {
    return this.#exchange.connection.wire.details.remoteAddress;
  }

  /** The server's end of the connection. */
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
}
