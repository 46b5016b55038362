import { ArborioError } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { watchCheckpoints } from "./probe.ts";

/** An assertion of the test kit does not hold. */
class CheckpointAssertionError extends ArborioError {}

/**
 * Runs `fn` and throws unless it passes at least one checkpoint. Counterpart: `trio.testing.assert_checkpoints`.
 *
 * @returns what `fn` returns.
 */
export async function assertCheckpoints<T>(fn: () => T | PromiseLike<T>): Promise<T> {
  const { value, count } = await counting(fn);
  if (count === 0)
    throw new CheckpointAssertionError(
      "assertCheckpoints: the function passed no checkpoint, at least one was expected",
    );
  return value;
}

/**
 * Runs `fn` and throws if it passes any checkpoint. Counterpart: `trio.testing.assert_no_checkpoints`.
 *
 * @returns what `fn` returns.
 */
export async function assertNoCheckpoints<T>(fn: () => T | PromiseLike<T>): Promise<T> {
  const { value, count } = await counting(fn);
  if (count > 0)
    throw new CheckpointAssertionError(
      `assertNoCheckpoints: the function passed ${count} checkpoints, none was expected`,
    );
  return value;
}

async function counting<T>(fn: () => T | PromiseLike<T>): Promise<{ value: T; count: number }> {
  let count = 0;
  const value = await new CancelScope().run(async (scope) => {
    const stop = watchCheckpoints(scope, () => {
      count += 1;
    });
    try {
      return await fn();
    } finally {
      stop();
    }
  });
  return { value: value as T, count };
}
