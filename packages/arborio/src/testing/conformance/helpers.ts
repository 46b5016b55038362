import { ambientScope } from "../../core/ambient.ts";
import { Cancelled } from "../../core/cancelled.ts";
import type { Kernel } from "../../core/kernel.ts";
import { suspend, type Wakeable } from "../../core/lowlevel.ts";
import { CancelScope } from "../../core/scope.ts";

/** Gaps of the suites, with their reasons. */
export const HOST_ORDER = {
  skip: {
    backend: "simulator",
    reason: "it starts and wakes tasks in seeded-random order",
  },
} as const;
export const HOST_TIME = {
  skip: {
    backend: "simulator",
    reason: "its time stands still while a task computes",
  },
} as const;
export const HOST_TIMERS = {
  skip: {
    backend: "simulator",
    reason: "every resumption is a turn there, so that one such test is enough",
  },
} as const;

/** A place to park, on the bare suspension primitive. The one that has waited longest is woken first. */
export class Parking<T = void> {
  readonly waiters: Wakeable<T>[] = [];
  /** How many waits were withdrawn by cancellation. */
  aborted = 0;
  /** How many waits began. */
  begun = 0;

  wait(): Promise<T> {
    return suspend<T>({ kind: "parking", resource: this }, (waiter) => {
      this.begun += 1;
      this.waiters.push(waiter);
      return () => {
        this.aborted += 1;
        this.waiters.splice(this.waiters.indexOf(waiter), 1);
      };
    });
  }

  /** Wakes the first; whether there was one. */
  wake(value: T): boolean {
    return this.waiters.shift()?.wake(value) ?? false;
  }

  wakeAll(value: T): void {
    while (this.waiters.length > 0) this.wake(value);
  }
}

export function currentKernel(): Kernel {
  return ambientScope().kernel;
}

/** A promise that is not ours, settled from outside; awaiting it is no checkpoint. */
export interface Foreign<T = void> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function foreign<T = void>(): Foreign<T> {
  return Promise.withResolvers<T>();
}

/** Some turns of the microtask queue, without a checkpoint. */
export async function microtasks(count = 20): Promise<void> {
  for (let index = 0; index < count; index++) await Promise.resolve();
}

/** Runs `fn` and returns the `Cancelled` that comes out, swallowing it. */
export async function cancelledBy(fn: () => unknown): Promise<Cancelled> {
  try {
    await fn();
  } catch (error) {
    if (error instanceof Cancelled) return error;
    throw error;
  }
  throw new Error("got no rejection, needed Cancelled");
}

/** Runs `fn` in a scope that is cancelled already. */
export async function inCancelledScope(
  fn: (scope: CancelScope) => unknown,
  reason: unknown = "before",
): Promise<CancelScope> {
  const scope = new CancelScope();
  scope.cancel(reason);
  await scope.run(fn);
  return scope;
}

/** Runs `fn` where cancellation from outside does not reach: for cleanup that waits. */
export function inShield<T>(fn: () => T | PromiseLike<T>): Promise<T | undefined> {
  return new CancelScope({ shield: true }).run(fn);
}
