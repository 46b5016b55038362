/** The side of the callers: calls of functions in the loop of another thread, awaited or blocking. */
import { ambientScope } from "../core/ambient.ts";
import { TaskCancelled } from "../core/errors.ts";
import { Waiter, type WaitKind } from "../core/suspend.ts";
import { blockUntil } from "./doorbell.ts";
import type { FromFunctions, ToFunctions } from "./portal-protocol.ts";
import { type RemoteErrorClass, revive, type ThrownForm } from "./thrown-form.ts";
import { transferOf } from "./transferred.ts";

/** Calls that one caller can have under way; further ones wait for a place. Enough for a loop's tasks; a bound for the memory of whoever serves them. */
export const CALLS_UNDER_WAY_MAX = 256;

/** The way to the functions. */
export interface Line {
  /** `"fromThread"`: for messages. */
  readonly where: string;
  readonly post: (message: ToFunctions, transfer?: readonly object[]) => void;
  /** Takes a message without a turn of the event loop; `false` if there is none. */
  readonly receiveNowait: () => boolean;
  /** A call was cancelled over there: perhaps since the caller is cancelled, and only does not know it yet. */
  readonly noticeCancellation: () => void;
  /** Told whether anything is under way. */
  readonly setNeeded: (needed: boolean) => void;
  /** What a call answers when the line was ended over there. */
  readonly endedError: (where: string) => Error;
}

/** What came of a call. */
export type CallOutcome =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "thrown"; readonly form: ThrownForm }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "cancelled" };

/** A call, or a task that was started. */
export interface RemoteCall {
  readonly kind: "call" | "start";
  readonly name: string;
  readonly args: readonly unknown[];
  /** 0 until it was posted. */
  id: number;
  isCancelled: boolean;
  outcome: { readonly value: CallOutcome } | undefined;
  /** Called once, with the outcome set. */
  readonly ended: (call: RemoteCall) => void;
}

const CALL: WaitKind = {
  name: "thread.call",
  abort(waiter) {
    const { calls, call } = waiter.payload as Payload;
    if (call.outcome !== undefined || calls.withdraw(call)) return undefined;
    return false;
  },
};

interface Payload {
  readonly calls: RemoteCalls;
  readonly call: RemoteCall;
}

/** Calls through one line. */
export class RemoteCalls {
  readonly line: Line;
  readonly #errorClasses: readonly RemoteErrorClass[];
  readonly #underWay: Map<number, RemoteCall> = new Map();
  /** Those for which there is no place. */
  readonly #queued: Set<RemoteCall> = new Set();
  #calls = 0;
  #lastId = 0;
  #failure: ((where: string) => Error) | null = null;

  constructor(line: Line, errorClasses: readonly RemoteErrorClass[] = []) {
    this.line = line;
    this.#errorClasses = errorClasses;
  }

  /** Calls a function and waits for what comes of it. Cancelled, the function is cancelled, and its end is waited for. */
  call(
    name: string,
    args: readonly unknown[],
    errorClasses?: readonly RemoteErrorClass[],
  ): Promise<unknown> {
    const scope = ambientScope();
    const refusal = scope.refuse() ?? this.#refusal(`${this.line.where}(${JSON.stringify(name)})`);
    if (refusal !== null) return scope.kernel.rejected(refusal);
    const ended = (): void => this.#resume(waiter, call, errorClasses);
    const call = newCall("call", name, args, ended);
    const waiter = new Waiter<unknown>(scope, CALL, name, { calls: this, call } satisfies Payload);
    this.begin(call);
    return waiter.promise;
  }

  /**
   * Calls a function, and blocks this thread until it has ended. When the time is over the function is cancelled, and its end is not waited
   * for: its own thread may be why nothing comes.
   */
  callSync(
    where: string,
    name: string,
    args: readonly unknown[],
    timeoutMs: number,
    errorClasses?: readonly RemoteErrorClass[],
  ): unknown {
    const refusal = ambientScope().refuseExactly() ?? this.#refusal(where);
    if (refusal !== null) throw refusal;
    const call = newCall("call", name, args, () => {});
    this.begin(call);
    const withdraw = (isLate: boolean): boolean => this.withdraw(call) || isLate;
    const outcome = this.blockUntilEnded(where, call, withdraw, timeoutMs);
    if (outcome.kind === "value") return outcome.value;
    throw this.errorOf(call, outcome, errorClasses);
  }

  /** Blocks this thread until `call` has ended. */
  blockUntilEnded(
    where: string,
    call: RemoteCall,
    withdraw: (isLate: boolean) => boolean,
    timeoutMs: number,
  ): CallOutcome {
    const look = (): RemoteCall["outcome"] => {
      while (call.outcome === undefined && this.line.receiveNowait());
      return call.outcome;
    };
    return blockUntil({ where, look, withdraw }, timeoutMs);
  }

