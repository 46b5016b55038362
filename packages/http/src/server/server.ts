/** An HTTP server: a listener, and what handles its connections. */
import { CancelScope, Event } from "arborio";
import { formatAddress, type Listener, type SocketAddress } from "arborio/net";
import { delayShutdown } from "../ops/delay-shutdown.ts";
import type { ConnectionServer } from "./connection-server.ts";
import type { ServerOptions } from "./server-options.ts";

/** Milliseconds that `close` lets requests finish. */
const GRACE_MS = 10_000;

/** An HTTP server that listens. */
export class Server implements AsyncDisposable {
  readonly #core: ConnectionServer;
  readonly #listener: Listener;
  readonly #graceMs: number;
  readonly #drainMs: number;
  readonly #scheme: "http" | "https";
  readonly #scope: CancelScope = new CancelScope();
  readonly #stopped: Event = new Event();

  /** @internal */
  constructor(core: ConnectionServer, listener: Listener, options: ServerOptions) {
    const { graceMs = GRACE_MS, drainMs = 0, tls } = options;
    this.#core = core;
    this.#listener = listener;
    this.#graceMs = graceMs;
    this.#drainMs = drainMs;
    this.#scheme = tls === undefined ? "http" : "https";
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
      if (this.#drainMs === 0) await this.#serve();
      else await delayShutdown(this.#drainMs, () => this.#serve());
    } finally {
      this.#listener.close();
      this.#stopped.set();
    }
  }

  async #serve(): Promise<void> {
    await this.#scope.run(() =>
      this.#core.run(() =>
        this.#listener.serve((stream) => this.#core.serveStream(stream), {
          maxConnections: this.#core.limits.connectionsMax,
        }),
      ),
    );
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
