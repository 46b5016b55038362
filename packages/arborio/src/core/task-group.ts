import { ambientScope, runInScope } from "./ambient.ts";
import { requireFunction } from "./arguments.ts";
import { inheritedCancellation } from "./cancel-tree.ts";
import { type Cancelled, isCancelled } from "./cancelled.ts";
import { GroupClosedError, TaskCancelled } from "./errors.ts";
import { BODY_ENDED, CAUGHT, DAEMON, FAILED } from "./flags.ts";
import { groupError } from "./group-error.ts";
import {
  isStray,
  ownsCancellation,
  pureCancellation,
  strayError,
  withoutCancellation,
} from "./ownership.ts";
import { capture, captured } from "./promise.ts";
import { callForPromise } from "./leave.ts";
import { CancelScope } from "./scope.ts";
import { startAndWait, type StartStatus } from "./start.ts";
import { spawn, type Task, type TaskHandle } from "./task.ts";

/** Options of `group.startSoon`. */
export interface TaskOptions {
  /** For the task tree and messages. Default: the name of the function. */
  readonly name?: string;
  /** A daemon does not keep its group open: it is cancelled when the body and all other children have ended. Default `false`. */
  readonly daemon?: boolean;
}

/** Options of `group.start`. */
export interface StartOptions {
  /** For the task tree and messages. Default: the name of the function. */
  readonly name?: string;
}

/** What `group.cancel()` of an ended body is told by: it ended because of that. */
const BODY_CUT =
  "the body of the task group was cut short by the group's own cancellation, so it has no value";

type Settle = (value: never) => void;

/** The children of one `taskGroup` call. Counterpart: `trio.Nursery`. */
export class TaskGroup {
  /** Cancelling it cancels body and children. */
  readonly scope: CancelScope = new CancelScope();
  #children = 0;
  #daemons = 0;
  #ended = false;
  /** The first cancellation that cut a child or the body short without being the child's own. */
  #cut: Cancelled | null = null;
  #bodyCut = false;
  #bodyFailed = false;
  #bodyResult: unknown = undefined;
  readonly #childErrors: unknown[] = [];
  #resolve: Settle;
  #reject: Settle;
  /** @internal Settles as `taskGroup` does. */
  readonly outcome: Promise<unknown>;

  /** @internal */
  constructor(parent: CancelScope) {
    this.scope.enter(parent);
    this.scope.ensureExtras().group = this;
    this.outcome = new Promise<unknown>(capture);
    this.#resolve = captured.resolve;
    this.#reject = captured.reject;
  }

  /**
   * Starts `fn` as a child: later in the same turn, never inline, in order of the calls. The child keeps the caller's async
   * context and runs to its first checkpoint even in a cancelled group. Synchronous; works from any context.
   *
   * @throws GroupClosedError after the group has ended.
   */
  startSoon<T>(fn: () => T | PromiseLike<T>, options?: TaskOptions): TaskHandle<T> {
    requireFunction("group.startSoon", fn);
    return this.spawn("group.startSoon", fn, options?.name, options?.daemon === true);
  }

  /**
   * Starts `fn` as a child and waits until it calls `status.started(value)`. An error before that comes out of `start` bare,
   * and the group goes on. If the caller is cancelled meanwhile, the child is cancelled and waited for first.
   *
   * @returns the value given to `started`.
   * @throws InvalidStateError if the child returned without calling `started`.
   * @throws TaskCancelled if the child was cancelled before `started`, and the caller was not.
   */
  start<T = void>(fn: (status: StartStatus<T>) => unknown, options?: StartOptions): Promise<T> {
    return startAndWait(this, fn, options?.name);
  }

  /** Cancels the body and all children: `group.scope.cancel(reason)`. */
  cancel(reason?: unknown): void {
    this.scope.cancel(reason);
  }

  /** @internal */
  spawn<T>(
    where: string,
    fn: () => T | PromiseLike<T>,
    name: string | undefined,
    daemon: boolean,
  ): Task<T> {
    if (this.#ended) {
      throw new GroupClosedError(
        `${where}: the task group of ${this.scope.task.describe()} has ended; start the task while its body or a child still runs`,
      );
    }
    if (daemon) this.#daemons += 1;
    else this.#children += 1;
    const task = spawn(this, fn, name, daemon);
    if (daemon && this.#onlyDaemonsLeft) this.#cancelDaemons();
    return task;
  }

  /** @internal */
  childEnded(task: Task): void {
    if ((task.flags & DAEMON) !== 0) this.#daemons -= 1;
    else this.#children -= 1;
    if (task.extras?.start?.childEnded(task) !== true) {
      if ((task.flags & FAILED) !== 0) this.#fail(task.slot);
      else if (isCancelled(task.slot)) this.#cut ??= task.slot;
    }
    this.#endIfDone();
  }

  /** @internal */
  bodyReturned(value: unknown): void {
    this.#bodyResult = value;
    this.#bodyEnded();
  }

  /** @internal */
  bodyThrew(error: unknown): void {
    const { scope } = this;
    scope.kernel.fireDue();
    const pure = pureCancellation(error);
    if (pure !== null && !isStray(scope)) {
      this.#bodyCut = true;
      this.#cut ??= pure;
    } else {
      this.#bodyFailed = true;
      this.#bodyResult = pure === null ? error : strayError(scope, pure);
      scope.cancel(this.#bodyResult);
    }
    this.#bodyEnded();
  }

  /** @internal Whether the body failed and no child did: then `run` throws the body's error bare. */
  get failedInBodyOnly(): boolean {
    return this.#bodyFailed && this.#childErrors.length === 0;
  }

  /** @internal */
  get bodyError(): unknown {
    return this.#bodyResult;
  }

  #fail(error: unknown): void {
    this.#childErrors.push(error);
    this.scope.cancel(error);
  }

  #bodyEnded(): void {
    this.scope.flags |= BODY_ENDED;
    this.#endIfDone();
  }

