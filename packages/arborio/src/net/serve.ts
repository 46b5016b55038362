import { ambientScope } from "../core/ambient.ts";
import { describeValue, requireCount, requireFunction, requireOptions } from "../core/arguments.ts";
import { callForPromise } from "../core/leave.ts";
import { ExceptionGroup } from "../core/exception-group.ts";
import {
  isStray,
  NOTHING,
  pureCancellation,
  strayError,
  withoutCancellation,
} from "../core/ownership.ts";
import { textOf } from "../core/exception-text.ts";
import type { RunState } from "../core/run-state.ts";
import { CancelScope } from "../core/scope.ts";
import { type TaskGroup, taskGroup } from "../core/task-group.ts";
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
  /** So many connections are handled at once; further ones wait in the listener, and in the system. Default `Infinity`. */
  readonly maxConnections?: number;
  /**
   * Gets what handlers throw, failed handshakes, and errors of accepting. What it throws itself ends the serving, as a failure of the
   * group in which handlers run. Default: the run's `onUnhandled`, but no client shall end a server: an error that only says that the
   * handler's own connection broke, or that its handshake failed, is counted in `statistics()`; of errors of accepting, such as
   * want of descriptors, the run warns, once for each kind.
   */
  readonly onError?: (error: unknown) => void;
}

/**
 * When no more connections are accepted, handshakes may go on for so long, in milliseconds: a client that goes on with its own needs two round
 * trips and sends what it wants right behind it; one that does not holds nobody up.
 */
const SECURING_MS = 1000;

/** Where the connections come from. */
export interface ConnectionSource {
  /** Waits for the next one. */
  next(): Promise<SocketStream>;
  /** One that has come already; `null` if there is none. */
  nextNowait(): SocketStream | null;
  close(): void;
  /** No more are taken from it. */
  ended(): void;
}

/** One call of `listener.serve`. */
export class Service {
  readonly #handler: ConnectionHandler;
  readonly #onError: ((error: unknown) => void) | undefined;
  readonly #runState: RunState;
  readonly #group: TaskGroup | undefined;
  readonly #limit: Semaphore | null;
  /** Of the loop that accepts. */
  #loop: CancelScope | null = null;
  #stopped = false;
  /** Handshakes that go on. */
  readonly #handshakes: Set<CancelScope> = new Set();
  /** When they are given up: some time after the listener was closed. */
  #securedBy = Infinity;
  #failure: { readonly error: unknown } | null = null;
  /** Connections whose handlers have not ended. */
  handled = 0;
  /** Connections whose handlers failed only because the connection did. */
  broken = 0;

  /** Checks the arguments. */
  constructor(handler: ConnectionHandler, options: ServeOptions) {
    requireFunction("Listener.serve", handler);
    requireOptions("Listener.serve(handler, options)", options, "{ maxConnections: 100 }");
    const { group, maxConnections = Infinity, onError } = options;
    if (group !== undefined) requireGroup(group);
    requireCount("Listener.serve({ maxConnections })", maxConnections, 1);
    if (onError !== undefined) requireFunction("Listener.serve({ onError })", onError);
    this.#handler = handler;
    this.#group = group;
    this.#limit = maxConnections === Infinity ? null : new Semaphore(maxConnections);
    this.#onError = onError;
    this.#runState = ambientScope().runState;
  }

  /** Accepts and handles until `stop`, or a shutdown, which closes the source; ends when a group of its own has. */
  async run(source: ConnectionSource): Promise<void> {
    const group = this.#group;
    if (group !== undefined) await this.#acceptAll(source, group);
    else await taskGroup((own) => this.#acceptAll(source, own));
  }

  /** Ends the accepting at once. Handlers go on; handshakes not for long. */
  stop(): void {
    this.#stopped = true;
    this.#limitHandshakes();
    this.#loop?.cancel("the listener was closed");
  }

  /** Takes an error of accepting. Called by the backend, outside all tasks. */
  acceptFailed(error: unknown): void {
    try {
      if (this.#onError !== undefined) this.#onError(error);
      else this.#warn(error);
    } catch (thrown) {
      this.#failure ??= { error: thrown };
      this.stop();
    }
  }

  #warn(error: unknown): void {
    const { systemCode = "" } = (error ?? {}) as { systemCode?: string };
    this.#runState.reportOnce(
      `Listener.serve ${systemCode}`,
      `Listener.serve: ${textOf(error)}; it goes on when it can, and its onError would get each such error`,
    );
  }

