import type { TaskGroup } from "arborio";
import type { Listener, TlsServerOptions } from "arborio/net";
import type { ProtocolLimits } from "../protocol/limits.ts";
import type { TrustProxies } from "../ops/forwarded.ts";
import type { ServerTrace } from "../ops/server-trace.ts";

/** How long a server waits for what, in milliseconds. `Infinity`: for ever. */
export interface ServerTimeouts {
  /** For a whole head, from its first byte on, and from the connection's beginning for the first. Default 10,000. More is 408, or, if nothing came, the connection ends. */
  readonly headMs: number;
  /** For the next 1,024 bytes of a body that somebody waits for. Default 30,000. More is 408. */
  readonly bodyMs: number;
  /** For the next request on a connection that has had one. Default 75,000: longer than what load balancers keep idle. */
  readonly idleMs: number;
  /** For the client to take 65,536 bytes of what is sent. Default 30,000. Then the connection is reset. */
  readonly writeMs: number;
  /** For a handler to give its response. Default `Infinity`. More is 503. */
  readonly handlerMs: number;
}

/** How much a server takes, beside the limits of the protocol. */
export interface ServerLimits extends ProtocolLimits {
  /** Bytes of the body of a request, unless its handler sets another limit. Default 1,048,576. More is 413. */
  readonly bodyBytesMax: number;
  /** Bytes of a body that nobody read that are read and dropped, so that the connection can be used again. Default 65,536. */
  readonly drainBytesMax: number;
  /** Connections at a time; further ones wait in the system. Default 16,384. */
  readonly connectionsMax: number;
  /** Requests on one connection, which is closed then. Default `Infinity`. */
  readonly requestsMax: number;
}

/** What every server can be told, wherever its connections come from. */
export interface HandlingOptions {
  /** Limits of what is taken; those not given are the defaults. */
  readonly limits?: Partial<ServerLimits>;
  /** Limits of what is waited for; those not given are the defaults. */
  readonly timeouts?: Partial<ServerTimeouts>;
  /**
   * Whether a client that has ended its sending half still gets its responses. Default `false`: it counts as gone, since a client that goes
   * away looks the same. Its handler is cancelled, and what it has sent before, and was not begun, is not handled.
   */
  readonly halfClose?: boolean;
  /** From whom `Forwarded` and `X-Forwarded-…` are believed. Default: nobody. */
  readonly trustProxies?: TrustProxies;
  /** Sends the messages of errors that are no `HttpError`, with their stacks, to the client. For development. Default `false`. */
  readonly debug?: boolean;
  /**
   * Gets what handlers and bodies of responses throw, but for `HttpError`s below 500, with the request; and what hooks of `trace` throw,
   * with `null` if that is not about a request. Default: `console.error`, with method and target, and no field. What it throws itself goes there too, also
   * if it is async; nobody waits for it.
   */
  readonly onError?: (error: unknown, request: Request | null) => void;
  /** Hooks that see connections and requests. */
  readonly trace?: ServerTrace;
}

/** Options of `openServer` and `serve`. */
export interface ServerOptions extends HandlingOptions {
  /** TCP port; 0 lets the system choose. Default 8000. */
  readonly port?: number;
  /** Address to listen on. Default: all addresses of both families. */
  readonly host?: string;
  /** Path of a Unix socket, instead of a port. */
  readonly path?: string;
  /** A listener of your own, instead of either; the server owns it, and `listenTcp` and `listenUnix` have made it with all options they have. */
  readonly listener?: Listener;
  /** Certificates: makes it an HTTPS server. */
  readonly tls?: TlsServerOptions;
  /** Several processes may listen on the same port, and share its connections. Default `false`. */
  readonly reusePort?: boolean;
  /** Connections that the system keeps waiting. Default 511. */
  readonly backlog?: number;
  /** Where connections are handled. Default: beside `main`, until the server is closed or `main` ends. */
  readonly group?: TaskGroup;
  /** Milliseconds that `close`, or a shutdown of what is around, lets requests finish. Default 10,000; of `serve`, what is around decides. */
  readonly graceMs?: number;
  /**
   * Milliseconds for which the server goes on as before when a shutdown asks what is around it, so that a load balancer sees that it is
   * not ready any more (`createHealthChecks`) before connections are refused. The grace of that shutdown has to be longer. `close`
   * does not wait for it. Default 0.
   */
  readonly drainMs?: number;
}
