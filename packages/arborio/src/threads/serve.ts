/**
 * What a worker does: takes a call, works on it, answers, takes the next. After an answer it does not go back to its event loop at once,
 * but sleeps a moment on the flag that says "there is a message": a turn of the event loop is most of what an empty call costs. So that its
 * own timers and output are not held up for long, it goes back after `BLOCKED_MS_MAX` in any case.
 */
import { isCancelled } from "../core/cancelled.ts";
import { currentBackend } from "../platform/capabilities.ts";
import type { WorkerParent } from "../platform/threads.ts";
import { ReplyLine } from "./reply-line.ts";
import { ANSWERED, POSTED, type FromWorker, type ToWorker, type WorkerStart } from "./protocol.ts";
import { receiveEnds } from "./thread-channel-arguments.ts";
import type { SentEnd } from "./thread-channel-protocol.ts";
import { formOf } from "./thrown-form.ts";
import { transferOf } from "./transferred.ts";
import { WorkerCall } from "./worker-call.ts";

/** So long a worker keeps its event loop waiting, in milliseconds: longer than a busy program needs for the next call, shorter than people notice. */
const BLOCKED_MS_MAX = 10;

/** Serves calls for as long as the worker lives. */
export function serve(parent: WorkerParent): void {
  // Of a promise that was cancelled with its call and never awaited nobody needs to know; see `run`.
  currentBackend().process?.filterUnhandledRejections(isCancelled);
  const server = new Server(parent);
  parent.onMessage((message) => server.told(message as ToWorker));
}

type Namespace = Readonly<Record<string, unknown>>;

class Server {
  readonly #parent: WorkerParent;
  readonly #line: ReplyLine;
  readonly #flags: Int32Array | undefined;
  /** Bounded by the number of modules that the program has. */
  readonly #modules: Map<string, Namespace> = new Map();
  /** Calls that have not been answered: one at most, since a program has no more for a worker. */
  readonly #calls: Map<number, WorkerCall> = new Map();
  readonly #clock = currentBackend().clock;
  #turnPending = false;
  #blockedUntil = 0;

  constructor(parent: WorkerParent) {
    this.#parent = parent;
    this.#line = new ReplyLine(parent);
    this.#flags = (parent.data as WorkerStart).flags;
  }

  told(message: ToWorker): Promise<void> | undefined {
    const [kind, id] = message;
    if (kind === "call") {
      const [, , module, exportName, args, extra, ends] = message;
      const call = new WorkerCall(this.#line, this.#flags, id, extra);
      this.#calls.set(id, call);
      this.#parent.showMark?.(id);
      // Cancelled before it began, it does not begin. The message that says so comes after this one, or has overtaken it: some runtimes have one
      // under way to `told` while they give the next to `receiveNowait`.
      call.noticeCancellation();
      return this.#work(call, module, exportName, args, ends);
    }
    if (kind === "cancel") this.#calls.get(id)?.cancel();
    else this.#calls.get(id)?.onTold(message[2]);
    return undefined;
  }

  /** Never rejects. */
  async #work(
    call: WorkerCall,
    module: string,
    exportName: string,
    args: readonly unknown[],
    ends: readonly SentEnd[] | undefined,
  ): Promise<void> {
    const { id, scope } = call;
    let kind: FromWorker[0] = "value";
    let value: unknown;
    // Whatever comes of the call, they are closed: else whoever is at the other ends would wait for ever.
    const received = ends === undefined ? undefined : receiveEnds(exportName, args, ends);
    try {
      const fn = this.#function(module, exportName) ?? (await this.#load(module, exportName));
      if (scope.own === null) {
        value = await scope.run(() => fn(...(received?.args ?? args)));
        if (scope.cancelledCaught) kind = "cancelled";
      } else {
        // While the module was loaded: the function does not begin.
        kind = "cancelled";
      }
    } catch (thrown) {
      kind = "thrown";
      value = formOf(thrown);
    }
    received?.close();
    const flushed = this.#parent.flushOutput?.();
    if (flushed !== undefined) await flushed;
    this.#calls.delete(id);
    try {
      this.#line.send(kind, id, value, transferOf(value));
    } catch (cause) {
      const failure = new TypeError(
        `${exportName}: its result cannot be sent back: ${(cause as Error).message}; needs what structuredClone can copy`,
        { cause },
      );
      this.#line.send("thrown", id, formOf(failure));
    }
    if (this.#flags !== undefined) Atomics.add(this.#flags, ANSWERED, 1);
    this.#takeMore();
  }

  #function(module: string, exportName: string): ((...args: unknown[]) => unknown) | undefined {
    const namespace = this.#modules.get(module);
    if (namespace === undefined) return undefined;
    const fn = Object.hasOwn(namespace, exportName) ? namespace[exportName] : undefined;
    if (typeof fn === "function") return fn as (...args: unknown[]) => unknown;
    const names = Object.keys(namespace).filter((name) => typeof namespace[name] === "function");
    throw new TypeError(
      `${module} ${fn === undefined ? "has no export" : "exports no function"} ${JSON.stringify(exportName)}; ` +
        (names.length === 0 ? "it exports no functions" : `its functions are ${names.join(", ")}`),
    );
  }

  async #load(module: string, exportName: string): Promise<(...args: unknown[]) => unknown> {
    let namespace: Namespace;
    try {
      namespace = await this.#parent.importModule(module);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new TypeError(`${module} cannot be loaded: ${why}`, { cause });
    }
    this.#modules.set(module, namespace);
    return this.#function(module, exportName) as (...args: unknown[]) => unknown;
  }

  /** Takes messages without a turn of the event loop, for a while. */
  #takeMore(): void {
    const flags = this.#flags;
    if (flags === undefined || this.#parent.receiveNowait === undefined) return;
    while (this.#calls.size === 0) {
      const leftMs = this.#timeLeftMs();
      if (leftMs <= 0) return;
      const seen = Atomics.load(flags, POSTED);
      const received = this.#parent.receiveNowait();
      if (received !== undefined) void this.told(received.message as ToWorker);
      else if (Atomics.wait(flags, POSTED, seen, leftMs) === "timed-out") return;
    }
  }

  /** How much longer the event loop can wait. */
  #timeLeftMs(): number {
    const now = this.#clock.now();
    if (!this.#turnPending) {
      this.#turnPending = true;
      this.#blockedUntil = now + BLOCKED_MS_MAX;
      this.#clock.nextTurn(() => {
        this.#turnPending = false;
      });
    }
    return this.#blockedUntil - now;
  }
}
