import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { Cancelled } from "../core/cancelled.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { run } from "../platform/run.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { abandonOnCancel, waitersOn } from "./abandon-on-cancel.ts";
import { currentScope } from "./current.ts";

const test = onEveryBackend(nodeTest);

/** A promise that counts the reactions on it. */
class CountingPromise<T> implements PromiseLike<T> {
  reactions = 0;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  readonly #promise: Promise<T>;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#promise = promise;
    this.resolve = resolve;
    this.reject = reject;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- that is what is counted
  then<A, B>(
    onValue?: ((value: T) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.reactions += 1;
    return this.#promise.then(onValue, onError);
  }
}

/** Runs `fn` in a scope and cancels it once all wait. */
async function cancelled(fn: () => Promise<unknown>): Promise<void> {
  const scope = new CancelScope();
  const done = scope.run(fn);
  await waitAllTasksBlocked();
  scope.cancel("given up");
  await done;
  assert.ok(scope.cancelledCaught);
}

/** Microtasks enough for any promise to have been seen through. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
  await waitAllTasksBlocked();
}

/** Runs `main` and returns what came to the run's `onUnhandled`. */
async function unhandledOf(main: () => Promise<void>): Promise<unknown[]> {
  const errors: unknown[] = [];
  await run(main, { onUnhandled: (error) => errors.push(error) });
  return errors;
}

test("abandonOnCancel: returns what the promise resolves to, and throws what it rejects with", async () => {
  assert.equal(await abandonOnCancel(Promise.resolve(1)), 1);
  await assert.rejects(abandonOnCancel(Promise.reject(new RangeError("foreign"))), RangeError);
  assert.equal(await abandonOnCancel(async () => 2), 2);
  assert.equal(await abandonOnCancel(() => 3), 3);
  await assert.rejects(
    abandonOnCancel(async () => {
      throw new RangeError("foreign");
    }),
    RangeError,
  );
});

test("abandonOnCancel: on cancellation it stops waiting at once; a late value goes to onLate (§3.7)", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const late: string[] = [];
  await cancelled(() => abandonOnCancel(promise, { onLate: (value) => late.push(value) }));
  assert.deepEqual(late, []);
  resolve("a connected socket");
  await settle();
  assert.deepEqual(late, ["a connected socket"]);
});

test("abandonOnCancel: settled, then cancelled before it resumed: the value goes to onLate, not lost (§3.7)", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const late: string[] = [];
  const scope = new CancelScope();
  const done = scope.run(() => abandonOnCancel(promise, { onLate: (value) => late.push(value) }));
  resolve("socket");
  scope.cancel();
  await done;
  await settle();
  assert.deepEqual([late, scope.cancelledCaught], [["socket"], true]);
});

test("abandonOnCancel: woken by the promise, then cancelled in the same turn: it returns the value (§2.4)", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const late: string[] = [];
  const scope = new CancelScope();
  let value: string | undefined;
  const done = scope.run(async () => {
    value = await abandonOnCancel(promise, { onLate: (got) => late.push(got) });
    await checkpoint();
    assert.fail("went on although cancelled");
  });
  // Registered after the wait has begun, so it runs between the wake-up and the resumption.
  const cancelling = promise.then(() => scope.cancel());
  resolve("socket");
  await Promise.all([done, cancelling]);
  await settle();
  assert.deepEqual([value, late], ["socket", []]);
});

test("abandonOnCancel: the function's signal aborts on cancellation, with the Cancelled as reason, and not otherwise (§3.7)", async () => {
  let signal: AbortSignal | undefined;
  await cancelled(() =>
    abandonOnCancel((own) => {
      signal = own;
      return new Promise<never>(() => {});
    }),
  );
  assert.ok(signal?.aborted && signal.reason instanceof Cancelled);
  const scope = new CancelScope();
  await scope.run(async () => {
    await abandonOnCancel(async (own) => (signal = own));
    scope.cancel();
  });
  assert.equal(signal.aborted, false);
});

test("abandonOnCancel: called already cancelled, a function is not called, and a promise is taken over (§3.7)", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const late: number[] = [];
  for (const work of [promise, () => assert.fail("called although cancelled")]) {
    const scope = new CancelScope();
    scope.cancel();
    await scope.run(() => abandonOnCancel(work, { onLate: (value) => late.push(value) }));
    assert.ok(scope.cancelledCaught);
  }
  resolve(1);
  await settle();
  assert.deepEqual(late, [1]);
});

test("abandonOnCancel: a function that throws synchronously makes it reject (§2.1)", async () => {
  const promise = abandonOnCancel(() => {
    throw new RangeError("synchronous");
  });
  await assert.rejects(promise, RangeError);
});

