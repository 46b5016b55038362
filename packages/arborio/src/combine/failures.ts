/**
 * How the combinators fail: the first error is thrown bare, as `Promise.all` does, and the others are attached to it as
 * `suppressed`, so that none is lost. One thing must survive beside a real error: that the surroundings were cancelled. Then
 * a `SuppressedError` of both is thrown; the scope that owns the cancellation takes its side away, and the bare error is
 * what comes out there. It is the counterpart of the `Cancelled` that a task group adds as its last leaf.
 */
import { ambientScope } from "../core/ambient.ts";
import { type Cancelled, isCancelled } from "../core/cancelled.ts";
import { TaskCancelled } from "../core/errors.ts";
import { ON_BEHALF } from "../core/flags.ts";
import { ExceptionGroup } from "../core/exception-group.ts";
import { NOTHING, withoutCancellation, withoutOwned } from "../core/ownership.ts";
import type { Work } from "./functions.ts";

/**
 * Most errors attached to one. An error object that is thrown again and again (a constant) would collect them for ever; a
 * thousand are more than anybody reads.
 */
export const SUPPRESSED_MAX = 1000;

/** What a combinator throws for what its task group threw (or its flow), and `more` errors that came later. */
export function bareError(thrown: unknown, more: readonly unknown[] = []): unknown {
  const errors: unknown[] = [];
  let cancelled: Cancelled | null = null;
  const sources = thrown instanceof ExceptionGroup ? [thrown.errors, more] : [[thrown], more];
  for (const source of sources) {
    for (const error of source) {
      if (isCancelled(error)) cancelled ??= error;
      else errors.push(error);
    }
  }
  if (errors.length === 0) return cancelled;
  const first = withSuppressed(errors[0], errors.slice(1));
  return cancelled === null ? first : suppressedError(first, cancelled);
}

/**
 * Attaches `others` to `error` as its property `suppressed`, after those already there, and returns `error`. The property is
 * enumerable: what prints an error then shows them too. An error that can have no new property is left as it is.
 */
export function withSuppressed(error: unknown, others: readonly unknown[]): unknown {
  const news = others.filter((other) => other !== error);
  if (news.length === 0 || typeof error !== "object" || error === null) return error;
  const before: unknown = (error as { suppressed?: unknown }).suppressed;
  if (error instanceof Error && error.name === "SuppressedError" && "error" in error) {
    // It keeps its shape, which scopes look into: what it suppressed becomes several errors.
    const value = new ExceptionGroup([before, ...news], "several suppressed errors");
    Reflect.defineProperty(error, "suppressed", { value, configurable: true, writable: true });
    return error;
  }
  const all = before === undefined ? news : [before, news].flat();
  Reflect.defineProperty(error, "suppressed", {
    value: all.slice(0, SUPPRESSED_MAX),
    configurable: true,
    enumerable: true,
    writable: true,
  });
  return error;
}

/** A `SuppressedError` that scopes look into, also where the runtime has no such class (Node 22). */
export function suppressedError(error: unknown, suppressed: unknown): Error {
  const message = "failed while being cancelled";
  if (typeof SuppressedError === "function") return new SuppressedError(error, suppressed, message);
  const hidden = (value: unknown): PropertyDescriptor => ({
    value,
    configurable: true,
    writable: true,
  });
  return Object.defineProperties(new Error(message), {
    name: hidden("SuppressedError"),
    error: hidden(error),
    suppressed: hidden(suppressed),
  });
}

/** Whether any cancellation is in `error`. */
export function holdsCancellation(error: unknown): boolean {
  return withoutCancellation(error) !== error;
}

/**
 * Calls `fn` as the body of a task. What it throws is cancellation from outside the task, or a failure: a task that cancelled
 * its own scope has no value, and fails with `TaskCancelled`.
 */
export async function callInTask<T>(fn: Work<T>): Promise<T> {
  ambientScope().task.flags |= ON_BEHALF;
  try {
    return await fn();
  } catch (error) {
    const { task } = ambientScope();
    task.kernel.fireDue();
    const rest = withoutOwned(task, error);
    throw rest === NOTHING
      ? new TaskCancelled(`${task.describe()} cancelled itself, so it has no result`)
      : rest;
  }
}

/**
 * For combinators to which a failure is a result: throws the cancellation on that came from outside the task and is in
 * `error`, for it is no result. A real error beside it is one, and shares its fate: when cancelled, nobody gets the results.
 */
export function rethrowCancellation(error: unknown): void {
  const { applied } = ambientScope().task;
  if (applied !== null && holdsCancellation(error)) throw applied;
}
