/**
 * What handles the connections of a server, wherever they come from: one task for each of them, one that looks at the deadlines of
 * all, and one that tells them of a shutdown.
 */
import { Event, now, sleep, sleepForever, soft, taskGroup, type TaskGroup } from "arborio";
import { takeWire, wallNow } from "arborio/lowlevel";
import type { ByteStream } from "arborio/streams";
import { BufferPool } from "../connection/buffer-pool.ts";
import { ServerConnection } from "../connection/server-connection.ts";
import type { Exchange } from "../connection/exchange.ts";
import type { ServerCore } from "../connection/server-core.ts";
import { errorResponse, isClientError } from "../ops/error-response.ts";
import type { ServerTrace } from "../ops/server-trace.ts";
import { formatHttpDate } from "../protocol/http-date.ts";
import type { Handler } from "./handler.ts";
import { RequestContext } from "./request-context.ts";
import type { HandlingOptions, ServerLimits, ServerTimeouts } from "./server-options.ts";
import { resolveLimits, resolveTimeouts } from "./server-options.ts";

/** Longest time in milliseconds between two looks at the deadlines. */
const SWEEP_MS_MAX = 1000;
/** Shortest, whatever the deadlines are. */
const SWEEP_MS_MIN = 5;
/** A deadline is seen at most so much of its length too late. */
const SWEEPS_PER_DEADLINE = 8;

export class ConnectionServer implements ServerCore {
  readonly limits: ServerLimits;
  readonly timeouts: ServerTimeouts;
  readonly halfClose: boolean;
  readonly trace: ServerTrace | undefined;
  readonly buffers: BufferPool = new BufferPool();
  readonly connections: Set<ServerConnection> = new Set();
  draining = false;
  coarseNow: number = now();
  readonly #handler: Handler;
  readonly #options: HandlingOptions;
  readonly #sweepMs: number;
  #sweeping: Event = new Event();
  #date = "";
  #dateAt = -Infinity;

  constructor(handler: Handler, options: HandlingOptions) {
    this.#handler = handler;
    this.#options = options;
    this.limits = resolveLimits(options.limits);
    this.timeouts = resolveTimeouts(options.timeouts);
    this.halfClose = options.halfClose ?? false;
    this.trace = options.trace;
    const shortest = Math.min(...Object.values(this.timeouts));
    this.#sweepMs = Math.max(SWEEP_MS_MIN, Math.min(SWEEP_MS_MAX, shortest / SWEEPS_PER_DEADLINE));
  }

  /** Serves until `accept` has returned, and all that runs in its group has ended. */
  async run(accept: (group: TaskGroup) => Promise<void>): Promise<void> {
    await taskGroup(async (group) => {
      group.startSoon(() => this.#sweepForever(), { daemon: true, name: "http deadlines" });
      group.startSoon(() => this.#watchShutdown(), { daemon: true, name: "http shutdown" });
      await accept(group);
    });
  }

  /** Serves one connection until it ends. */
  async serveStream(stream: ByteStream): Promise<void> {
    await new ServerConnection(takeWire(stream), this).run();
  }

  // Deadlines and time ---------------------------------------------------------------------------------------------------

  /** Looks at the deadlines of all connections, again and again, while there are any. */
  async #sweepForever(): Promise<never> {
    for (;;) {
      await this.#sweeping.wait();
      await sleep(this.#sweepMs);
      this.coarseNow = now();
      for (const connection of this.connections) connection.sweep(this.coarseNow);
      if (this.connections.size === 0) this.#sweeping = new Event();
    }
  }

  connectionAdded(): void {
    // The first after a while: what was the time then is long ago.
    if (!this.#sweeping.isSet) this.coarseNow = now();
    this.#sweeping.set();
  }

  date(): string {
    if (this.coarseNow - this.#dateAt >= 1000 || this.#date === "") {
      this.#dateAt = this.coarseNow;
      this.#date = formatHttpDate(wallNow());
    }
    return this.#date;
  }

  // Shutdown -------------------------------------------------------------------------------------------------------------

  /** Waits for a shutdown, and tells the connections. */
  async #watchShutdown(): Promise<void> {
    try {
      await soft(() => sleepForever());
    } finally {
      this.draining = true;
      for (const connection of this.connections) connection.drain();
    }
  }

  // Handling -------------------------------------------------------------------------------------------------------------

  handle(exchange: Exchange): Response | Promise<Response> {
    return this.#handler(exchange.request, new RequestContext(exchange));
  }

  failed(error: unknown, exchange: Exchange | null): Response {
    const request = exchange === null ? null : exchange.request;
    if (request !== null && !isClientError(error)) this.#report(error, request);
    return errorResponse(error, request, { debug: this.#options.debug ?? false });
  }

  report(error: unknown, exchange: Exchange): void {
    this.#report(error, exchange.request);
  }

  #report(error: unknown, request: Request): void {
    const { onError = console.error } = this.#options;
    try {
      onError(error, request);
    } catch (thrown) {
      console.error("onError of an HTTP server threw", thrown, "when it was told of", error);
    }
  }
}
