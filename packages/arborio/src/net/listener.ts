import { ambientScope } from "../core/ambient.ts";
import { requireCount, requireFunction } from "../core/arguments.ts";
import { BusyResourceError, ClosedResourceError } from "../core/errors.ts";
import { isCancelled } from "../core/cancelled.ts";
import { taskGroup, type TaskGroup } from "../core/task-group.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import type { Acceptor, ListenerHandle } from "../platform/network.ts";
import type { IpAddress, SocketAddress, Wire } from "../platform/wire.ts";
import type { Lease } from "../sync/lease.ts";
import { Semaphore } from "../sync/semaphore.ts";
import { soft } from "../sync/soft.ts";
import type { SocketStream } from "./socket-stream.ts";

/** What `listener.serve` calls for each connection. */
export type ConnectionHandler = (stream: SocketStream) => unknown;

/** Options of `listener.serve`. */
export interface ServeOptions {
  /** Where handlers run. Default: a group of its own, which `serve` waits for. */
  readonly group?: TaskGroup;
  /** So many connections are handled at once; further ones wait. Default `Infinity`. */
  readonly maxConnections?: number;
  /** Gets what handlers throw, failed handshakes, and errors of accepting. Default: the run's `onUnhandled`. */
  readonly onError?: (error: unknown) => void;
}

const ACCEPT: WaitKind = {
  name: "listener.accept",
  abort(waiter) {
    (waiter.resource as Listener).forgetAccepter();
  },
};

/**
 * Something that listens for connections, on one address or several.
 * Counterpart: `anyio.abc.SocketListener`, `trio.SocketListener`.
 */
export class Listener implements Disposable, AsyncDisposable, Acceptor {
  readonly #handles: ListenerHandle[] = [];
  readonly #toStream: (wire: Wire) => SocketStream;
  /** Connections that nobody has accepted; the system's own queue cannot be made to wait on every runtime. */
  readonly #waiting: Wire[] = [];
  readonly #waitingMax: number;
  #accepter: Waiter<SocketStream> | null = null;
  #errors: unknown[] = [];
  #onError: ((error: unknown) => void) | null = null;
  #closed = false;

  /** @internal */
  constructor(waitingMax: number, toStream: (wire: Wire) => SocketStream) {
    this.#waitingMax = waitingMax;
    this.#toStream = toStream;
  }

  /** @internal Adds a socket whose connections come to this listener. */
  add(handle: ListenerHandle): void {
    this.#handles.push(handle);
  }

  /** Where it listens. */
  get addresses(): readonly SocketAddress[] {
    return this.#handles.map(({ address }) => address);
  }

  /** The port that all its addresses share. @throws TypeError if it listens on a Unix socket. */
  get port(): number {
    const [address] = this.#handles;
    const { port } = (address?.address ?? {}) as Partial<IpAddress>;
    if (port === undefined)
      throw new TypeError("Listener.port: this one listens on a Unix socket; see addresses");
    return port;
  }

  /**
   * Waits for a connection. Cancelled, it lost none. With TLS the handshake is still to come: it is done by the first operation of
   * the stream, or `stream.handshake()`, so that a slow client does not hold up the others.
   *
   * @throws ClosedResourceError if the listener is closed, also while waiting.
   * @throws BusyResourceError if another task accepts at the moment.
   */
  accept(): Promise<SocketStream> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal();
    if (refusal !== null) return scope.kernel.rejected(refusal);
    const wire = this.#waiting.shift();
    if (wire !== undefined) return scope.kernel.ready(this.#toStream(wire));
    const waiter = new Waiter<SocketStream>(scope, ACCEPT, this, undefined);
    this.#accepter = waiter;
    return waiter.promise;
  }

  #refusal(): Error | null {
    if (this.#closed) return new ClosedResourceError("Listener.accept: this listener is closed");
    if (this.#accepter !== null) {
      return new BusyResourceError(
        "Listener.accept: another task accepts on this listener at the moment; let one task accept and start tasks",
      );
    }
    return null;
  }

