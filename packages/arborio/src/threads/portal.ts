/**
 * A portal: the way for plain threads to use the tasks of a loop. Whoever opens it names the functions that can be called; a thread that was
 * given a handle calls them, awaited or blocking, or starts them as tasks that go on without it.
 */
import { ambientScope } from "../core/ambient.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { requireFunction } from "../core/arguments.ts";
import { ClosedResourceError } from "../core/errors.ts";
import { currentBackend, requireCapability } from "../platform/capabilities.ts";
import type { MessagePortLike, Threads } from "../platform/threads.ts";
import { ParkingLot } from "../sync/parking-lot.ts";
import { ring, threadName } from "./doorbell.ts";
import { closeWhenTold, onPortLost } from "./lost-ports.ts";
import { Caller, FunctionServer, whileServing } from "./portal-functions.ts";
import {
  type CallableFunctions,
  type FromPortal,
  PORTAL_PORT,
  type PortalPassport,
  type ToPortal,
} from "./portal-protocol.ts";

/** What `portal.statistics()` tells. */
export interface PortalStatistics {
  /** Handles that were given out and whose connections are not closed. */
  readonly openConnections: number;
}

/**
 * Opens a portal and runs `body`: while it runs, threads that have a handle of the portal can call `functions`. Each call is a task of the
 * portal, in the context and the scopes of whoever opened it. When `body` has returned, nothing can be called any more; what still runs is
 * waited for. When it has thrown, or the portal is cancelled, that is cancelled first. Not a checkpoint itself.
 *
 * What a function throws goes to its caller alone. A call whose thread ends is cancelled; what was started goes on.
 *
 * @param functions what can be called, by their names. Arguments and results are copied by structured clone.
 * @returns what `body` returns.
 * @throws whatever `body` throws, bare.
 * @throws TypeError if `functions` holds anything but functions.
 *
 * Counterpart: `anyio.from_thread.BlockingPortal`. For calls of `runInThread` there is `fromThread`.
 *
 * @example A plain worker uses a loop's tasks
 * ```ts ignore
 * // main.ts
 * const functions = { async lookup(key: string) { return await database.get(key); } };
 * export type Functions = typeof functions;
 *
 * await withPortal(functions, async (portal) => {
 *   const handle = portal.handle();
 *   new Worker(new URL("./plain.ts", import.meta.url), { workerData: handle, transferList: [handle] });
 *   await portal.untilReleased();
 * });
 *
 * // plain.ts
 * using portal = connectPortal<Functions>(workerData);
 * console.log(portal.callSync("lookup", "key"));
 * ```
 */
export function withPortal<T>(
  functions: CallableFunctions,
  body: (portal: Portal) => T | PromiseLike<T>,
): Promise<T> {
  const scope = ambientScope();
  try {
    requireFunction("withPortal(functions, body)", body);
    const threads = requireCapability(currentBackend(), "threads", "withPortal");
    const server = new FunctionServer("withPortal(functions)", functions);
    return serve(new Portal(server, threads, scope.runState.onUnhandled), server, body);
  } catch (error) {
    return scope.kernel.rejected(error);
  }
}

async function serve<T>(
  portal: Portal,
  server: FunctionServer,
  body: (portal: Portal) => T | PromiseLike<T>,
): Promise<T> {
  try {
    const call = async (): Promise<T> => {
      try {
        return await body(portal);
      } finally {
        portal.stop();
      }
    };
    return await whileServing(server, "portal", call, (failed) => failed);
  } finally {
    portal.close();
  }
}

/** The side of a portal's loop. See `withPortal`. */
export class Portal {
  readonly #server: FunctionServer;
  readonly #threads: Threads;
  readonly #onUnhandled: (error: unknown) => void;
  readonly #connections: Set<Connection> = new Set();
  readonly #released: ParkingLot = new ParkingLot("portal.untilReleased", this);
  #stopped = false;

  /** @internal */
  constructor(server: FunctionServer, threads: Threads, onUnhandled: (error: unknown) => void) {
    this.#server = server;
    this.#threads = threads;
    this.#onUnhandled = onUnhandled;
  }

  /**
   * A handle for one thread: a port. Put it into the message (or `workerData`, or the arguments of `runInThread`) and into the list of what is
   * transferred, and call `connectPortal` with it there. A thread that has one can make more. Synchronous; works from any context.
   *
   * @throws ClosedResourceError when the body of `withPortal` has ended.
   */
  handle(): MessagePort {
    if (this.#stopped) {
      throw new ClosedResourceError(
        "portal.handle: the portal has ended, since the body of withPortal has; wait in it, for example by portal.untilReleased()",
      );
    }
    const [home, away] = this.#threads.createPortPair();
    home.post(portalPassport());
    const connection = this.#connect(home);
    const { native } = away;
    onPortLost(native, () => connection.lost(this.#threads));
    return native as MessagePort;
  }

  /** Waits until all connections are closed: by the threads that have them, or since these have ended. At once if there are none. */
  async untilReleased(): Promise<void> {
    if (this.#connections.size === 0) await checkpoint();
    while (this.#connections.size > 0) await this.#released.park();
  }

  /** A frozen snapshot. */
  statistics(): PortalStatistics {
    return Object.freeze({ openConnections: this.#connections.size });
  }

  /** @internal Nothing is begun any more. */
  stop(): void {
    this.#stopped = true;
    this.#server.end();
  }

  /** @internal Everything has ended. */
  close(): void {
    this.stop();
    for (const connection of this.#connections) connection.close();
  }

  #connect(port: MessagePortLike): Connection {
    const connection: Connection = new Connection(
      this.#server,
      this.#onUnhandled,
      port,
      (more) => void this.#connect(this.#threads.adoptPort(more)),
      () => {
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#released.unparkAll();
      },
    );
    this.#connections.add(connection);
    return connection;
  }
}

/** What a connection finds first. */
export function portalPassport(home: string = threadName()): PortalPassport {
  return { kind: PORTAL_PORT, home };
}

/** One thread that may call, as the portal sees it. */
class Connection {
  readonly #port: MessagePortLike;
  readonly #caller: Caller;
  readonly #connectMore: (port: object) => void;
  readonly #gone: () => void;
  #bell: Int32Array | null = null;
  #ended = false;

  constructor(
    server: FunctionServer,
    onUnhandled: (error: unknown) => void,
    port: MessagePortLike,
    connectMore: (port: object) => void,
    gone: () => void,
  ) {
    this.#port = port;
    this.#connectMore = connectMore;
    this.#gone = gone;
    this.#caller = new Caller(server, onUnhandled, (message, transfer) =>
      this.#post(message, transfer),
    );
    port.listen(
      (message) => this.#told(message as ToPortal),
      () => this.#end(),
    );
  }

  close(): void {
    this.#post(["over"]);
    this.#port.close();
    this.#end();
  }

  /** Its thread has ended. What it had asked for before still counts. */
  lost(threads: Threads): void {
    if (this.#ended) return;
    closeWhenTold(threads, this.#port, (message) => this.#told(message as ToPortal));
    this.#end();
  }

  #told(message: ToPortal): void {
    if (message[0] === "here") [, this.#bell] = message;
    else if (message[0] === "connect") this.#connectMore(message[1]);
    else if (message[0] === "close") this.#end();
    else this.#caller.told(message);
  }

  #end(): void {
    this.#ended = true;
    this.#caller.gone();
    this.#gone();
  }

  #post(message: FromPortal, transfer?: readonly object[]): void {
    this.#port.post(message, transfer);
    if (this.#bell !== null) ring(this.#bell);
  }
}