  get #onlyDaemonsLeft(): boolean {
    return this.#children === 0 && (this.scope.flags & BODY_ENDED) !== 0;
  }

  #endIfDone(): void {
    if (!this.#onlyDaemonsLeft || this.#ended) return;
    if (this.#daemons > 0) {
      this.#cancelDaemons();
      return;
    }
    // The group ends with its last child, not when its host resumes.
    this.#ended = true;
    this.scope.closeThen(() => this.#settle());
  }

  #cancelDaemons(): void {
    const { scope } = this;
    const daemons: Task[] = [];
    for (let member = scope.first; member !== null; member = scope.after(member)) {
      if (member.isScope && ((member as CancelScope).flags & DAEMON) !== 0)
        daemons.push(member as Task);
    }
    for (const daemon of daemons) daemon.cancel("the other tasks of its group have ended");
  }

  #settle(): void {
    const { scope } = this;
    const { kernel } = scope;
    const inherited = inheritedCancellation(scope);
    if (this.#bodyFailed || this.#childErrors.length > 0) {
      const errors = this.#bodyFailed
        ? [this.#bodyResult, ...this.#childErrors]
        : this.#childErrors;
      const real = errors.map(withoutCancellation);
      const removed = this.#cut !== null || real.some((error, index) => error !== errors[index]);
      if (inherited === null && removed) scope.flags |= CAUGHT;
      kernel.settle(this.#reject, groupError(real, inherited));
    } else if (this.#cut !== null && !ownsCancellation(scope)) {
      this.outcome.catch(() => {});
      kernel.settle(this.#reject, inherited ?? this.#cut);
    } else {
      if (this.#cut !== null) scope.flags |= CAUGHT;
      if (this.#bodyCut) kernel.settle(this.#reject, new TaskCancelled(BODY_CUT));
      else kernel.settle(this.#resolve, this.#bodyResult);
    }
  }
}

/**
 * Opens a group of tasks, runs `body` in it at once, and returns the body's value when body and all children have ended.
 * The first failure of body or child cancels the others; all are waited for. Not a checkpoint itself.
 *
 * @returns the body's value; a body that returned keeps it, however the group was cancelled by itself afterwards.
 * @throws ExceptionGroup with every error, the body's first, then the children's in order of completion; also for one error.
 * @throws TaskCancelled if the group's own `cancel()` cut the body short.
 * @throws ScopeClosedError if the calling flow has outlived its own scope.
 *
 * Counterpart: `trio.open_nursery`.
 *
 * @example Two children
 * ```ts
 * import { run, sleep, taskGroup } from "arborio";
 *
 * await run(async () => {
 *   await taskGroup(async (group) => {
 *     group.startSoon(() => sleep(10));
 *     group.startSoon(() => sleep(20));
 *   });
 * });
 * ```
 */
export function taskGroup<T>(body: (group: TaskGroup) => T | PromiseLike<T>): Promise<T> {
  const parent = ambientScope();
  try {
    requireFunction("taskGroup", body);
    return openTaskGroup(parent, body).outcome as Promise<T>;
  } catch (error) {
    return parent.kernel.rejected(error);
  }
}

/** `taskGroup` for those who need the group itself. */
export function openTaskGroup<T>(
  parent: CancelScope,
  body: (group: TaskGroup) => T | PromiseLike<T>,
): TaskGroup {
  const group = new TaskGroup(parent);
  runInScope(group.scope, runBody, body as (group: TaskGroup) => unknown);
  return group;
}

function runBody(body: (group: TaskGroup) => unknown): void {
  void callForPromise(body, ambientGroup()).then(bodyReturned, bodyThrew);
}

function bodyReturned(value: unknown): void {
  ambientGroup().bodyReturned(value);
}

function bodyThrew(error: unknown): void {
  ambientGroup().bodyThrew(error);
}

/** The group whose body this is. */
function ambientGroup(): TaskGroup {
  return ambientScope().extras?.group as TaskGroup;
}
