import type { ServerTrace } from "../ops/server-trace.ts";
import type { ServerLimits, ServerTimeouts } from "../server/server-options.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { Exchange } from "./exchange.ts";
import type { ServerConnection } from "./server-connection.ts";

/** What all connections of a server share. The connection decides when; this decides what. */
export interface ServerCore {
  readonly limits: ServerLimits;
  readonly timeouts: ServerTimeouts;
  readonly halfClose: boolean;
  readonly trace: ServerTrace | undefined;
  readonly buffers: BufferPool;
  /** All that are open. A connection adds and removes itself. */
  readonly connections: Set<ServerConnection>;
  /** Whether a shutdown has asked: connections are closed after what they are doing. */
  readonly draining: boolean;
  /** Kernel time in milliseconds, at most one sweep old: deadlines are counted from it, so that no request reads the clock. */
  readonly coarseNow: number;
  /** The value of `Date`, at most a second old. */
  date(): string;
  /** Calls the handler. */
  handle(exchange: Exchange): Response | Promise<Response>;
  /** The response that an error becomes; one that is not the client's fault is reported. `null`: there was no request yet. */
  failed(error: unknown, exchange: Exchange | null): Response;
  /** Tells somebody of an error that is not the client's. */
  report(error: unknown, exchange: Exchange): void;
  /** A connection was added: deadlines are to be looked at. */
  connectionAdded(): void;
}
