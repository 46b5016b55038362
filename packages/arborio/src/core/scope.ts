import { ambientScope, runInScope } from "./ambient.ts";
import { requireFlag, requireFunction, requireTime } from "./arguments.ts";
import { deliver, expose, retract } from "./cancel-tree.ts";
import { type Cancelled, createCancelled } from "./cancelled.ts";
import { Deadline } from "./deadlines.ts";
import { InvalidStateError, ScopeClosedError } from "./errors.ts";
import { CAUGHT, CLOSED, CLOSING, OPEN, SHIELD, SOFT, TIMED_OUT } from "./flags.ts";
import type { Kernel } from "./kernel.ts";
import { runBody } from "./leave.ts";
import type { RunState } from "./run-state.ts";
import type { ScopeExtras, ScopeMember } from "./scope-parts.ts";
import {
  askSoftScopes,
  isAsked,
  SHUTTING_DOWN,
  shutdownScope,
  type ShutdownOptions,
} from "./shutdown.ts";
import type { Task } from "./task.ts";

/** Options of a `CancelScope`. */
export interface CancelScopeOptions {
  /** Moment, in milliseconds of `now()`, at which the scope cancels itself. Default `Infinity`: never. */
  readonly deadline?: number;
  /** Hides cancellation of the scopes around it; its own still works. Default `false`. */
  readonly shield?: boolean;
}

/**
 * A region of code that can be cancelled as one. `run` enters it with a callback, so leaving is always last-in first-out.
 * Once cancelled, every checkpoint inside throws `Cancelled` until the flow has left; the scope then takes that away and
 * `run` returns `undefined`. Counterpart: `trio.CancelScope`.
 *
 * @example Cancel from outside
 * ```ts
 * import { CancelScope, run, sleepForever } from "arborio";
 *
 * await run(async (group) => {
 *   const scope = new CancelScope();
 *   group.startSoon(async () => scope.cancel("enough"));
 *   await scope.run(() => sleepForever());
 *   console.assert(scope.cancelledCaught);
 * });
 * ```
 */
export class CancelScope implements ScopeMember {
  /** @internal */ declare readonly isScope: true;
  /** @internal */ parent: CancelScope | null = null;
  /** @internal The task whose flow is in this scope. */
  task: Task;
  /** @internal The run this scope is in; `null` until it is opened. */
  runState: RunState;
  /**
   * @internal The youngest of the waits and scopes in this one. They form a ring, so that this one field gives both ends: a
   * million waiting tasks have a list each.
   */
  last: ScopeMember | null = null;
  /** @internal */ previous: ScopeMember | null = null;
  /** @internal */ next: ScopeMember | null = null;
  /** @internal */ flags = 0;
  /** @internal The cancellation that applies here: own or from a visible ancestor. Checkpoints ask nothing else. */
  applied: Cancelled | null = null;
  /** @internal */ extras: ScopeExtras | null = null;

  /** Makes a scope that is not open yet; `run` opens it. */
  constructor(options?: CancelScopeOptions) {
    this.task = null as never;
    this.runState = null as never;
    if (options === undefined) return;
    if (options.shield !== undefined) this.shield = options.shield;
    if (options.deadline !== undefined) this.deadline = options.deadline;
  }

  // What users do with a scope -------------------------------------------------------------------------------------------

  /**
   * Runs `fn` in this scope and leaves the scope when it has ended. Not a checkpoint itself.
   *
   * @returns what `fn` returns; `undefined` if this scope's own cancellation cut it short.
   * @throws InvalidStateError if this scope has been run before.
   * @throws ScopeClosedError if the calling flow has outlived its own scope.
   */
  run<T>(fn: (scope: CancelScope) => T | PromiseLike<T>): Promise<T | undefined> {
    return this.runAs("CancelScope.run", fn);
  }

  /** @internal `run` for what opens a scope of its own, which `where` names. */
  runAs<T>(where: string, fn: (scope: CancelScope) => T | PromiseLike<T>): Promise<T | undefined> {
    const parent = ambientScope();
    try {
      requireFunction(where, fn);
      this.enter(parent);
    } catch (error) {
      return parent.kernel.rejected(error);
    }
    const outcome = runInScope(this, runBody<T>, fn);
    this.ensureExtras().outcome = outcome;
    return outcome;
  }

