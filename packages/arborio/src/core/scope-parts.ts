/** What a scope is made of, apart from its behaviour. */
import type { Cancelled } from "./cancelled.ts";
import type { Deadline } from "./deadlines.ts";
import type { ShutdownOptions } from "./shutdown.ts";
import type { StartState } from "./start.ts";
import type { Task } from "./task.ts";
import type { TaskGroup } from "./task-group.ts";
import type { WaitQueue } from "./wait-queue.ts";

/** @internal What a scope's list holds: waits of its flows, and scopes (also tasks) opened in it. Linked through the members themselves. */
export interface ScopeMember {
  readonly isScope: boolean;
  previous: ScopeMember | null;
  next: ScopeMember | null;
}

/** What few scopes need, kept apart so that a million waiting tasks need not pay for it. */
export interface ScopeExtras {
  /** The scope's own cancellation. */
  own?: Cancelled;
  deadline?: number;
  deadlineEntry?: Deadline | undefined;
  /** Makes the error to throw when the deadline cuts the scope short; without it there is none. */
  timeoutError?: () => Error;
  /** What `run` returned. */
  outcome?: Promise<unknown>;
  hardStop?: Deadline | undefined;
  /** Grace of a shutdown that came before the scope was opened; it counts from the opening. */
  early?: ShutdownOptions;
  controller?: AbortController | undefined;
  /** Called when the last thing that floated below the closing scope has ended. */
  drained?: (() => void) | undefined;
  /** Where the scope was opened; known in `dev` only. */
  openedAt?: string | undefined;
  /** What everything below runs on, if it is not the run's own backend. */
  backend?: { readonly name: string };
  /** The group whose scope this is. */
  group?: TaskGroup | undefined;
  /** Of a task: who waits for its end. */
  enders?: WaitQueue<void> | undefined;
  /** Of a task: what breaks when it ends while holding it. */
  held?: Set<BreaksWithTask> | undefined;
  /** Of a task started with `group.start`: who waits for `started`. */
  start?: StartState | undefined;
}

/** Something a task owns and others wait for, such as a lock. */
export interface BreaksWithTask {
  /** Called when the task that owns this has ended without giving it up. */
  breakWith(task: Task): void;
}
