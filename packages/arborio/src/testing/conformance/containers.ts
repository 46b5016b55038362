import type { Cancelled } from "../../core/cancelled.ts";
import { checkpoint } from "../../core/checkpoint.ts";
import { StrayCancelledError } from "../../core/errors.ts";
import { ExceptionGroup } from "../../core/exception-group.ts";
import { CancelScope } from "../../core/scope.ts";
import { taskGroup } from "../../core/task-group.ts";
import { failAfter, now } from "../../sync/timeouts.ts";
import { deepEqual, equal, errorOf, instance, ok } from "./assert.ts";
import { cancelledBy } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

/** By name and fields, as Node 22 lacks the global and compilers bring their own. */
interface Suppressed extends Error {
  readonly error: unknown;
  readonly suppressed: unknown;
}

function suppressed(error: unknown, earlier: unknown): Suppressed {
  return Object.assign(new Error("suppressed"), {
    name: "SuppressedError",
    error,
    suppressed: earlier,
  });
}

/** Runs `build(cancelled)` in a scope that has been cancelled, throws the result there; what comes out, and the scope. */
async function thrownInside(
  build: (cancelled: Cancelled) => unknown,
): Promise<{ scope: CancelScope; error: unknown; original: unknown }> {
  const scope = new CancelScope();
  let error: unknown;
  let original: unknown;
  try {
    await scope.run(async () => {
      scope.cancel("inside");
      original = build(await cancelledBy(checkpoint));
      throw original;
    });
  } catch (thrown) {
    error = thrown;
  }
  return { scope, error, original };
}

