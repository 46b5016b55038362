import { ambientScope } from "../core/ambient.ts";
import { BusyResourceError, ClosedResourceError } from "../core/errors.ts";
import type { CancelScope } from "../core/scope.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import type { ListenerHandle } from "../platform/network.ts";
import type { IpAddress, SocketAddress, Wire } from "../platform/wire.ts";
import { type ConnectionHandler, type ServeOptions, Service } from "./serve.ts";
import type { SocketStream } from "./socket-stream.ts";

/** What `Listener.statistics()` tells. */
export interface ListenerStatistics {
  /** Tasks that wait in `accept`, 0 or 1. */
  readonly tasksWaitingAccept: number;
  /** Connections that came and that nobody has accepted yet. */
  readonly connectionsWaiting: number;
  /** Connections whose handlers, of the last `serve`, have not ended. */
  readonly connectionsHandled: number;
  /** Connections that were reset since too many were waiting. */
  readonly connectionsRefused: number;
  /** Connections whose handlers failed, of the last `serve`, only because the connection broke or its handshake failed. */
  readonly connectionsBroken: number;
}

/** So many errors of accepting are kept until somebody accepts or serves; further ones say the same. */
const ERRORS_MAX = 16;

const ACCEPT: WaitKind = {
  name: "listener.accept",
  abort(waiter) {
    (waiter.resource as Listener).forgetAccepter();
  },
};

/**
 * Something that listens for connections, on one address or several. Made by `listenTcp`, `listenUnix` and `listenDescriptor`.
 * Counterpart: `anyio.abc.SocketListener`, `trio.SocketListener`.
 *
 * @example Serve until asked to stop, then finish what goes on
 * ```ts
 * import { CancelScope, run } from "arborio";
 * import { connectTcp, listenTcp } from "arborio/net";
 *
 * await run(async (group) => {
 *   using listener = await listenTcp(0, { host: "127.0.0.1" });
 *   const server = new CancelScope();
 *   group.startSoon(() =>
 *     server.run(() =>
 *       listener.serve(async (stream) => {
 *         for await (const chunk of stream) await stream.send(chunk);
 *       }),
 *     ),
 *   );
 *   using stream = await connectTcp("127.0.0.1", listener.port);
 *   await stream.send(new Uint8Array([1]));
 *   server.shutdown({ graceMs: 1000 });
 *   console.assert((await stream.receive())[0] === 1);
 * });
 * ```
 */
export class Listener implements Disposable, AsyncDisposable, AsyncIterable<SocketStream> {
  readonly #handles: ListenerHandle[] = [];
  readonly #addresses: SocketAddress[] = [];
  readonly #toStream: (wire: Wire) => SocketStream;
  /** Connections that nobody has accepted; the system's own queue cannot be made to wait on every runtime. */
  readonly #waiting: Wire[] = [];
  readonly #waitingMax: number;
  #accepter: Waiter<SocketStream> | null = null;
  /** While its loop runs, all connections and errors of accepting are its. */
  #serving: Service | null = null;
  #lastService: Service | null = null;
  #errors: Error[] = [];
  #refused = 0;
  #closed = false;

  /** @internal */
  constructor(waitingMax: number, toStream: (wire: Wire) => SocketStream) {
    this.#waitingMax = waitingMax;
    this.#toStream = toStream;
  }

  /** Where it listens; after `close`, where it did. */
  get addresses(): readonly SocketAddress[] {
    return this.#addresses;
  }

  /** The port that all its addresses share. @throws TypeError if it listens on a Unix socket. */
  get port(): number {
    const [address] = this.#addresses;
    const { port } = (address ?? {}) as Partial<IpAddress>;
    if (port === undefined)
      throw new TypeError("Listener.port: this one listens on a Unix socket; see addresses");
    return port;
  }