  async #acceptAll(source: ConnectionSource, group: TaskGroup): Promise<void> {
    try {
      await soft((loop) => {
        this.#loop = loop;
        return this.#acceptForever(source, group);
      });
      if (ambientScope().shuttingDown) this.#startWaiting(source, group);
    } catch (error) {
      throw this.#failure === null ? error : new ExceptionGroup([this.#failure.error, error]);
    } finally {
      source.ended();
      // Also one without grace, which has cancelled everything here.
      if (ambientScope().shuttingDown) {
        source.close();
        this.#limitHandshakes();
      }
    }
    if (this.#failure !== null) throw this.#failure.error;
  }

  async #acceptForever(source: ConnectionSource, group: TaskGroup): Promise<void> {
    while (!this.#stopped) {
      const lease = await this.#limit?.acquire();
      let stream: SocketStream;
      try {
        stream = await source.next();
      } catch (error) {
        lease?.release();
        throw error;
      }
      this.#start(group, stream, lease);
    }
  }

  /** Their clients have been told that they are connected, and may have sent what they want. */
  #startWaiting(source: ConnectionSource, group: TaskGroup): void {
    for (;;) {
      if (this.#limit !== null && this.#limit.value === 0) return;
      const stream = source.nextNowait();
      if (stream === null) return;
      this.#start(group, stream, this.#limit?.acquireNowait());
    }
  }

  #start(group: TaskGroup, stream: SocketStream, lease: Lease | undefined): void {
    const { name } = this.#handler;
    // Closures instead of an async function with `finally`: an idle connection costs a third less memory.
    const ended = (): void => {
      this.handled -= 1;
      stream.close();
      lease?.release();
    };
    const failed = (error: unknown): void => {
      const isBroken = isExplainedBy(error, stream.failure);
      ended();
      this.#report(error, isBroken);
    };
    const task = (): Promise<void> => {
      this.handled += 1;
      return this.#handle(stream).then(ended, failed);
    };
    try {
      group.startSoon(task, { name: name === "" ? "connection" : name });
    } catch (error) {
      stream.close();
      lease?.release();
      throw error;
    }
  }

  #handle(stream: SocketStream): Promise<unknown> {
    return stream.wire.details.securing
      ? this.#secureAndHandle(stream)
      : callForPromise(this.#handler, stream);
  }

  async #secureAndHandle(stream: SocketStream): Promise<void> {
    const scope = new CancelScope({ deadline: this.#securedBy });
    this.#handshakes.add(scope);
    try {
      await scope.run(() => stream.handshake());
    } catch (error) {
      this.#report(error, true);
      return;
    } finally {
      this.#handshakes.delete(scope);
    }
    if (!scope.cancelledCaught) await this.#handler(stream);
  }

  #limitHandshakes(): void {
    if (this.#securedBy !== Infinity) return;
    this.#securedBy = this.#runState.kernel.now() + SECURING_MS;
    for (const scope of this.#handshakes) scope.deadline = this.#securedBy;
  }

  /** Passes an error on, without the part of it that is the cancellation of this task: that goes its own way. */
  #report(error: unknown, isBroken: boolean): void {
    const scope = ambientScope();
    const { applied } = scope;
    // One that nobody's cancellation explains is an error like any other, and must not end the listener.
    const real = applied === null ? withoutStray(scope, error) : withoutCancellation(error);
    if (real !== NOTHING) {
      if (isBroken) this.broken += 1;
      if (this.#onError !== undefined) this.#onError(real);
      else if (!isBroken) this.#runState.onUnhandled(real);
    }
    if (applied !== null && real !== error) throw applied;
  }
}

function requireGroup(group: TaskGroup | null): void {
  if (typeof group?.startSoon === "function") return;
  throw new TypeError(`Listener.serve({ group }): got ${describeValue(group)}, needs a TaskGroup`);
}

function withoutStray(scope: CancelScope, error: unknown): unknown {
  const pure = pureCancellation(error);
  return pure !== null && isStray(scope) ? strayError(scope, pure) : error;
}

/** Longest chain of causes that is looked at. */
const CAUSES_MAX = 10;

/** Whether all that `error` says is that `failure` happened. */
function isExplainedBy(error: unknown, failure: Error | null): boolean {
  if (failure === null) return false;
  if (error instanceof ExceptionGroup)
    return error.leaves().every((leaf) => isExplainedBy(leaf, failure));
  let at = error;
  for (let depth = 0; depth < CAUSES_MAX && at instanceof Error; depth++) {
    if (at === failure) return true;
    at = at.cause;
  }
  return false;
}
