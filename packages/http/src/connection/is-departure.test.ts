import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BrokenResourceError,
  CancelScope,
  ExceptionGroup,
  gather,
  run,
  sleepForever,
  TimeoutError,
} from "arborio";
import { isDeparture } from "./is-departure.ts";

const GONE = new BrokenResourceError("the client has gone");

test("isDeparture: broken, cancelled, and groups of nothing else", () => {
  assert.ok(isDeparture(GONE));
  assert.ok(isDeparture(new ExceptionGroup([GONE, new ExceptionGroup([GONE])])));
  for (const error of [
    undefined,
    null,
    "x",
    new Error("x"),
    new TimeoutError("x"),
    new ExceptionGroup([GONE, new Error("x")]),
  ])
    assert.equal(isDeparture(error), false);
});

/** What tasks beside one another throw whose scope is cancelled, while one of them throws `error` of its own. */
async function thrownWhileCancelled(error: Error): Promise<unknown> {
  let thrown: unknown;
  await run(async () => {
    const scope = new CancelScope();
    await scope
      .run(async () => {
        try {
          await gather([
            () => sleepForever(),
            async () => {
              scope.cancel();
              throw error;
            },
          ]);
        } catch (caught) {
          thrown = caught;
          throw caught;
        }
      })
      .catch(() => {});
  });
  return thrown;
}

test("isDeparture: what is thrown beside a cancellation counts by itself", async () => {
  const both = await thrownWhileCancelled(new BrokenResourceError("gone"));
  assert.equal((both as Error).name, "SuppressedError");
  assert.ok(isDeparture(both));
  assert.equal(isDeparture(await thrownWhileCancelled(new Error("a real one"))), false);
});

test("isDeparture: a real error that came after the connection broke is one", async () => {
  const broken = new BrokenResourceError("gone");
  const later = async (error: Error): Promise<unknown> => {
    try {
      await run(() =>
        gather([
          () => Promise.reject(broken),
          async () => {
            try {
              await sleepForever();
            } finally {
              raise(error);
            }
          },
        ]),
      );
    } catch (thrown) {
      return thrown;
    }
    return undefined;
  };
  const thrown = await later(new Error("the cleanup failed"));
  assert.equal(thrown, broken);
  assert.equal(isDeparture(thrown), false);
});

function raise(error: Error): never {
  throw error;
}