  /**
   * Waits for a connection. Cancelled, it lost none. With TLS the handshake is still to come: it is done by the first operation of
   * the stream, or `stream.handshake()`, so that a slow client does not hold up the others.
   *
   * @throws ClosedResourceError if the listener is closed, also while waiting.
   * @throws BusyResourceError if another task accepts or serves at the moment.
   * @throws SystemError if the system could not accept, for example for want of descriptors; the listener stays open.
   */
  accept(): Promise<SocketStream> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal("accept");
    return refusal === null ? this.#next(scope) : scope.kernel.rejected(refusal);
  }

  /** Accepts one connection after the other, until the listener is closed. Leaving the loop closes nothing. Errors as `accept`. */
  [Symbol.asyncIterator](): AsyncIterator<SocketStream, undefined, undefined> {
    return {
      next: async () => {
        try {
          return { done: false, value: await this.accept() };
        } catch (error) {
          if (this.#closed && error instanceof ClosedResourceError)
            return { done: true, value: undefined };
          throw error;
        }
      },
    };
  }

  /**
   * Accepts connections until the listener is closed, and runs `handler` for each, in a task of its own; with TLS, after its handshake.
   * The stream is closed when its handler ends. What a handler throws goes to `onError`, and ends neither the listener nor other
   * handlers.
   *
   * A shutdown of the scope around it ends the accepting at once and closes the listener; handlers go on until the grace is over, also
   * those of connections that had come by then (those beyond `maxConnections` are reset). TLS handshakes that go on when the listener is
   * closed are given up after a second.
   * Cancelled, it has ended its own handlers, and leaves the listener open, with the connections that nobody has accepted.
   *
   * @param handler gets the stream; it need not close it.
   * @returns when the listener is closed and, without `group`, all handlers have ended.
   * @throws BusyResourceError if another task accepts or serves at the moment.
   * @throws GroupClosedError if the group given has ended when a connection comes; that connection is closed.
   * @throws ExceptionGroup with what `onError` throws; bare, with `group`, if that was about accepting and it is
   *   not cancelled at the same time.
   * @throws TypeError, RangeError for wrong arguments.
   *
   * Counterpart: `anyio.abc.Listener.serve`, `trio.serve_listeners`; in both, one handler's error ends the whole server.
   */
  async serve(handler: ConnectionHandler, options: ServeOptions = {}): Promise<void> {
    const service = new Service(handler, options);
    const refusal = ambientScope().refuse() ?? (this.#closed ? null : this.#refusal("serve"));
    if (refusal !== null) throw refusal;
    if (this.#closed) return;
    this.#serving = service;
    this.#lastService = service;
    for (const error of this.#errors.splice(0)) service.acceptFailed(error);
    await service.run({
      next: () => this.#next(ambientScope()),
      nextNowait: () => {
        const wire = this.#waiting.shift();
        return wire === undefined ? null : this.#open(wire);
      },
      close: () => this.close(),
      ended: () => {
        this.#serving = null;
      },
    });
  }

  #refusal(operation: string): Error | null {
    if (this.#closed)
      return new ClosedResourceError(`Listener.${operation}: this listener is closed`);
    if (this.#accepter === null && this.#serving === null) return null;
    return new BusyResourceError(
      `Listener.${operation}: another task accepts on this listener at the moment; let one task accept and start tasks`,
    );
  }

  #next(scope: CancelScope): Promise<SocketStream> {
    const refusal = scope.refuse() ?? this.#errors.shift() ?? null;
    if (refusal !== null) return scope.kernel.rejected(refusal);
    const wire = this.#waiting.shift();
    if (wire !== undefined) {
      try {
        return scope.kernel.ready(this.#open(wire));
      } catch (error) {
        return scope.kernel.rejected(error);
      }
    }
    const waiter = new Waiter<SocketStream>(scope, ACCEPT, this, undefined);
    this.#accepter = waiter;
    return waiter.promise;
  }

  #open(wire: Wire): SocketStream {
    try {
      return this.#toStream(wire);
    } catch (error) {
      wire.close(true);
      throw error;
    }
  }

  /**
   * Accepts no more. A task that waits in `accept` gets `ClosedResourceError`, and `serve` ends; connections that nobody has accepted
   * are reset; those accepted live on. Synchronous; works from any context; a second call does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const handle of this.#handles) handle.close();
    for (const wire of this.#waiting.splice(0)) wire.close(true);
    // Before the accepter: it is the loop's, and ends without an error.
    this.#serving?.stop();
    const accepter = this.#accepter;
    this.#accepter = null;
    accepter?.fail(new ClosedResourceError("Listener.accept: this listener was closed"));
  }

  /** `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** A frozen snapshot. */
  statistics(): ListenerStatistics {
    return Object.freeze({
      tasksWaitingAccept: this.#accepter === null ? 0 : 1,
      connectionsWaiting: this.#waiting.length,
      connectionsHandled: this.#lastService?.handled ?? 0,
      connectionsRefused: this.#refused,
      connectionsBroken: this.#lastService?.broken ?? 0,
    });
  }

  // What the backend tells -----------------------------------------------------------------------------------------------

  // It is the `Acceptor` of its sockets; users need not know of the contract.

  /** @internal Adds a socket whose connections come to this listener. */
  add(handle: ListenerHandle): void {
    this.#handles.push(handle);
    // Asked now: the system knows them only while it listens.
    this.#addresses.push(handle.address);
  }

  /** @internal */
  accepted(wire: Wire): void {
    const accepter = this.#accepter;
    if (this.#closed || (accepter === null && this.#waiting.length >= this.#waitingMax)) {
      this.#refused += 1;
      wire.close(true);
      return;
    }
    if (accepter === null) {
      this.#waiting.push(wire);
      return;
    }
    this.#accepter = null;
    try {
      accepter.wake(this.#open(wire));
    } catch (error) {
      accepter.fail(error);
    }
  }

  /** @internal Want of descriptors and the like: the backend goes on when it can. */
  failed(error: Error): void {
    const accepter = this.#accepter;
    if (this.#serving !== null) this.#serving.acceptFailed(error);
    else if (accepter !== null) {
      this.#accepter = null;
      accepter.fail(error);
    } else if (this.#errors.length < ERRORS_MAX) this.#errors.push(error);
  }

  /** @internal */
  forgetAccepter(): void {
    this.#accepter = null;
  }
}