  /**
   * Accepts connections until the listener is closed, and runs `handler` for each, in a task of its own. The stream is closed when
   * its handler ends. What a handler throws goes to `onError`, and ends neither the listener nor other handlers.
   *
   * A shutdown of the scope around it ends the accepting at once and closes the listener; handlers go on until the grace is over.
   *
   * @throws BusyResourceError if another task accepts at the moment.
   */
  async serve(handler: ConnectionHandler, options: ServeOptions = {}): Promise<void> {
    requireFunction("Listener.serve", handler);
    const { group, maxConnections = Infinity } = options;
    requireCount("Listener.serve({ maxConnections })", maxConnections, 1);
    const { runState } = ambientScope();
    const onError = options.onError ?? runState.onUnhandled;
    const limit = maxConnections === Infinity ? null : new Semaphore(maxConnections);
    const service: Service = { handler, onError, limit };
    if (group !== undefined) {
      await this.#acceptAll(group, service);
      return;
    }
    await taskGroup((own) => this.#acceptAll(own, service));
  }

  async #acceptAll(group: TaskGroup, service: Service): Promise<void> {
    const before = this.#onError;
    this.#onError = service.onError;
    for (const error of this.#errors.splice(0)) service.onError(error);
    try {
      await soft(async () => {
        while (!this.#closed) {
          const lease = await service.limit?.acquire();
          let stream: SocketStream;
          try {
            stream = await this.accept();
          } catch (error) {
            lease?.release();
            if (error instanceof ClosedResourceError) return;
            throw error;
          }
          startHandler(group, stream, service, lease);
        }
      });
      if (ambientScope().shuttingDown) this.close();
    } finally {
      this.#onError = before;
    }
  }

  /**
   * Accepts no more. A task that waits in `accept` gets `ClosedResourceError`; connections that nobody has accepted are closed;
   * those accepted live on. Synchronous; works from any context; a second call does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const handle of this.#handles) handle.close();
    for (const wire of this.#waiting.splice(0)) wire.close(false);
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

  /** @internal */
  accepted(wire: Wire): void {
    const accepter = this.#accepter;
    if (this.#closed || (accepter === null && this.#waiting.length >= this.#waitingMax)) {
      wire.close(true);
      return;
    }
    if (accepter === null) {
      this.#waiting.push(wire);
      return;
    }
    this.#accepter = null;
    accepter.wake(this.#toStream(wire));
  }

  /** @internal Want of descriptors and the like: the backend goes on when it can. */
  failed(error: Error): void {
    if (this.#onError !== null) this.#onError(error);
    else if (this.#errors.length < ERRORS_MAX) this.#errors.push(error);
  }

  /** @internal */
  forgetAccepter(): void {
    this.#accepter = null;
  }
}

/** So many errors of accepting are kept until somebody serves. */
const ERRORS_MAX = 16;

interface Service {
  readonly handler: ConnectionHandler;
  readonly onError: (error: unknown) => void;
  readonly limit: Semaphore | null;
}

function startHandler(
  group: TaskGroup,
  stream: SocketStream,
  service: Service,
  lease: Lease | undefined,
): void {
  const task = (): Promise<void> => handle(stream, service).finally(() => lease?.release());
  try {
    group.startSoon(task, {
      name: service.handler.name === "" ? "connection" : service.handler.name,
    });
  } catch (error) {
    stream.close();
    lease?.release();
    throw error;
  }
}

async function handle(stream: SocketStream, service: Service): Promise<void> {
  try {
    if (stream.wire.details.securing) await stream.handshake();
    await service.handler(stream);
  } catch (error) {
    // One that nobody's cancellation explains is an error like any other, and must not end the listener.
    if (isCancelled(error) && ambientScope().applied !== null) throw error;
    service.onError(error);
  } finally {
    stream.close();
  }
}
