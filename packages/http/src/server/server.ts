/**
 * A server: one task group with a task for each connection, one for the deadlines of all of them, and one that tells idle connections
 * of a shutdown.
 */
import { CancelScope, Cancelled, Event, now, sleep, sleepForever, soft, taskGroup } from "arborio";
import { takeWire, wallNow } from "arborio/lowlevel";
import { formatAddress, type Listener, type SocketAddress } from "arborio/net";
import type { ByteStream } from "arborio/streams";
import { BufferPool } from "../connection/buffer-pool.ts";
import { ServerConnection } from "../connection/server-connection.ts";
import type { Exchange } from "../connection/exchange.ts";
import type { ServerCore } from "../connection/server-core.ts";
import type { ServerTrace } from "../ops/server-trace.ts";
import { formatHttpDate } from "../protocol/http-date.ts";
import { HttpError } from "../web/http-error.ts";
import { HttpResponse } from "../web/http-response.ts";
import { RequestContext } from "./request-context.ts";
import type { HandlingOptions, ServerLimits, ServerTimeouts } from "./server-options.ts";
import { resolveLimits, resolveTimeouts } from "./server-options.ts";

/** What answers requests. */
export type Handler = (request: Request, context: RequestContext) => Response | Promise<Response>;

/** Longest time in milliseconds between two looks at the deadlines. */
const SWEEP_MS_MAX = 1000;
/** Shortest, whatever the deadlines are. */
const SWEEP_MS_MIN = 5;
/** A deadline is seen at most so much of its length too late. */
const SWEEPS_PER_DEADLINE = 8;

/** What handles the connections of a server, wherever they come from. */
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

  /** Serves one connection until it ends. */
  async serveStream(stream: ByteStream): Promise<void> {
    await new ServerConnection(takeWire(stream), this).run();
  }

  // Deadlines and time ---------------------------------------------------------------------------------------------------

  /** Looks at the deadlines of all connections, again and again, while there are any. */
  async sweepForever(): Promise<never> {
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
  async watchShutdown(): Promise<void> {
    try {
      await soft(() => sleepForever());
    } finally {
      this.drain();
    }
  }

  drain(): void {
    this.draining = true;
    for (const connection of this.connections) connection.drain();
  }

  // Handling -------------------------------------------------------------------------------------------------------------

  async handle(exchange: Exchange): Promise<Response> {
    const { request } = exchange;
    try {
      const response = await this.#handler(request, new RequestContext(exchange));
      if (response instanceof Response) return response;
      throw new TypeError(`handler: gave ${String(response)}, needs a Response`);
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      if (error instanceof HttpError)
        return this.refusal(error.status, error.expose ? error.message : "");
      this.#report(error, request);
      return this.refusal(500, "");
    }
  }

  refusal(status: number, message: string): Response {
    return new HttpResponse(message === "" ? `${status}` : message, { status });
  }

  report(error: unknown, exchange: Exchange): void {
    this.#report(error, exchange.request);
  }

  #report(error: unknown, request: Request): void {
    const { onError } = this.#options;
    if (onError === undefined) console.error(error);
    else onError(error, request);
  }
}

/** An HTTP server that listens. */
export class Server implements AsyncDisposable {
  readonly #core: ConnectionServer;
  readonly #listener: Listener;
  readonly #graceMs: number;
  readonly #scheme: "http" | "https";
  readonly #scope: CancelScope = new CancelScope();
  readonly #stopped: Event = new Event();

  /** @internal */
  constructor(core: ConnectionServer, listener: Listener, graceMs: number, isSecure: boolean) {
    this.#core = core;
    this.#listener = listener;
    this.#graceMs = graceMs;
    this.#scheme = isSecure ? "https" : "http";
  }

  /** Where it listens. */
  get addresses(): readonly SocketAddress[] {
    return this.#listener.addresses;
  }

  /** The port it listens on. @throws TypeError if it listens on a Unix socket. */
  get port(): number {
    return this.#listener.port;
  }

  /** A URL that reaches it from this machine. @throws TypeError if it listens on a Unix socket. */
  get url(): string {
    const [address] = this.#listener.addresses as readonly { host: string; port: number }[];
    const host = address?.host ?? "";
    const isWildcard = host === "::" || host === "0.0.0.0";
    return `${this.#scheme}://${isWildcard ? `localhost:${this.port}` : formatAddress({ host, port: this.port })}/`;
  }

  /** @internal Serves until closed. */
  async run(): Promise<void> {
    try {
      await this.#scope.run(() =>
        taskGroup(async (group) => {
          group.startSoon(() => this.#core.sweepForever(), {
            daemon: true,
            name: "http deadlines",
          });
          group.startSoon(() => this.#core.watchShutdown(), {
            daemon: true,
            name: "http shutdown",
          });
          await this.#listener.serve((stream) => this.#core.serveStream(stream), {
            maxConnections: this.#core.limits.connectionsMax,
          });
        }),
      );
    } finally {
      this.#listener.close();
      this.#stopped.set();
    }
  }

  /** Waits until the server has ended. */
  async stopped(): Promise<void> {
    await this.#stopped.wait();
  }

  /** Takes no more connections, lets the requests that go on finish for so long, cancels the rest; waits for all of that. */
  async close({ graceMs = this.#graceMs }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#scope.shutdown({ graceMs });
    await this.#stopped.wait();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