  /** Cancels everything in this scope that no shield hides. Only the first call counts; it cannot be undone. */
  cancel(reason?: unknown): void {
    if (this.own !== null) return;
    if (this.parent === null) this.#requireInsideRun("cancel");
    const cancelled = createCancelled(reason);
    this.ensureExtras().own = cancelled;
    if ((this.flags & CLOSED) !== 0) return;
    if (this.runState !== null && this.kernel.instruments !== null)
      this.kernel.instruments.scopeCancelled(this, reason);
    if (this.applied === null) deliver(this, cancelled);
  }

  /**
   * Asks what is inside to end: soft scopes are cancelled at once, the rest after `graceMs`. `shuttingDown` tells.
   * Asking again can only shorten the grace.
   */
  shutdown(options?: ShutdownOptions): void {
    if (this.parent === null) this.#requireInsideRun("shutdown");
    shutdownScope(this, options);
  }

  /** Whether this scope was cancelled itself, also by a deadline that has just passed. */
  get cancelCalled(): boolean {
    if (this.runState !== null) this.kernel.fireDue();
    return this.own !== null;
  }

  /** Whether this scope, on being left, took away a `Cancelled` that it owned: whether it cut its body short. */
  get cancelledCaught(): boolean {
    return (this.flags & CAUGHT) !== 0;
  }

  /** Whether a shutdown has asked this scope, or one around it that no shield hides, to end. */
  get shuttingDown(): boolean {
    return isAsked(this);
  }

  /** Moment, in milliseconds of `now()`, at which the scope cancels itself; `Infinity`: never. Moving it into the past cancels at once. */
  get deadline(): number {
    return this.extras?.deadline ?? Infinity;
  }

  set deadline(when: number) {
    requireTime("CancelScope.deadline", when);
    if (this.parent === null) this.#requireInsideRun("deadline");
    if (when === Infinity && this.extras === null) return;
    this.ensureExtras().deadline = when;
    if ((this.flags & OPEN) !== 0) this.#armDeadline();
  }

  /** Whether cancellation of the scopes around this one is hidden. Clearing it delivers at once what was hidden. */
  get shield(): boolean {
    return (this.flags & SHIELD) !== 0;
  }

  set shield(shield: boolean) {
    requireFlag("CancelScope.shield", shield);
    if (shield === this.shield) return;
    this.flags ^= SHIELD;
    if ((this.flags & OPEN) === 0) return;
    if (shield) {
      retract(this);
      return;
    }
    if (isAsked(this)) askSoftScopes(this, SHUTTING_DOWN);
    expose(this);
  }

  /** Aborts when this scope becomes effectively cancelled, with the `Cancelled` as its reason. For APIs that take an `AbortSignal`. */
  get signal(): AbortSignal {
    const extras = this.ensureExtras();
    if (extras.controller === undefined) {
      extras.controller = new AbortController();
      if (this.applied !== null) extras.controller.abort(this.applied);
    }
    return extras.controller.signal;
  }

  // What the library does with a scope -----------------------------------------------------------------------------------

  /** @internal This scope's own cancellation. */
  get own(): Cancelled | null {
    return this.extras?.own ?? null;
  }

  /** @internal */
  get kernel(): Kernel {
    return this.runState.kernel;
  }

  /** @internal */
  ensureExtras(): ScopeExtras {
    this.extras ??= {};
    return this.extras;
  }

  /** @internal Why an operation of this flow may not begin: it was cancelled, or it has outlived its scope. */
  refuse(): Error | null {
    if ((this.flags & CLOSED) !== 0) return this.closedError();
    const { kernel } = this.runState;
    if (kernel.attention) kernel.attend(this, false);
    return this.applied;
  }

  /** @internal `refuse` for checkpoints and sleeps, which look at the clock every time. */
  refuseExactly(): Error | null {
    if ((this.flags & CLOSED) !== 0) return this.closedError();
    const { kernel } = this.runState;
    if (kernel.attention) kernel.attend(this, true);
    return this.applied;
  }

  /** @internal */
  closedError(): ScopeClosedError {
    const where = this.extras?.openedAt === undefined ? "" : `, opened ${this.extras.openedAt}`;
    const whose =
      this.task === (this as unknown) ? this.task.describe() : `a scope of ${this.task.describe()}`;
    return new ScopeClosedError(
      `call after its scope had closed: ${whose}${where} has ended, and this call was not awaited in it; ` +
        "await it, or start it in a task group that lives long enough; for callbacks of servers and emitters: outsideScopes(fn)",
    );
  }

