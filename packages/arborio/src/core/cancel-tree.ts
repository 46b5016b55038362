/**
 * Delivery of cancellation through the tree of scopes. Each scope caches the `Cancelled` that applies to it, so that a
 * checkpoint asks one field; `cancel()` and changes of `shield` push it down. First everything is marked and the waiters are
 * collected, then the waiters are aborted, oldest first, then the signals fire: so abort functions and listeners may
 * cancel, wake and close at will. Iterative, since 100,000 nested scopes must not overflow the stack; no polling, so a
 * cancelled tree that waits in a shield costs nothing.
 */
import type { Cancelled } from "./cancelled.ts";
import { CLOSING, SHIELD } from "./flags.ts";
import type { CancelScope } from "./scope.ts";
import type { Waiter } from "./suspend.ts";

/** Applies `cancelled` to `top` and to everything below it that no shield hides and no other cancellation reached before. */
export function deliver(top: CancelScope, cancelled: Cancelled): void {
  const waiters: Waiter<unknown>[] = [];
  const signals: CancelScope[] = [];
  const stack: CancelScope[] = [top];
  for (let scope = stack.pop(); scope !== undefined; scope = stack.pop()) {
    scope.applied = cancelled;
    if (scope.extras?.controller !== undefined) signals.push(scope);
    for (let member = scope.first; member !== null; member = scope.after(member)) {
      if (!member.isScope) waiters.push(member as Waiter<unknown>);
      else if (isReachable(member as CancelScope)) stack.push(member as CancelScope);
    }
  }
  abortOldestFirst(waiters, cancelled);
  for (const scope of signals) scope.extras?.controller?.abort(cancelled);
}

function isReachable(scope: CancelScope): boolean {
  return (scope.flags & SHIELD) === 0 && scope.applied === null;
}

/**
 * A shield went up over `top`: what had only come from above no longer applies below. Waiters keep waiting, nothing is undone.
 * What floats in a scope that has been left stays cancelled: no shield may keep it there.
 */
export function retract(top: CancelScope): void {
  const stack: CancelScope[] = [top];
  for (let scope = stack.pop(); scope !== undefined; scope = stack.pop()) {
    if ((scope.flags & CLOSING) !== 0) continue;
    scope.applied = inheritedCancellation(scope) ?? scope.own;
    for (let member = scope.first; member !== null; member = scope.after(member)) {
      if (member.isScope && ((member as CancelScope).flags & SHIELD) === 0)
        stack.push(member as CancelScope);
    }
  }
}

/** A shield was taken away from `scope`: what visible ancestors hold applies from now on. */
export function expose(scope: CancelScope): void {
  const inherited = inheritedCancellation(scope);
  if (inherited !== null && scope.applied === null) deliver(scope, inherited);
}

/** The cancellation of a visible ancestor, `null` if there is none. */
export function inheritedCancellation(scope: CancelScope): Cancelled | null {
  return (scope.flags & SHIELD) !== 0 || scope.parent === null ? null : scope.parent.applied;
}

function abortOldestFirst(waiters: Waiter<unknown>[], cancelled: Cancelled): void {
  let sorted = true;
  for (let index = 1; index < waiters.length && sorted; index++) {
    sorted =
      (waiters[index - 1] as Waiter<unknown>).order < (waiters[index] as Waiter<unknown>).order;
  }
  // The usual tree is collected in order or in exact reverse; only a mixed one is sorted.
  if (!sorted) waiters.sort((a, b) => a.order - b.order);
  for (const waiter of waiters) waiter.abort(cancelled);
}