/** Errors that hold errors, and what a scope takes out of them. */
export const containers: ConformanceSuite = {
  name: "containers",
  define(test) {
    const real = new Error("real");
    const other = new Error("other");

    test("containers: an AggregateError or ExceptionGroup of nothing but Cancelled is swallowed whole (§3.3)", async () => {
      const shapes: ((cancelled: Cancelled) => unknown)[] = [
        (cancelled) => new AggregateError([cancelled, cancelled]),
        (cancelled) => new ExceptionGroup([cancelled]),
        (cancelled) => new ExceptionGroup([new AggregateError([cancelled]), cancelled]),
        (cancelled) => suppressed(cancelled, cancelled),
        (cancelled) => new AggregateError([suppressed(cancelled, new ExceptionGroup([cancelled]))]),
      ];
      for (const shape of shapes) {
        const { scope, error } = await thrownInside(shape);
        equal(error, undefined);
        ok(scope.cancelledCaught);
      }
    });

    test("containers: Promise.any in a cancelled scope is cancellation (§3.3)", async () => {
      const scope = new CancelScope();
      await scope.run(async () => {
        scope.cancel();
        await Promise.any([checkpoint(), checkpoint()]);
      });
      ok(scope.cancelledCaught);
    });

    test("containers: an ExceptionGroup is pruned with its nesting, title and cause (§3.3)", async () => {
      const { scope, error } = await thrownInside(
        (cancelled) =>
          new ExceptionGroup(
            [
              cancelled,
              new ExceptionGroup([real, cancelled], "inner"),
              new ExceptionGroup([cancelled], "gone"),
              other,
            ],
            "outer",
            { cause: "the cause" },
          ),
      );
      instance(error, ExceptionGroup);
      equal(error.title, "outer");
      equal(error.cause, "the cause");
      equal(error.errors.length, 2);
      const inner: unknown = error.errors[0];
      instance(inner, ExceptionGroup);
      equal(inner.title, "inner");
      deepEqual(inner.errors, [real]);
      equal(error.errors[1], other);
      ok(!error.message.includes("gone"));
      ok(scope.cancelledCaught, "an owned leaf was removed");
    });

    test("containers: a plain AggregateError is copied without its Cancelled, the original is the cause (§3.3)", async () => {
      const { scope, error, original } = await thrownInside(
        (cancelled) => new AggregateError([cancelled, real], "both"),
      );
      instance(error, AggregateError);
      ok(error !== original);
      deepEqual(error.errors, [real]);
      equal(error.message, "both");
      equal(error.cause, original);
      equal((original as AggregateError).errors.length, 2, "the original is unchanged");
      ok(scope.cancelledCaught);
    });

    test("containers: a SuppressedError that loses one side becomes the other (§3.3)", async () => {
      for (const build of [
        (cancelled: Cancelled) => suppressed(real, cancelled),
        (cancelled: Cancelled) => suppressed(cancelled, real),
        (cancelled: Cancelled) => suppressed(cancelled, suppressed(real, cancelled)),
      ]) {
        const { scope, error } = await thrownInside(build);
        equal(error, real);
        ok(scope.cancelledCaught);
      }
    });

    test("containers: a SuppressedError with an error deeper on one side keeps both (§3.3)", async () => {
      const { error } = await thrownInside((cancelled) =>
        suppressed(new ExceptionGroup([real, cancelled]), other),
      );
      instance(error, Error);
      equal(error.name, "SuppressedError");
      const kept = error as Suppressed;
      deepEqual((kept.error as ExceptionGroup).errors, [real]);
      equal(kept.suppressed, other);
    });

    test("containers: the runtime's own SuppressedError too, where there is one (§3.3)", async () => {
      const Native = (globalThis as { SuppressedError?: typeof SuppressedError }).SuppressedError;
      if (Native === undefined) return;
      const { error } = await thrownInside((cancelled) => new Native(real, cancelled, "native"));
      equal(error, real);
    });

    test("containers: a foreign subclass that still holds a real error passes unchanged (§3.3)", async () => {
      class Foreign extends AggregateError {}
      const { error, original } = await thrownInside((cancelled) => new Foreign([cancelled, real]));
      equal(error, original);
      const pure = await thrownInside((cancelled) => new Foreign([cancelled]));
      equal(pure.error, undefined);
      ok(pure.scope.cancelledCaught);
    });

    test("containers: one without any Cancelled passes as the same object (§3.3)", async () => {
      for (const container of [
        new AggregateError([real]),
        new ExceptionGroup([real, new ExceptionGroup([other])]),
        suppressed(real, other),
      ]) {
        const { scope, error } = await thrownInside(() => container);
        equal(error, container);
        equal(scope.cancelledCaught, false);
      }
    });

    test("containers: a scope that was not cancelled takes nothing out, an outer one that was does (§3.3)", async () => {
      const outer = new CancelScope();
      const inner = new CancelScope();
      let passed: unknown;
      const error = await errorOf(
        outer.run(async () => {
          outer.cancel();
          try {
            await inner.run(async () => {
              throw new ExceptionGroup([await cancelledBy(checkpoint), real]);
            });
          } catch (thrown) {
            passed = thrown;
            throw thrown;
          }
        }),
      );
      equal((passed as ExceptionGroup).errors.length, 2);
      equal(inner.cancelledCaught, false);
      deepEqual((error as ExceptionGroup).errors, [real]);
      ok(outer.cancelledCaught);
    });

    test("failAfter: throws the rest of a container, not TimeoutError (§3.3)", async () => {
      const error = await errorOf(
        failAfter(-1, async () => {
          throw new ExceptionGroup([await cancelledBy(checkpoint), real]);
        }),
      );
      instance(error, ExceptionGroup);
      deepEqual(error.errors, [real]);
      ok(now() >= 0);
    });

    test("containers: nesting 10,000 deep is searched without overflowing the stack (§3.3)", async () => {
      const { error, scope } = await thrownInside((cancelled) => {
        let group = new ExceptionGroup([cancelled, real]);
        for (let depth = 0; depth < 10_000; depth++) group = new ExceptionGroup([group]);
        return group;
      });
      instance(error, ExceptionGroup);
      deepEqual(error.leaves(), [real]);
      ok(scope.cancelledCaught);
    });

    test("containers: one that holds itself is searched to its end (§3.3)", async () => {
      for (const leaves of [[], [real]]) {
        const { error } = await thrownInside((cancelled) => {
          const inner = new AggregateError([cancelled]);
          const cycle = new AggregateError([inner, ...leaves]);
          inner.errors.push(cycle);
          return cycle;
        });
        equal(error === undefined, leaves.length === 0);
      }
    });

    test("containers: undefined that was thrown beside a Cancelled is not lost with it (§3.3)", async () => {
      const scope = new CancelScope();
      const outcome = scope.run(async () => {
        scope.cancel();
        throw suppressed(undefined, await cancelledBy(checkpoint));
      });
      deepEqual((await Promise.allSettled([outcome]))[0], {
        status: "rejected",
        reason: undefined,
      });
      ok(scope.cancelledCaught);
    });

    test("containers: a mixed one out of a task group's body or child loses its Cancelled, and the group's scope caught it (§3.3)", async () => {
      for (const inChild of [false, true]) {
        let scope: CancelScope | undefined;
        const error = await errorOf(
          taskGroup(async (group) => {
            scope = group.scope;
            const mixed = async (): Promise<never> => {
              group.cancel("own");
              throw new AggregateError([await cancelledBy(checkpoint), real]);
            };
            if (inChild) group.startSoon(mixed);
            else await mixed();
          }),
        );
        instance(error, ExceptionGroup);
        deepEqual((error.errors[0] as AggregateError).errors, [real]);
        ok(scope?.cancelledCaught);
      }
    });
  },
};

