/** Graceful, then hard: `scope.shutdown()` asks what is inside to end, and cancels it after a grace. */
import { requireTime } from "./arguments.ts";
import { Deadline } from "./deadlines.ts";
import { ASKED, CLOSED, OPEN, SHIELD, SOFT } from "./flags.ts";
import type { CancelScope } from "./scope.ts";

/** The reason that soft scopes are given if no other is known. */
export const SHUTTING_DOWN = "shutting down";

/** Options of `CancelScope.shutdown`. */
export interface ShutdownOptions {
  /** Milliseconds until everything still running in the scope is cancelled. Default 0: at once. `Infinity`: never. */
  readonly graceMs?: number;
  /** Why; what the `Cancelled` of soft scopes and of the hard stop will say. Default `"shutting down"`. */
  readonly reason?: unknown;
}

export function shutdownScope(scope: CancelScope, options: ShutdownOptions = {}): void {
  const { graceMs = 0, reason = SHUTTING_DOWN } = options;
  requireTime("CancelScope.shutdown({ graceMs })", graceMs);
  if ((scope.flags & CLOSED) !== 0) return;
  scope.flags |= ASKED;
  setHardStop(scope, graceMs, reason);
  askSoftScopes(scope, reason);
}

/** Cancels the soft scopes below `top` that no shield hides. */
export function askSoftScopes(top: CancelScope, reason: unknown): void {
  for (const soft of softScopesIn(top)) soft.cancel(reason);
}

/** Whether a shutdown has asked `scope`, or one around it that no shield hides. */
export function isAsked(scope: CancelScope): boolean {
  for (let at: CancelScope | null = scope; at !== null; at = at.parent) {
    if ((at.flags & ASKED) !== 0) return true;
    if ((at.flags & SHIELD) !== 0) return false;
  }
  return false;
}

/** The outermost soft scopes below `top` that no shield hides. */
function softScopesIn(top: CancelScope): CancelScope[] {
  const found: CancelScope[] = [];
  const stack: CancelScope[] = [top];
  for (let scope = stack.pop(); scope !== undefined; scope = stack.pop()) {
    if ((scope.flags & SOFT) !== 0) {
      found.push(scope);
      continue;
    }
    for (let member = scope.first; member !== null; member = scope.after(member)) {
      if (member.isScope && ((member as CancelScope).flags & SHIELD) === 0)
        stack.push(member as CancelScope);
    }
  }
  return found;
}

/** The hard stop is its own entry in the heap, never the scope's `deadline`: `failAfter` would call it a timeout. */
function setHardStop(scope: CancelScope, graceMs: number, reason: unknown): void {
  if (graceMs <= 0) {
    scope.cancel(reason);
    return;
  }
  const extras = scope.ensureExtras();
  if ((scope.flags & OPEN) === 0) {
    const { graceMs: earlier = Infinity } = extras.early ?? {};
    if (extras.early === undefined || graceMs < earlier) extras.early = { graceMs, reason };
    return;
  }
  if (graceMs === Infinity) return;
  const when = scope.kernel.now() + graceMs;
  if (extras.hardStop !== undefined) {
    if (extras.hardStop.when <= when) return;
    scope.kernel.removeDeadline(extras.hardStop);
  }
  extras.hardStop = new Deadline(when, () => scope.cancel(reason), null);
  scope.kernel.addDeadline(extras.hardStop);
}
