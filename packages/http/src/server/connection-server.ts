/**
 * What handles the connections of a server, wherever they come from: one task for each of them, one that looks at the deadlines of
 * all, and one that tells them of a shutdown.
 */
import {
  BrokenResourceError,
  Event,
  now,
  shielded,
  sleep,
  sleepForever,
  soft,
  taskGroup,
  type TaskGroup,
} from "arborio";
import { takeWire, wallNow, type Wire } from "arborio/lowlevel";
import type { ByteStream } from "arborio/streams";
import { BufferPool } from "../connection/buffer-pool.ts";
import { ServerConnection } from "../connection/server-connection.ts";
import type { Exchange } from "../connection/exchange.ts";
import { LateFlusher } from "../connection/late-flusher.ts";
import type { ServerCore } from "../connection/server-core.ts";
import { errorResponse, isClientError } from "../ops/error-response.ts";
import { type ClientOf, createClientOf } from "../ops/forwarded.ts";
import type { ServerTrace } from "../ops/server-trace.ts";
import { formatHttpDate } from "../protocol/http-date.ts";
import type { Handler } from "./handler.ts";
import { RequestContext } from "./request-context.ts";
import type { HandlingOptions, ServerLimits, ServerTimeouts } from "./server-options.ts";
import { resolveHandling } from "./resolve-options.ts";
import type { ServerStatistics } from "./server-statistics.ts";

/** Longest time in milliseconds between two looks at the deadlines. */
const SWEEP_MS_MAX = 1000;
/** Shortest, whatever the deadlines are. */
const SWEEP_MS_MIN = 5;
/** A deadline is seen too late by one sweep at most: by a sixteenth of the shortest one, within these bounds. By two if the process was held up. */
const SWEEPS_PER_DEADLINE = 16;

/** After a shutdown has asked, connections are accepted for so long, in milliseconds, that the system had accepted before. */
const ACCEPT_MS = 20;
/**
 * After a shutdown has asked, idle connections may bring another request for so long, in milliseconds: one may be on its way. Those whose
 * handshakes end later, up to twice as long from then on.
 */
const LEAVE_MS = 500;

/** Where a server's connections come from. */
export interface ServingHooks {
  /** Starts a task in `group` for each connection, until `stop` was called. */
  accept(group: TaskGroup): Promise<void>;
  /** No more connections are to be accepted: a shutdown has asked, or all of this is cancelled. May be called more than once. */
  stop(): void;
  /** A shutdown has asked. */
  asked?(): void;
}

export class ConnectionServer implements ServerCore {
  readonly limits: ServerLimits;
  readonly timeouts: ServerTimeouts;
  readonly halfClose: boolean;
  readonly trace: ServerTrace | undefined;
  readonly clientOf: ClientOf;
  readonly trustsProxies: boolean;
  readonly buffers: BufferPool = new BufferPool();
  readonly lateFlusher: LateFlusher = new LateFlusher();
  draining = false;
  requestsHandled = 0;
  readonly #connections: Set<ServerConnection> = new Set();
  readonly #handler: Handler;
  readonly #onError: (error: unknown, request: Request | null) => void;
  readonly #debug: boolean;
  readonly #sweepMs: number;
  #sweeping: Event = new Event();
  /** Of the last sweep, or later. */
  #coarseNow: number = now();
  #date = "";
  #dateAt = -Infinity;
  /** Of connections that are closed. */
  #bytesReceived = 0;
  #bytesSent = 0;

  /** `where` was given the options. @throws TypeError, RangeError for wrong ones. */
  constructor(where: string, handler: Handler, options: HandlingOptions) {
    const handling = resolveHandling(where, handler, options);
    this.#handler = handler;
    this.limits = handling.limits;
    this.timeouts = handling.timeouts;
    this.halfClose = handling.halfClose;
    this.trace = handling.trace;
    this.clientOf = createClientOf(handling.trustProxies);
    this.trustsProxies = handling.trustProxies !== 0;
    this.#onError = handling.onError;
    this.#debug = handling.debug;
    const shortest = Math.min(...Object.values(this.timeouts));
    this.#sweepMs = Math.max(SWEEP_MS_MIN, Math.min(SWEEP_MS_MAX, shortest / SWEEPS_PER_DEADLINE));
  }

  /** Serves until `accept` has returned, and all that runs in its group has ended. A shutdown asks idle connections to leave. */
  async run(hooks: ServingHooks): Promise<void> {
    await taskGroup(async (group) => {
      group.startSoon(() => this.#sweepForever(), { daemon: true, name: "http deadlines" });
      group.startSoon(() => this.lateFlusher.run(), { daemon: true, name: "http late writes" });
      group.startSoon(() => this.#watchShutdown(hooks, group), {
        daemon: true,
        name: "http shutdown",
      });
      // A shutdown is not to end the accepting at once: the system has accepted what it has not told of yet.
      await shielded(() => hooks.accept(group));
      // Also if somebody else has closed where connections came from.
      if (!this.draining) this.#drain(group);
    });
  }

