/** The side of the functions: runs them as tasks of a group, for callers in other threads. */
import { ambientScope } from "../core/ambient.ts";
import { describeValue, requireOptions } from "../core/arguments.ts";
import { pureCancellation } from "../core/ownership.ts";
import type { TaskHandle } from "../core/task.ts";
import { taskGroup, type TaskGroup } from "../core/task-group.ts";
import { createChannel } from "../sync/channel.ts";
import { shielded } from "../sync/shield.ts";
import type { CallableFunctions, FromFunctions, ToFunctions } from "./portal-protocol.ts";
import { formOf } from "./thrown-form.ts";
import { transferOf } from "./transferred.ts";

/** A call that was asked for. */
interface Request {
  readonly caller: Caller;
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
  /** Whether it ends with its caller. */
  readonly isCall: boolean;
  /** Once it runs. */
  task: TaskHandle | undefined;
  isCancelled: boolean;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/**
 * Runs `body` while the functions of `server` can be called: they are tasks of a group around it. When it has ended, those that still run are
 * waited for; cancelled first if `cancelsRest` says so. What `body` gives or throws comes out as it is, since functions never fail the group.
 */
export async function whileServing<T>(
  server: FunctionServer,
  name: string,
  body: () => T | PromiseLike<T>,
  cancelsRest: (failed: boolean) => boolean,
): Promise<T> {
  let outcome: Outcome<T> | undefined;
  try {
    await taskGroup(async (group) => {
      group.startSoon(() => server.serve(group), { name });
      try {
        outcome = { value: await body() };
      } catch (error) {
        outcome = { error };
      }
      server.end();
      if (cancelsRest("error" in outcome)) group.cancel(`${name}: the body has ended`);
    });
  } catch (error) {
    // The group was cancelled from outside, but the body has come to its end nevertheless.
    if (outcome === undefined || pureCancellation(error) === null) throw error;
  }
  const ended = outcome as unknown as Outcome<T>;
  if ("error" in ended) throw ended.error;
  return ended.value;
}

/** Runs functions for any number of callers. */
export class FunctionServer {
  readonly #where: string;
  readonly #functions: ReadonlyMap<string, (...args: unknown[]) => unknown>;
  /** Bounded by the limits that callers have (`RemoteCalls`). */
  readonly #requests = createChannel<Request>(Infinity);
  #ended = false;

  constructor(where: string, functions: CallableFunctions) {
    this.#where = where;
    this.#functions = checkedFunctions(where, functions);
  }

  /**
   * Starts what is asked for, until `end`. Runs in a task of the group, so that the functions find the context of whoever gave them; and goes
   * on when the group is cancelled: each function then runs to its first checkpoint, as any new task of a cancelled group.
   */
  async serve(group: TaskGroup): Promise<void> {
    const [, requests] = this.#requests;
    await shielded(async () => {
      for await (const request of requests) this.#start(group, request);
    });
  }

  /** Begins nothing any more. What runs goes on. */
  end(): void {
    this.#ended = true;
    this.#requests[0].close();
  }

  /** @internal For callers. */
  ask(request: Request): boolean {
    if (this.#ended) return false;
    this.#requests[0].sendNowait(request);
    return true;
  }

  #start(group: TaskGroup, request: Request): void {
    const { caller, name } = request;
    if (request.isCancelled) {
      caller.answer(request, ["cancelled", request.id]);
      return;
    }
    request.task = group.startSoon(() => this.#run(request), { name: `${this.#where}: ${name}` });
  }

  async #run(request: Request): Promise<void> {
    const { caller, id, name, args } = request;
    try {
      const value = await this.#function(name)(...args);
      caller.giveValue(request, value);
    } catch (error) {
      if (pureCancellation(error) === null || ambientScope().applied === null) {
        caller.giveError(request, error);
        return;
      }
      caller.answer(request, ["cancelled", id]);
      throw error;
    }
  }

  #function(name: string): (...args: unknown[]) => unknown {
    const fn = this.#functions.get(name);
    if (fn !== undefined) return fn;
    const names = [...this.#functions.keys()].join(", ");
    throw new TypeError(
      `${this.#where}: there is no function ${JSON.stringify(name)}; there are ${names === "" ? "none" : names}`,
    );
  }
}

/** Whoever calls functions of a server. */
export class Caller {
  readonly #server: FunctionServer;
  readonly #post: (message: FromFunctions, transfer?: readonly object[]) => void;
  readonly #onUnhandled: (error: unknown) => void;
  readonly #requests: Map<number, Request> = new Map();
  #gone = false;

  constructor(
    server: FunctionServer,
    onUnhandled: (error: unknown) => void,
    post: (message: FromFunctions, transfer?: readonly object[]) => void,
  ) {
    this.#server = server;
    this.#onUnhandled = onUnhandled;
    this.#post = post;
  }

  told(message: ToFunctions): void {
    const [kind, id] = message;
    if (kind === "cancel") {
      const request = this.#requests.get(id);
      if (request !== undefined) cancel(request, "the caller in another thread was cancelled");
      return;
    }
    const [, , name, args] = message;
    const request: Request = {
      caller: this,
      id,
      name,
      args,
      isCall: kind === "call",
      task: undefined,
      isCancelled: false,
    };
    this.#requests.set(id, request);
    if (!this.#server.ask(request)) this.answer(request, ["ended", id]);
  }

  /** It will ask for nothing any more, and wants no answers: its calls are cancelled; what it has started goes on. */
  gone(): void {
    this.#gone = true;
    this.cancelCalls("the thread of the caller has ended or closed its connection");
  }

  /** Cancels its calls; it is told what comes of them. What it has started goes on. */
  cancelCalls(reason: string): void {
    for (const request of this.#requests.values()) if (request.isCall) cancel(request, reason);
  }

  giveValue(request: Request, value: unknown): void {
    try {
      this.answer(request, ["value", request.id, value], transferOf(value));
    } catch (cause) {
      const why = (cause as Error).message;
      const error = new TypeError(
        `${request.name}: its result cannot be sent back: ${why}; needs what structuredClone can copy`,
        { cause },
      );
      this.answer(request, ["thrown", request.id, formOf(error)]);
    }
  }

  giveError(request: Request, error: unknown): void {
    if (this.#gone) this.#onUnhandled(error);
    this.answer(request, ["thrown", request.id, formOf(error)]);
  }

  answer(request: Request, message: FromFunctions, transfer?: readonly object[]): void {
    if (!this.#gone) this.#post(message, transfer);
    this.#requests.delete(request.id);
  }
}

function cancel(request: Request, reason: string): void {
  request.isCancelled = true;
  request.task?.cancel(reason);
}

function checkedFunctions(
  where: string,
  functions: CallableFunctions,
): ReadonlyMap<string, (...args: unknown[]) => unknown> {
  requireOptions(where, functions, "{ async lookup(key) { … } }");
  const checked: Map<string, (...args: unknown[]) => unknown> = new Map();
  for (const [name, fn] of Object.entries(functions)) {
    if (typeof fn !== "function")
      throw new TypeError(`${where}: ${name} is ${describeValue(fn)}, needs a function`);
    checked.set(name, fn as (...args: unknown[]) => unknown);
  }
  return checked;
}
