import type { ProtocolLimits } from "../protocol/limits.ts";
import type { ResponseHead } from "../protocol/message.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { ClientConnection } from "./client-connection.ts";

/** How long, in milliseconds, a connection of a client waits. `Infinity`: for ever. */
export interface ExchangeTimeouts {
  /** For the head of the response, once the request is sent. */
  readonly headMs: number;
  /** For more of the response's body. */
  readonly bodyMs: number;
  /** For the server to take more of the request. */
  readonly writeMs: number;
  /** For `100 Continue`, before the body is sent all the same (RFC 9110 §10.1.1). */
  readonly continueMs: number;
}

/** What all connections of a client share. */
export interface ClientCore {
  readonly limits: ProtocolLimits;
  readonly buffers: BufferPool;
  /** The moment that a deadline of so many milliseconds ends, for `sweep`. It looks at the clock. */
  due(ms: number): number;
  /** The connection is there: deadlines are to be looked at. */
  connectionOpened(connection: ClientConnection): void;
  /** It is gone. */
  connectionClosed(connection: ClientConnection): void;
  /** The exchange is over, and the connection may carry another one. */
  connectionIdle(connection: ClientConnection): void;
}

/** An interim response came (RFC 9110 §15.2). */
export type OnInterim = (head: ResponseHead) => void;
