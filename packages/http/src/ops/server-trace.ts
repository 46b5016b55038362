import type { SocketAddress, TlsInfo } from "arborio/net";
import type { FieldList, RequestHead } from "../protocol/message.ts";

/** A connection, as hooks see it. The same object in every call that is about the same connection. */
export interface TracedConnection {
  /** Who is at the other end; a proxy, if there is one in between. */
  readonly peer: SocketAddress;
  /** The end of the server. */
  readonly local: SocketAddress;
  /** Of the connection's TLS; `undefined` without. */
  readonly tls: TlsInfo | undefined;
  /** Moment of `now()` at which it was accepted. */
  readonly openedAt: number;
}

/** A request, as hooks see it. The same object in every call that is about the same request: a key for a `WeakMap` of spans. */
export interface TracedRequest {
  /** The connection that it came on. */
  readonly connection: TracedConnection;
  /** Of the connection; what a proxy says is not looked at. */
  readonly scheme: "http" | "https";
  /** What the client sent; `null` if it broke the protocol before a whole head was there. */
  readonly head: RequestHead | null;
  /** Moment of `now()` at which its head was there. */
  readonly startedAt: number;
}

/** How a request ended. */
export type RequestOutcome =
  /** The whole response was handed to the system. */
  | "sent"
  /** The client left before it had the whole response. */
  | "client-left"
  /** A deadline, a limit or the server's end cut the response short. */
  | "cut"
  /** The body of the response failed while it was being sent. */
  | "failed"
  /** The connection was given to another protocol. */
  | "upgraded";

/** What has become of a request. */
export interface TracedEnd {
  /** Whether, and why not, all of the response has been sent. */
  readonly outcome: RequestOutcome;
  /** Of the response whose head was sent; 0 if none was. */
  readonly status: number;
  /** Its fields as sent; none if none was. */
  readonly fields: FieldList;
  /** Bytes of its body that were sent, without what framing adds. */
  readonly bodyBytes: number;
  /** Moment of `now()`. */
  readonly endedAt: number;
}

/**
 * Hooks that see what a server does, for logs, metrics and tracing. Those that are absent cost nothing.
 *
 * Hooks are called synchronously and must be quick. What a hook throws, or a promise that it gives is rejected with, is reported as an error of the
 * server, and changes nothing for the request; nobody waits for such a promise. `requestStart` and `requestEnd` come in pairs, in the order of the requests of a connection; `requestError` comes between
 * them. Counterpart: aiohttp's `TraceConfig`, which its server does not have.
 *
 * @example Count the requests in flight
 * ```ts
 * import type { ServerTrace } from "@arborio/http";
 *
 * let inFlight = 0;
 * const trace: ServerTrace = {
 *   requestStart: () => void (inFlight += 1),
 *   requestEnd: () => void (inFlight -= 1),
 * };
 * console.assert(inFlight === 0 && trace.requestStart !== undefined);
 * ```
 */
export interface ServerTrace {
  /** A connection was accepted, and its handshake is done. */
  connectionOpen?(connection: TracedConnection): void;
  /** A connection has ended, whatever the reason. */
  connectionClose?(connection: TracedConnection): void;
  /** The head of a request is there, or what came instead of one was refused. */
  requestStart?(request: TracedRequest): void;
  /** The handler threw, or the body of the response failed. Not for a client that left. */
  requestError?(request: TracedRequest, error: unknown): void;
  /** The request is over: its response has been sent, or will not be. */
  requestEnd?(request: TracedRequest, end: TracedEnd): void;
}