test("abandonOnCancel: a function that cancels its own scope does not make it hang", async () => {
  const scope = new CancelScope();
  let aborted: AbortSignal | undefined;
  await scope.run(() =>
    abandonOnCancel((signal) => {
      aborted = signal;
      scope.cancel();
      return new Promise<never>(() => {});
    }),
  );
  assert.ok(scope.cancelledCaught && aborted?.aborted);
});

test("abandonOnCancel: what is neither a promise nor a function is a TypeError", async () => {
  for (const work of [1, undefined, null, {}])
    await assert.rejects(abandonOnCancel(work as never), TypeError);
});

test("abandonOnCancel: a promise given to several waits: those that still wait get the value, and no onLate does (§3.7)", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const late: string[] = [];
  const onLate = (value: string): void => void late.push(value);
  const other = abandonOnCancel(promise, { onLate });
  await cancelled(() => abandonOnCancel(promise, { onLate }));
  resolve("shared");
  assert.equal(await other, "shared");
  await settle();
  assert.deepEqual(late, []);
});

test("abandonOnCancel: if all waits for a promise were abandoned, the last one's onLate gets the value, once (§3.7)", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const late: string[] = [];
  for (const name of ["first", "last"])
    await cancelled(() =>
      abandonOnCancel(promise, { onLate: (value) => late.push(`${name}: ${value}`) }),
    );
  resolve("value");
  await settle();
  assert.deepEqual(late, ["last: value"]);
});

test("abandonOnCancel: onLate runs under the root scope, where checkpoints work (§1.7)", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { promise: seen, resolve: see } = Promise.withResolvers<boolean>();
  await cancelled(() =>
    abandonOnCancel(promise, {
      onLate: async () => {
        await checkpoint();
        see(currentScope().cancelCalled);
      },
    }),
  );
  resolve();
  assert.equal(await seen, false);
});

test("abandonOnCancel: after 100,000 abandoned waits a long-lived promise has one reaction, and none is added (§3.7)", async () => {
  const promise = new CountingPromise<number>();
  for (let i = 0; i < 100_000; i++) {
    const scope = new CancelScope();
    const done = scope.run(() => abandonOnCancel(promise));
    scope.cancel();
    await done;
  }
  assert.deepEqual([promise.reactions, waitersOn(promise)], [1, 0]);
  promise.resolve(1);
  await settle();
  assert.equal(await abandonOnCancel(promise), 1);
  assert.equal(promise.reactions, 2);
});

nodeTest(
  "abandonOnCancel: a late rejection goes to the run's onUnhandled, once, however many waits were abandoned (§3.7)",
  async () => {
    const error = new RangeError("late");
    const unhandled = await unhandledOf(async () => {
      const { promise, reject } = Promise.withResolvers<void>();
      for (let i = 0; i < 3; i++) await cancelled(() => abandonOnCancel(promise));
      reject(error);
      await settle();
    });
    assert.deepEqual(unhandled, [error]);
  },
);

nodeTest(
  "abandonOnCancel: a rejection that somebody waits for is not reported, nor one that answers the abort (§3.7)",
  async () => {
    const unhandled = await unhandledOf(async () => {
      const { promise, reject } = Promise.withResolvers<void>();
      const waiting = assert.rejects(abandonOnCancel(promise), RangeError);
      await cancelled(() => abandonOnCancel(promise));
      reject(new RangeError("seen"));
      await waiting;
      for (const answer of [
        (signal: AbortSignal) => signal.reason as unknown,
        () => new DOMException("aborted", "AbortError"),
      ]) {
        await cancelled(() =>
          abandonOnCancel(
            (signal) =>
              new Promise((_, rejectWork) => {
                signal.addEventListener("abort", () => rejectWork(answer(signal)));
              }),
          ),
        );
      }
      await settle();
    });
    assert.deepEqual(unhandled, []);
  },
);

nodeTest(
  "abandonOnCancel: what onLate throws, at once or later, goes to onUnhandled (§3.7)",
  async () => {
    const errors = [new RangeError("at once"), new RangeError("later")];
    const unhandled = await unhandledOf(async () => {
      for (const [index, onLate] of [
        () => {
          throw errors[0];
        },
        () => Promise.reject(errors[1]),
      ].entries()) {
        const { promise, resolve } = Promise.withResolvers<number>();
        await cancelled(() => abandonOnCancel(promise, { onLate }));
        resolve(index);
        await settle();
      }
    });
    assert.deepEqual(unhandled, errors);
  },
);

nodeTest(
  "abandonOnCancel: a wait that floats when its scope is left is abandoned, and its promise owned (§1.6, §3.7)",
  async () => {
    const unhandled = await unhandledOf(async () => {
      const { promise, reject } = Promise.withResolvers<void>();
      await new CancelScope().run(async () => {
        void abandonOnCancel(promise);
        await checkpoint();
      });
      reject(new RangeError("late"));
      await settle();
    });
    assert.equal(unhandled.length, 1);
  },
);