  /** @internal Opens the scope below `parent`. */
  enter(parent: CancelScope): void {
    if ((parent.flags & CLOSED) !== 0) throw parent.closedError();
    if ((this.flags & (OPEN | CLOSED)) !== 0) {
      throw new InvalidStateError(
        "CancelScope.run: this scope was run before; a scope runs once, make a new one",
      );
    }
    this.flags |= OPEN;
    this.parent = parent;
    this.task = parent.task;
    this.runState = parent.runState;
    parent.link(this);
    if (this.applied === null && (this.flags & SHIELD) === 0 && parent.applied !== null) {
      this.applied = parent.applied;
      this.extras?.controller?.abort(this.applied);
    }
    if (this.runState.dev) this.ensureExtras().openedAt = this.runState.callSite();
    if (this.extras?.deadline !== undefined) this.#armDeadline();
    if (this.extras?.early !== undefined) shutdownScope(this, this.extras.early);
    if ((this.flags & SOFT) !== 0 && isAsked(parent)) this.cancel(SHUTTING_DOWN);
  }

  /** @internal The oldest member; `null` if there is none. */
  get first(): ScopeMember | null {
    return this.last === null ? null : this.last.next;
  }

  /** @internal The member that came after `member`; `null` if it is the youngest. */
  after(member: ScopeMember): ScopeMember | null {
    return member === this.last ? null : member.next;
  }

  /** @internal The member that came before `member`; `null` if it is the oldest. */
  before(member: ScopeMember): ScopeMember | null {
    return member === this.first ? null : member.previous;
  }

  /** @internal */
  link(member: ScopeMember): void {
    const { last } = this;
    if (last === null) {
      member.previous = member;
      member.next = member;
    } else {
      const first = last.next as ScopeMember;
      member.previous = last;
      member.next = first;
      last.next = member;
      first.previous = member;
    }
    this.last = member;
  }

  /** @internal */
  unlink(member: ScopeMember): void {
    const previous = member.previous as ScopeMember;
    const next = member.next as ScopeMember;
    previous.next = next;
    next.previous = previous;
    if (this.last === member) this.last = previous === member ? null : previous;
    member.previous = null;
    member.next = null;
    if (this.last === null && (this.flags & CLOSING) !== 0) this.#drained();
  }

  /**
   * @internal Ends the scope and calls `closed`: at once if nothing is left in it, else after what floats below has been
   * cancelled and has ended. Nothing outlives its scope.
   */
  closeThen(closed: () => void): void {
    if (this.last === null) {
      this.close();
      closed();
      return;
    }
    this.flags |= CLOSING;
    this.ensureExtras().drained = closed;
    if (this.runState.dev) this.runState.reportFloating(this);
    if (this.applied === null)
      deliver(this, createCancelled("its scope was left while this was still running"));
  }

  #drained(): void {
    const closed = this.extras?.drained;
    this.flags &= ~CLOSING;
    this.close();
    closed?.();
  }

  /** @internal */
  close(): void {
    this.flags = (this.flags & ~OPEN) | CLOSED;
    const extras = this.extras;
    if (extras !== null) {
      if (extras.deadlineEntry !== undefined) this.kernel.removeDeadline(extras.deadlineEntry);
      if (extras.hardStop !== undefined) this.kernel.removeDeadline(extras.hardStop);
      extras.deadlineEntry = undefined;
      extras.hardStop = undefined;
      extras.controller = undefined;
      extras.drained = undefined;
    }
    this.parent?.unlink(this);
  }

  /** Outside runs, `currentScope()` is the root scope of all code there. It is nobody's to end: nothing could wait any more. */
  #requireInsideRun(where: string): void {
    if (this.runState === null || !this.runState.outside) return;
    throw new InvalidStateError(
      `CancelScope.${where}: this is the root scope of all code outside runs, which is never cancelled; ` +
        "needs a scope of your own: new CancelScope().run(fn)",
    );
  }

  #armDeadline(): void {
    const extras = this.ensureExtras();
    if (extras.deadlineEntry !== undefined) this.kernel.removeDeadline(extras.deadlineEntry);
    extras.deadlineEntry = undefined;
    const when = extras.deadline ?? Infinity;
    if (when === Infinity || this.own !== null) return;
    if (when <= this.kernel.now()) {
      cancelAtDeadline(this);
      return;
    }
    extras.deadlineEntry = new Deadline(when, cancelAtDeadline, this);
    this.kernel.addDeadline(extras.deadlineEntry);
  }
}
Object.defineProperty(CancelScope.prototype, "isScope", { value: true });

/** Reason of a cancellation by deadline. */
const DEADLINE_EXCEEDED = "deadline exceeded";

function cancelAtDeadline(scope: CancelScope): void {
  if (scope.own === null) scope.flags |= TIMED_OUT;
  scope.cancel(DEADLINE_EXCEEDED);
}
