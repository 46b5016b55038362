import type { ClientOf } from "../ops/forwarded.ts";
import type { ServerTrace } from "../ops/server-trace.ts";
import type { ServerLimits, ServerTimeouts } from "../server/server-options.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { Exchange } from "./exchange.ts";
import type { LateFlusher } from "./late-flusher.ts";
import type { ServerConnection } from "./server-connection.ts";

/** What all connections of a server share. The connection decides when; this decides what. */
export interface ServerCore {
  readonly limits: ServerLimits;
  readonly timeouts: ServerTimeouts;
  readonly halfClose: boolean;
  readonly trace: ServerTrace | undefined;
  readonly buffers: BufferPool;
  readonly lateFlusher: LateFlusher;
  /** Whether a shutdown has asked: connections are closed after what they are doing. */
  readonly draining: boolean;
  /**
   * The moment that a deadline of so many milliseconds ends, for `sweep`. It looks at the clock: who begins to wait after a computation of
   * seconds is not to lose these.
   */
  due(ms: number): number;
  /** The value of `Date`, at most a second old. */
  date(): string;
  /** Calls the handler. */
  handle(exchange: Exchange): Response | Promise<Response>;
  /** The response that an error becomes. `mayReport`: it is reported, if it is not the client's fault. */
  failed(error: unknown, exchange: Exchange | null, mayReport: boolean): Response;
  /** Tells somebody of an error that is not the client's. */
  report(error: unknown, exchange: Exchange | null): void;
  /** Tells who sent a request, through the proxies that are trusted. */
  readonly clientOf: ClientOf;
  /** Whether there are any. */
  readonly trustsProxies: boolean;
  /** Requests whose responses are over. */
  requestsHandled: number;
  /** A connection was opened: deadlines are to be looked at. */
  connectionOpened(connection: ServerConnection): void;
  connectionClosed(connection: ServerConnection): void;
}