/** A `Cancelled` that no scope around explains. */
export const stray: ConformanceSuite = {
  name: "stray Cancelled",
  define(test) {
    /** A `Cancelled` from a scope that has nothing to do with where it will be thrown. */
    const stored = async (): Promise<Cancelled> => {
      const scope = new CancelScope();
      let cancelled: Cancelled | undefined;
      await scope.run(async () => {
        scope.cancel("elsewhere");
        cancelled = await cancelledBy(checkpoint);
      });
      return cancelled as Cancelled;
    };

    test("stray: a stored Cancelled becomes StrayCancelledError at the boundary of a scope (§3.4)", async () => {
      const cancelled = await stored();
      const scope = new CancelScope();
      const error = await errorOf(scope.run(() => Promise.reject(cancelled)));
      instance(error, StrayCancelledError);
      equal(error.cause, cancelled);
      equal(scope.cancelledCaught, false);
    });

    test("stray: in a task it is an ordinary failure, never a silent end (§3.4)", async () => {
      const cancelled = await stored();
      let status: string | undefined;
      const error = await errorOf(
        taskGroup(async (group) => {
          const child = group.startSoon(() => Promise.reject(cancelled));
          await child.wait().catch(() => {});
          status = child.status;
        }),
      );
      instance(error, ExceptionGroup);
      instance(error.errors[0], StrayCancelledError);
      equal(error.errors[0].cause, cancelled);
      equal(status, "failed");
    });

    test("stray: out of a group's body it is a failure of the body (§3.4)", async () => {
      const cancelled = await stored();
      const error = await errorOf(taskGroup(() => Promise.reject(cancelled)));
      instance(error, ExceptionGroup);
      instance(error.errors[0], StrayCancelledError);
    });

    test("stray: shields do not count, a Cancelled may have crossed one (§3.4)", async () => {
      const outer = new CancelScope();
      const cancelled = await stored();
      await outer.run(async () => {
        outer.cancel();
        const shielded = new CancelScope({ shield: true });
        const error = await errorOf(shielded.run(() => Promise.reject(cancelled)));
        equal(error, cancelled, "an ancestor was cancelled, so nobody can tell");
        throw error;
      });
      ok(outer.cancelledCaught);
    });

    test("stray: a shield set after delivery does not make the Cancelled stray (§3.4)", async () => {
      const outer = new CancelScope();
      const inner = new CancelScope();
      await outer.run(async () => {
        await inner.run(async () => {
          outer.cancel("delivered");
          const cancelled = await cancelledBy(checkpoint);
          inner.shield = true;
          throw cancelled;
        });
      });
      ok(outer.cancelledCaught);
      equal(inner.cancelledCaught, false);
    });

    test("stray: a container is stray only if all its leaves are Cancelled (§3.4)", async () => {
      const cancelled = await stored();
      const real = new Error("real");
      const pure = await errorOf(
        new CancelScope().run(() => Promise.reject(new AggregateError([cancelled, cancelled]))),
      );
      instance(pure, StrayCancelledError);
      equal(pure.cause, cancelled);
      const mixed = new AggregateError([cancelled, real]);
      equal(await errorOf(new CancelScope().run(() => Promise.reject(mixed))), mixed);
    });

    test("stray: a promise shared with a cancelled task fails the other task loudly (§3.4)", async () => {
      const error = await errorOf(
        taskGroup((group) => {
          const scope = new CancelScope();
          let shared: Promise<void> | undefined;
          const first = group.startSoon(() =>
            scope.run(() => {
              shared = checkpoint().then(() => checkpoint());
              scope.cancel("mine");
              return shared;
            }),
          );
          group.startSoon(async () => {
            await first.wait();
            await shared;
          });
        }),
      );
      instance(error, ExceptionGroup);
      instance(error.errors[0], StrayCancelledError);
    });
  },
};