  /** Asks for it, or queues it. */
  begin(call: RemoteCall): void {
    if (call.kind === "call" && this.#calls >= CALLS_UNDER_WAY_MAX) {
      this.#queued.add(call);
      return;
    }
    this.#lastId += 1;
    try {
      const transfer = call.args.flatMap((arg) => transferOf(arg) ?? []);
      this.line.post([call.kind, this.#lastId, call.name, call.args], transfer);
    } catch (cause) {
      end(call, { kind: "failed", error: unsendable(this.line.where, call, cause) });
      return;
    }
    call.id = this.#lastId;
    this.#underWay.set(call.id, call);
    if (call.kind === "call") this.#calls += 1;
    if (this.#underWay.size === 1) this.line.setNeeded(true);
  }

  /** `true` if it had not been asked for: then it will not be. Else it is cancelled, and its end will be told. */
  withdraw(call: RemoteCall): boolean {
    if (this.#queued.delete(call)) return true;
    if (!call.isCancelled && call.outcome === undefined) this.line.post(["cancel", call.id]);
    call.isCancelled = true;
    return false;
  }

  told(message: FromFunctions): void {
    const [kind, id] = message;
    const call = this.#underWay.get(id);
    if (call === undefined) return;
    this.#underWay.delete(id);
    if (call.kind === "call") {
      this.#calls -= 1;
      this.#beginNext();
    }
    if (this.#underWay.size === 0) this.line.setNeeded(false);
    if (kind === "value") end(call, { kind, value: message[2] });
    else if (kind === "thrown") end(call, { kind, form: message[2] });
    else if (kind === "ended")
      end(call, { kind: "failed", error: this.line.endedError(this.line.where) });
    else end(call, { kind });
  }

  /** Nothing goes through the line any more: everything that is under way, and that is tried later, fails. */
  fail(failure: (where: string) => Error): void {
    if (this.#failure !== null) return;
    this.#failure = failure;
    const calls = [...this.#underWay.values(), ...this.#queued];
    this.#underWay.clear();
    this.#queued.clear();
    for (const call of calls) end(call, { kind: "failed", error: failure(this.line.where) });
  }

  /** Why nothing can be begun. */
  get failure(): ((where: string) => Error) | null {
    return this.#failure;
  }

  /** How many tasks were started that have not ended. */
  get started(): number {
    return this.#underWay.size - this.#calls;
  }

  /** What a call that gave no value throws. */
  errorOf(
    call: RemoteCall,
    outcome: Exclude<CallOutcome, { kind: "value" }>,
    errorClasses: readonly RemoteErrorClass[] = this.#errorClasses,
  ): unknown {
    if (outcome.kind === "failed") return outcome.error;
    if (outcome.kind === "thrown") {
      const boundary = `    at ${this.line.where} (${call.name}, in another thread)`;
      return revive(outcome.form, { errorClasses, boundary });
    }
    this.line.noticeCancellation();
    return (
      ambientScope().refuseExactly() ??
      new TaskCancelled(`${this.line.where}: ${call.name} was cancelled in its own thread`)
    );
  }

  #resume(
    waiter: Waiter<unknown>,
    call: RemoteCall,
    errorClasses: readonly RemoteErrorClass[] | undefined,
  ): void {
    const outcome = call.outcome?.value;
    if (outcome === undefined) return;
    if (outcome.kind === "value") {
      waiter.wake(outcome.value);
      return;
    }
    if (outcome.kind === "cancelled") {
      this.line.noticeCancellation();
      const applied = waiter.scope?.applied ?? null;
      if (applied !== null && waiter.abort(applied)) return;
    }
    waiter.fail(this.errorOf(call, outcome, errorClasses));
  }

  #beginNext(): void {
    for (const next of this.#queued) {
      this.#queued.delete(next);
      this.begin(next);
      return;
    }
  }

  #refusal(where: string): Error | null {
    return this.#failure?.(where) ?? null;
  }
}

/** A call that was not asked for yet. */
export function newCall(
  kind: RemoteCall["kind"],
  name: string,
  args: readonly unknown[],
  ended: (call: RemoteCall) => void,
): RemoteCall {
  return { kind, name, args, id: 0, isCancelled: false, outcome: undefined, ended };
}

function end(call: RemoteCall, value: CallOutcome): void {
  call.outcome = { value };
  call.ended(call);
}

function unsendable(where: string, { name }: RemoteCall, cause: unknown): TypeError {
  return new TypeError(
    `${where}(${JSON.stringify(name)}, …): an argument cannot be sent: ${(cause as Error).message}; needs what structuredClone can copy`,
    { cause },
  );
}
