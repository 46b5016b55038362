import { shielded } from "../sync/shield.ts";

type Disposer = () => unknown;

/**
 * Disposes values that nobody will ever get: losers' late values, and what was ready when a combinator failed. Last come,
 * first disposed; `Symbol.asyncDispose` rather than `Symbol.dispose`; not a cancellation point. Each object once.
 *
 * @returns the errors that the disposers threw.
 */
export async function disposeUnclaimed(values: readonly unknown[]): Promise<unknown[]> {
  const disposers: Disposer[] = [];
  for (const value of new Set(values)) {
    const disposer = disposerOf(value);
    if (disposer !== null) disposers.push(disposer);
  }
  const errors: unknown[] = [];
  if (disposers.length === 0) return errors;
  await shielded(async () => {
    for (const dispose of disposers.reverse()) {
      try {
        await dispose();
      } catch (error) {
        errors.push(error);
      }
    }
  });
  return errors;
}

/** Disposes one value that came too late; throws what its disposer throws. */
export async function disposeLate(value: unknown): Promise<void> {
  const errors = await disposeUnclaimed([value]);
  if (errors.length > 0) throw errors[0];
}

function disposerOf(value: unknown): Disposer | null {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return null;
  const { [Symbol.asyncDispose]: disposeAsync, [Symbol.dispose]: dispose } = value as Partial<
    AsyncDisposable & Disposable
  >;
  if (typeof disposeAsync === "function") return () => disposeAsync.call(value);
  // What a synchronous disposer returns is not waited for, as in `await using`.
  if (typeof dispose === "function") {
    return () => {
      dispose.call(value);
    };
  }
  return null;
}