  /** Serves one connection until it ends. */
  async serveStream(stream: ByteStream): Promise<void> {
    let wire: Wire;
    try {
      wire = takeWire(stream);
    } catch (error) {
      // It came and has gone.
      if (error instanceof BrokenResourceError) return;
      throw error;
    }
    await new ServerConnection(wire, this).run();
  }

  statistics(): ServerStatistics {
    let connectionsActive = 0;
    let bytesReceived = this.#bytesReceived;
    let bytesSent = this.#bytesSent;
    for (const { isActive, inlet, outlet } of this.#connections) {
      if (isActive) connectionsActive += 1;
      bytesReceived += inlet.bytesReceived;
      bytesSent += outlet.bytesWritten;
    }
    const connectionsOpen = this.#connections.size;
    return Object.freeze({
      connectionsOpen,
      connectionsActive,
      connectionsIdle: connectionsOpen - connectionsActive,
      requestsHandled: this.requestsHandled,
      bytesReceived,
      bytesSent,
    });
  }

  // Deadlines and time ---------------------------------------------------------------------------------------------------

  /** Looks at the deadlines of all connections, again and again, while there are any. */
  async #sweepForever(): Promise<never> {
    for (let wasHeldUp = false; ;) {
      await this.#sweeping.wait();
      const before = this.#coarseNow;
      await sleep(this.#sweepMs);
      this.#coarseNow = now();
      // If this process was held up, so was what the clients have sent: it has to be read before anybody is called late.
      // Once: where that is the rule, deadlines hold all the same.
      wasHeldUp = !wasHeldUp && this.#coarseNow - before > 2 * this.#sweepMs;
      if (!wasHeldUp) for (const connection of this.#connections) connection.sweep(this.#coarseNow);
      if (this.#connections.size === 0) this.#sweeping = new Event();
    }
  }

  connectionOpened(connection: ServerConnection): void {
    this.#connections.add(connection);
    // The first after a while: what was the time then is long ago.
    if (!this.#sweeping.isSet) this.#coarseNow = now();
    this.#sweeping.set();
  }

  connectionClosed(connection: ServerConnection): void {
    this.#connections.delete(connection);
    this.#bytesReceived += connection.inlet.bytesReceived;
    this.#bytesSent += connection.outlet.bytesWritten;
  }

  due(ms: number): number {
    return now() + ms;
  }

  date(): string {
    if (this.#coarseNow - this.#dateAt >= 1000 || this.#date === "") {
      this.#dateAt = this.#coarseNow;
      this.#date = formatHttpDate(wallNow());
    }
    return this.#date;
  }

  // Shutdown -------------------------------------------------------------------------------------------------------------

  /**
   * Ends the accepting first: who is told that the connection ends, while there is still somebody who listens, comes back, and is lost
   * with the connections that wait in the system when the listener is closed.
   */
  async #watchShutdown(hooks: ServingHooks, group: TaskGroup): Promise<void> {
    try {
      await soft(() => sleepForever());
      hooks.asked?.();
      await sleep(ACCEPT_MS);
      hooks.stop();
      if (!this.draining) this.#drain(group);
    } finally {
      hooks.stop();
    }
  }

  #drain(group: TaskGroup): void {
    this.draining = true;
    for (const connection of this.#connections) connection.drain();
    group.startSoon(() => this.#askToLeave(), { daemon: true, name: "http leaving" });
  }

  /** Also those that still come, when their handshakes are done. */
  async #askToLeave(): Promise<never> {
    for (;;) {
      const asked = [...this.#connections];
      await sleep(LEAVE_MS);
      for (const connection of asked) connection.leave();
    }
  }

  // Handling -------------------------------------------------------------------------------------------------------------

  handle(exchange: Exchange): Response | Promise<Response> {
    return this.#handler(exchange.request, new RequestContext(exchange));
  }

  failed(error: unknown, exchange: Exchange | null, mayReport: boolean): Response {
    if (mayReport && !isClientError(error)) this.report(error, exchange);
    return errorResponse(error, exchange?.request ?? null, { debug: this.#debug });
  }

  report(error: unknown, exchange: Exchange | null): void {
    const failed = (thrown: unknown): void =>
      console.error("onError of an HTTP server threw", thrown, "when it was told of", error);
    try {
      const result: unknown = this.#onError(error, exchange?.request ?? null);
      // Nobody waits for it, but its error is not to end the process.
      if (result instanceof Promise) result.catch(failed);
    } catch (thrown) {
      failed(thrown);
    }
  }
}
