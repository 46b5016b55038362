import { ambientScope } from "../core/ambient.ts";
import { ExceptionGroup } from "../core/exception-group.ts";
import { type TaskGroup, taskGroup } from "../core/task-group.ts";
import { disposeLate, disposeUnclaimed } from "./dispose.ts";
import { bareError, callInTask, rethrowCancellation } from "./failures.ts";
import type { Work } from "./functions.ts";

/**
 * Functions of which one wins: what `race`, `any` and `hedge` share. The first value cancels the group; a value that comes
 * after it is disposed at once, in the loser's own task, and an error of that fails the group: nothing is swallowed.
 */
export class Contest<T> {
  readonly #where: string;
  readonly #group: TaskGroup;
  #winner: { readonly value: T } | null = null;
  /** By function, so that the error of all lists them in the order given. */
  readonly #failures: unknown[] = [];

  constructor(where: string, group: TaskGroup) {
    this.#where = where;
    this.#group = group;
  }

  /** Calls `fn` as the body of a task of the group; its failure is one of the group. */
  async enter(fn: Work<T>): Promise<void> {
    await this.#take(await callInTask(fn));
  }

  /** `enter` for a function that may fail as long as another one succeeds. Tells whether it has failed. */
  async attempt(fn: Work<T>, index: number): Promise<boolean> {
    let value: T;
    try {
      value = await callInTask(fn);
    } catch (error) {
      rethrowCancellation(error);
      this.#failures[index] = error;
      return true;
    }
    await this.#take(value);
    return false;
  }

  async #take(value: T): Promise<void> {
    if (this.#winner === null) {
      this.#winner = { value };
      this.#group.cancel(`${this.#where}: another function was first`);
    } else if (value !== this.#winner.value) {
      await disposeLate(value);
    }
  }

  /** The winner's value; throws if all have failed. To be called when the group has ended without an error. */
  get value(): T {
    if (this.#winner !== null) return this.#winner.value;
    const { applied } = ambientScope();
    const errors = applied === null ? this.#failures : [...this.#failures, applied];
    throw new ExceptionGroup(errors, `${this.#where}: all functions failed`);
  }

  /** What to throw for an error of the group. The winner's value is disposed, since nobody gets it. */
  async failure(error: unknown): Promise<unknown> {
    const unclaimed = this.#winner === null ? [] : [this.#winner.value];
    return bareError(error, await disposeUnclaimed(unclaimed));
  }
}

/** Holds the contest that `start` starts, and returns the winner's value when all others have ended too. */
export async function contest<T>(
  where: string,
  start: (contest: Contest<T>, group: TaskGroup) => void,
): Promise<T> {
  let held!: Contest<T>;
  try {
    await taskGroup((group) => {
      held = new Contest(where, group);
      start(held, group);
    });
  } catch (error) {
    throw await held.failure(error);
  }
  return held.value;
}
