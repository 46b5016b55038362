import { Cancelled } from "../../core/cancelled.ts";
import { checkpoint } from "../../core/checkpoint.ts";
import { TaskFailed } from "../../core/errors.ts";
import { ExceptionGroup } from "../../core/exception-group.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { CancelScope } from "../../core/scope.ts";
import { taskGroup } from "../../core/task-group.ts";
import { taskTree } from "../../core/task-tree.ts";
import { sleep, sleepForever } from "../../sync/timeouts.ts";
import { assertExceptionGroup } from "../match-group.ts";
import { deepEqual, equal, errorOf, instance, ok } from "./assert.ts";
import { cancelledBy, inShield, Parking } from "./helpers.ts";
import type { ConformanceSuite } from "./suite.ts";

async function groupErrorOf(promise: Promise<unknown>): Promise<ExceptionGroup> {
  const error = await errorOf(promise);
  instance(error, ExceptionGroup);
  return error;
}

/** Task groups that fail. */
export const taskGroupErrors: ConformanceSuite = {
  name: "errors of task groups",
  define(test) {
    test("taskGroup: one task fails, one has slow cleanup, one throws in its cleanup: all is waited for and both errors come out (§4)", async () => {
      const log: string[] = [];
      const error = await groupErrorOf(
        taskGroup((group) => {
          group.startSoon(async () => {
            await waitAllTasksBlocked();
            throw new Error("the first failure");
          });
          group.startSoon(async () => {
            try {
              await sleepForever();
            } finally {
              await inShield(() => sleep(5));
              log.push("slow cleanup done");
            }
          });
          group.startSoon(async () => {
            try {
              await sleepForever();
            } finally {
              await inShield(() => sleep(1));
              // oxlint-disable-next-line no-unsafe-finally -- this is what the test is about
              throw new Error("the cleanup failed");
            }
          });
        }),
      );
      deepEqual(log, ["slow cleanup done"]);
      deepEqual(
        error.errors.map((one) => (one as Error).message),
        ["the first failure", "the cleanup failed"],
      );
    });

    test("taskGroup: always wraps, also a single error, of a child or of the body (§4.4)", async () => {
      const error = new TypeError("only");
      const ofChild = taskGroup((group) => void group.startSoon(() => Promise.reject(error)));
      deepEqual((await groupErrorOf(ofChild)).errors, [error]);
      deepEqual((await groupErrorOf(taskGroup(() => Promise.reject(error)))).errors, [error]);
      const thrown = taskGroup((group) => {
        group.startSoon(() => {
          throw error;
        });
      });
      deepEqual((await groupErrorOf(thrown)).errors, [error]);
      ok((await groupErrorOf(taskGroup(() => Promise.reject(error)))) instanceof AggregateError);
    });

    test("taskGroup: nested groups nest (§4.4)", async () => {
      const error = await groupErrorOf(
        taskGroup((outer) => {
          outer.startSoon(() =>
            taskGroup((inner) => void inner.startSoon(() => Promise.reject(new RangeError("in")))),
          );
        }),
      );
      assertExceptionGroup(error, [[RangeError]]);
    });

    test("taskGroup: the first failure of a child cancels body and siblings, with the error as reason (§4.4)", async () => {
      const real = new Error("real");
      const reasons: unknown[] = [];
      const wait = async (): Promise<void> => {
        const cancelled = await cancelledBy(sleepForever);
        reasons.push(cancelled.reason);
        throw cancelled;
      };
      const error = await groupErrorOf(
        taskGroup(async (group) => {
          group.startSoon(wait);
          group.startSoon(async () => {
            await waitAllTasksBlocked();
            throw real;
          });
          await wait();
        }),
      );
      deepEqual(error.errors, [real]);
      deepEqual(reasons, [real, real]);
    });

    test("taskGroup: a failing body cancels the children and waits for them (§4.4)", async () => {
      const log: string[] = [];
      const error = await groupErrorOf(
        taskGroup(async (group) => {
          group.startSoon(async () => {
            try {
              await sleepForever();
            } finally {
              await inShield(() => checkpoint());
              log.push("cleaned up");
            }
          });
          await waitAllTasksBlocked();
          throw new Error("body");
        }),
      );
      assertExceptionGroup(error, [/^body$/]);
      deepEqual(log, ["cleaned up"]);
    });

    test("taskGroup: every error, the body's first, then the children's in order of completion (§4.4)", async () => {
      const parkings = [new Parking(), new Parking(), new Parking()] as const;
      const error = await groupErrorOf(
        taskGroup(async (group) => {
          for (const [index, parking] of parkings.entries())
            group.startSoon(async () => {
              await inShield(() => parking.wait());
              throw new Error(`child ${index}`);
            });
          await waitAllTasksBlocked();
          for (const index of [2, 0, 1]) {
            parkings[index]?.wake();
            await inShield(waitAllTasksBlocked);
          }
          throw new Error("body");
        }),
      );
      deepEqual(
        error.errors.map((one) => (one as Error).message),
        ["body", "child 2", "child 0", "child 1"],
      );
    });

    test("taskGroup: whatever is thrown is kept, also what is no Error (§4.4)", async () => {
      for (const thrown of ["text", undefined, null, 0]) {
        const error = await groupErrorOf(taskGroup(() => Promise.reject(thrown)));
        equal(error.errors.length, 1);
        equal(error.errors[0], thrown);
      }
    });

    test("taskGroup: ends with what has no text of its own, and with broken errors, as with any (§4.4)", async () => {
      const get = (): never => {
        throw new Error("asked for");
      };
      const odd: unknown[] = [
        Object.create(null),
        Object.defineProperty(new Error("a"), "message", { get }),
        Object.defineProperty(new Error("b"), "cause", { get }),
        Object.assign(new Error("c"), { name: Symbol("name") }),
        Object.freeze(new Error("d")),
        Object.assign(new AggregateError([]), { errors: undefined, title: "e" }),
        new Proxy(() => {}, { get: (target) => new Proxy(target, {}) }),
      ];
      for (const thrown of odd) {
        const error = await groupErrorOf(
          taskGroup((group) => void group.startSoon(() => Promise.reject(thrown))),
        );
        equal(error.errors[0], thrown);
      }
      ok(new Error("after those").stack?.includes("\n"), "stacks are captured as before");
    });

    test("taskGroup: pure cancellation is never wrapped (§4.4)", async () => {
      const scope = new CancelScope();
      let passed: unknown;
      await scope.run(async () => {
        scope.cancel();
        try {
          await taskGroup(async (group) => {
            group.startSoon(() => sleepForever());
            await Promise.allSettled([checkpoint()]);
            throw new AggregateError([await cancelledBy(checkpoint)]);
          });
        } catch (error) {
          passed = error;
          throw error;
        }
      });
      instance(passed, Cancelled);
      ok(scope.cancelledCaught);
    });

    test("taskGroup: with real errors under a cancelled ancestor one Cancelled is the last leaf, which the ancestor takes (§4.4)", async () => {
      const scope = new CancelScope();
      let passed: unknown;
      const error = await errorOf(
        scope.run(async () => {
          try {
            await taskGroup(async (group) => {
              for (let index = 0; index < 2; index++)
                group.startSoon(async () => {
                  await cancelledBy(sleepForever);
                  throw new Error(`cleanup ${index}`);
                });
              group.startSoon(() => sleepForever());
              await waitAllTasksBlocked();
              scope.cancel();
              await checkpoint();
            });
          } catch (thrown) {
            passed = thrown;
            throw thrown;
          }
        }),
      );
      instance(passed, ExceptionGroup);
      equal(passed.errors.length, 3);
      equal(passed.errors[2], scope.own);
      assertExceptionGroup(error, [/cleanup 0/, /cleanup 1/]);
      ok(scope.cancelledCaught);
    });

    test("taskGroup: its own cancellation leaves no Cancelled among the errors (§4.4)", async () => {
      let scope: CancelScope | undefined;
      const error = await groupErrorOf(
        taskGroup(async (group) => {
          scope = group.scope;
          group.startSoon(() => sleepForever());
          group.startSoon(async () => {
            await cancelledBy(sleepForever);
            throw new Error("cleanup");
          });
          await waitAllTasksBlocked();
          group.cancel();
          await checkpoint();
        }),
      );
      assertExceptionGroup(error, [/cleanup/]);
      ok(scope?.cancelledCaught, "the body was cut short");
    });

    test("taskGroup: a failing daemon fails the group, also while it is being cancelled (§4.4)", async () => {
      const early = taskGroup(async (group) => {
        group.startSoon(() => Promise.reject(new Error("daemon")), { daemon: true });
        await sleepForever();
      });
      assertExceptionGroup(await errorOf(early), [/daemon/]);
      const late = taskGroup((group) => {
        group.startSoon(
          async () => {
            await cancelledBy(sleepForever);
            throw new Error("daemon's cleanup");
          },
          { daemon: true },
        );
      });
      assertExceptionGroup(await errorOf(late), [/daemon's cleanup/]);
    });

    test("taskGroup: a failing group inside leaves the scopes around it uncancelled (§4.4)", async () => {
      await taskGroup(async (outer) => {
        await errorOf(taskGroup(() => Promise.reject(new Error("inner"))));
        equal(outer.scope.cancelCalled, false);
        await checkpoint();
      });
    });

    test("TaskFailed: left out of the group that has its cause, so that nothing is reported twice (§4.6)", async () => {
      const real = new Error("real");
      const error = await groupErrorOf(
        taskGroup(async (group) => {
          const child = group.startSoon(() => Promise.reject(real));
          await inShield(() => child.result());
        }),
      );
      deepEqual(error.errors, [real]);
    });

    test("TaskFailed: also if its cause is a leaf of a nested group (§4.6)", async () => {
      const real = new Error("real");
      const error = await groupErrorOf(
        taskGroup(async (group) => {
          const inner = await taskGroup((nested) => {
            const child = nested.startSoon(() => Promise.reject(real));
            return inShield(() => child.wait()).then(() => child);
          }).catch((failure: unknown) => failure);
          group.startSoon(() => Promise.reject(inner as Error));
          group.startSoon(() => Promise.reject(new TaskFailed("repeated", { cause: real })));
        }),
      );
      assertExceptionGroup(error, [[/real/]]);
    });

    test("TaskFailed: kept where its cause is not among the errors: nothing is swallowed (§4.6)", async () => {
      const elsewhere = new TaskFailed("elsewhere", { cause: new Error("not here") });
      const error = await groupErrorOf(taskGroup(() => Promise.reject(elsewhere)));
      deepEqual(error.errors, [elsewhere]);
    });

    test("taskGroup: a tree 10,000 tasks deep is cancelled (§4.4)", async () => {
      const parking = new Parking();
      await deepTree(
        10_000,
        async (top) => {
          ok(taskTree().length < 2_000_000, "the printed tree is bounded");
          top.cancel("deep");
        },
        () => parking.wait(),
      );
      equal(parking.aborted, 1);
    });

    test("taskGroup: a failure at the bottom of a tree 10,000 tasks deep comes out at the top (§4.4)", async () => {
      const parking = new Parking();
      const error = await groupErrorOf(
        deepTree(
          10_000,
          async () => parking.wake(),
          async () => {
            await parking.wait();
            throw new Error("at the bottom");
          },
        ),
      );
      const leaves = error.leaves();
      equal(leaves.length, 1);
      equal((leaves[0] as Error).message, "at the bottom");
      ok(error.message.length < 5000, "the message is bounded");
    });

    test("taskGroup: an error group of 10,000 has a message in bounded space, and keeps all errors (§4.5)", async () => {
      const error = await groupErrorOf(
        taskGroup((group) => {
          for (let index = 0; index < 10_000; index++)
            group.startSoon(() => Promise.reject(new Error(`number ${index} ${"x".repeat(500)}`)));
        }),
      );
      equal(error.errors.length, 10_000);
      ok(error.message.length < 10_000, `needed a short message, got ${error.message.length}`);
      ok(error.message.split("\n").length < 50);
      ok(/10,?000 errors/.test(error.message));
    });
  },
};

/** A group in a child in a group, and so on; at the bottom `bottom`. `atTop` is called when all wait. */
async function deepTree(
  depth: number,
  atTop: (scope: CancelScope) => Promise<unknown>,
  bottom: () => Promise<unknown>,
): Promise<void> {
  const descend = async (level: number): Promise<void> => {
    if (level === depth) await bottom();
    else await taskGroup((group) => void group.startSoon(() => descend(level + 1)));
  };
  await taskGroup(async (group) => {
    group.startSoon(() => descend(1));
    await waitAllTasksBlocked();
    await atTop(group.scope);
  });
}
