/** An HTTP server: a listener, and what handles its connections. */
import {
  Cancelled,
  CancelScope,
  Event,
  moveOnAfter,
  shielded,
  soft,
  type TaskGroup,
} from "arborio";
import { formatAddress, type Listener, type SocketAddress } from "arborio/net";
import { delayShutdown } from "../ops/delay-shutdown.ts";
import type { ConnectionServer } from "./connection-server.ts";
import { requireNumber } from "./resolve-options.ts";
import type { ServerStatistics } from "./server-statistics.ts";

/** What a server is told beside how it handles requests. */
export interface ServerSettings {
  readonly graceMs: number;
  readonly drainMs: number;
  readonly scheme: "http" | "https";
}

/** An HTTP server that listens. Made by `openServer`. */
export class Server implements AsyncDisposable {
  readonly #core: ConnectionServer;
  readonly #listener: Listener;
  readonly #settings: ServerSettings;
  readonly #scope: CancelScope = new CancelScope();
  readonly #ended: Event = new Event();
  /** Somebody has said how much grace there is. */
  #isClosing = false;

  /** @internal */
  constructor(core: ConnectionServer, listener: Listener, settings: ServerSettings) {
    this.#core = core;
    this.#listener = listener;
    this.#settings = settings;
  }

  /** Where it listens; after its end, where it did. */
  get addresses(): readonly SocketAddress[] {
    return this.#listener.addresses;
  }

  /** The port it listens on. @throws TypeError if it listens on a Unix socket. */
  get port(): number {
    return this.#listener.port;
  }

  /** A URL that reaches it from this machine. @throws TypeError if it listens on a Unix socket, which no URL names. */
  get url(): string {
    const { port } = this.#listener;
    const [address] = this.#listener.addresses;
    const host = address === undefined || "path" in address ? "" : address.host;
    const isWildcard = host === "::" || host === "0.0.0.0";
    return `${this.#settings.scheme}://${isWildcard ? `localhost:${port}` : formatAddress({ host, port })}/`;
  }

  /** A frozen snapshot. */
  statistics(): ServerStatistics {
    return this.#core.statistics();
  }

  /** @internal Closes what will never run. */
  abandon(): void {
    this.#listener.close();
    this.#ended.set();
  }

  /** @internal Serves until closed. */
  async run(): Promise<void> {
    const { drainMs } = this.#settings;
    try {
      if (drainMs === 0) await this.#serve();
      else await delayShutdown(drainMs, () => this.#serve());
    } finally {
      this.#listener.close();
      this.#ended.set();
    }
  }

  async #serve(): Promise<void> {
    const core = this.#core;
    const listener = this.#listener;
    const hooks = {
      accept: (group: TaskGroup): Promise<void> =>
        listener.serve((stream) => core.serveStream(stream), {
          group,
          maxConnections: core.limits.connectionsMax,
        }),
      stop: () => listener.close(),
      asked: () => {
        if (!this.#isClosing) this.#scope.shutdown({ graceMs: this.#settings.graceMs });
      },
    };
    await this.#scope.run(() => core.run(hooks));
  }

  /**
   * Waits until the server has ended. A shutdown of the scope around, such as the first Ctrl-C of a `run`, shuts the server down too, after
   * `drainMs`, and lets its requests finish for as long as there is grace.
   *
   * @throws Cancelled if the calling scope is cancelled; the server goes on.
   */
  async ended(): Promise<void> {
    await soft(() => this.#ended.wait());
    if (this.#ended.isSet) return;
    const { drainMs, graceMs } = this.#settings;
    if (drainMs > 0) await moveOnAfter(drainMs, () => this.#ended.wait());
    if (!this.#isClosing) this.#scope.shutdown({ graceMs });
    await this.#ended.wait();
  }

  /**
   * Shuts the server down: takes no more connections, asks idle ones to leave, lets the requests that go on finish, cancels what is left
   * after the grace, and waits for all of that. Cancelled, it waits no longer than the handlers' cleanup takes; it never throws
   * `Cancelled`. May be called again, with less grace.
   *
   * @param options `graceMs`: default that of `openServer`. 0: handlers are cancelled at once.
   * @throws TypeError, RangeError if that is no time.
   */
  async close(options: { readonly graceMs?: number } = {}): Promise<void> {
    const { graceMs = this.#settings.graceMs } = options;
    requireNumber("server.close({ graceMs })", graceMs, 0);
    this.#isClosing = true;
    this.#scope.shutdown({ graceMs });
    try {
      await this.#ended.wait();
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
      this.#scope.cancel("the server was closed");
      await shielded(() => this.#ended.wait());
    }
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
