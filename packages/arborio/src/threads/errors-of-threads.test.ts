/** That an error comes out of a thread as it was thrown there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ExceptionGroup, run, SystemError, TimeoutError } from "../index.ts";
import { moduleAt, runInThread } from "../threads.ts";
import { formOf, type RemoteErrorClass, revive } from "./thrown-form.ts";
import * as workKit from "./work.test.kit.ts";

const { WorkError } = workKit;
const work = moduleAt<typeof workKit>(workKit.url);

/** What `fail` threw. */
async function thrownBy(
  kind: Parameters<typeof workKit.fail>[0],
  errorClasses: readonly RemoteErrorClass[] = [],
): Promise<unknown> {
  return await run(() =>
    runInThread(work, "fail", { args: [kind], errorClasses }).then(
      () => assert.fail("nothing was thrown"),
      (error: unknown) => error,
    ),
  );
}

/** Sent and made again, as between threads. */
function sent(thrown: unknown, errorClasses: readonly RemoteErrorClass[] = []): unknown {
  return revive(structuredClone(formOf(thrown)), { errorClasses, boundary: "    at the boundary" });
}

test("an error of the language keeps its class, message, cause and stack", async () => {
  const error = await thrownBy("language");
  assert.ok(error instanceof RangeError);
  assert.equal(error.constructor, RangeError);
  assert.equal(error.message, "too far");
  assert.ok(error.cause instanceof TypeError);
  assert.equal(error.cause.message, "why");
  assert.match(error.stack ?? "", /fail.*work\.test\.kit\.[jt]s/);
  assert.match(error.stack ?? "", /at runInThread \(fail of .*work\.test\.kit\.[jt]s, in a worker/);
});

test("an error of the library keeps its class", async () => {
  const error = await thrownBy("library");
  assert.ok(error instanceof TimeoutError);
  assert.equal(error.code, "ARBORIO_TIMEOUT");
  assert.equal(error.name, "TimeoutError");
});

test("an error of a class of one's own keeps its class if that is told", async () => {
  const error = await thrownBy("own", [WorkError]);
  assert.ok(error instanceof WorkError);
  assert.equal(error.describe(), "at 7");
  assert.equal(error.message, "own");
  assert.equal(error.name, "WorkError");
});

test("classes can be told once, with the module", async () => {
  const known = moduleAt<typeof workKit>(workKit.url, { errorClasses: [WorkError] });
  await run(async () => {
    await assert.rejects(runInThread(known, "fail", { args: ["own"] }), WorkError);
    const options = { args: ["own"], errorClasses: [] } as const;
    await assert.rejects(
      runInThread(known, "fail", options),
      (error) => !(error instanceof WorkError),
    );
  });
  assert.throws(
    () => moduleAt(workKit.url, { errorClasses: [Date] as never }),
    /needs an array of cl/,
  );
  assert.throws(() => moduleAt(workKit.url, { classes: [] } as never), /there is no such option/);
});

test("an error of a class that nobody told is of the next one that is known, with its name and fields", async () => {
  const error = await thrownBy("own");
  assert.ok(error instanceof RangeError);
  assert.ok(!(error instanceof WorkError));
  assert.equal(error.name, "WorkError");
  assert.deepEqual((error as unknown as { detail: unknown }).detail, { at: 7 });
});

test("errors in an AggregateError keep their classes", async () => {
  const error = await thrownBy("group", [WorkError]);
  assert.ok(error instanceof AggregateError);
  const [one, two] = error.errors as unknown[];
  assert.ok(one instanceof WorkError);
  assert.equal(one.detail.at, 1);
  assert.equal(two, "two");
});

test("a DOMException stays one; what is no error stays as it is", async () => {
  const error = await thrownBy("dom");
  assert.ok(error instanceof DOMException);
  assert.equal(error.name, "NotFoundError");
  assert.equal(await thrownBy("text"), "text");
});

test("an ExceptionGroup keeps its title, its nesting and the classes in it", () => {
  const inner = new ExceptionGroup([new SystemError("no", "ENOENT")], "inner");
  const group = sent(new ExceptionGroup([new RangeError("a"), inner], "outer"));
  assert.ok(group instanceof ExceptionGroup);
  const leaves = [...group.leaves()];
  assert.ok(leaves[0] instanceof RangeError);
  assert.ok(leaves[1] instanceof SystemError);
  assert.equal(leaves[1].systemCode, "ENOENT");
  assert.match(String(group), /outer \(2 errors\)/);
});

test("a class known by a class above it is enough; other fields are kept, functions are left out", () => {
  class Special extends WorkError {
    readonly handler = (): void => {};
  }
  const special = new Special("special", 3);
  const error = sent(special, [WorkError]);
  assert.ok(error instanceof WorkError);
  assert.equal(error.detail.at, 3);
  assert.ok(!("handler" in error));
});

test("errors that are rings, or deep, or hold what cannot be cloned, are sent nevertheless", () => {
  const ring = new Error("ring");
  ring.cause = ring;
  let depth = 0;
  for (let at = sent(ring); at instanceof Error; at = at.cause) depth += 1;
  assert.ok(depth > 3 && depth < 100);
  const odd = Object.assign(new Error("odd"), { weak: new WeakMap(), symbol: Symbol("s") });
  const copy = sent(odd) as { message: string; weak: unknown; symbol: unknown };
  assert.equal(copy.message, "odd");
  assert.equal(copy.weak, "[object WeakMap]");
  assert.equal(copy.symbol, "Symbol(s)");
  assert.equal(sent(Symbol("thrown")), "Symbol(thrown)");
  assert.equal(sent(undefined), undefined);
});

test("an error whose getters throw is sent as text", () => {
  const error = new Error("hostile");
  Object.defineProperty(error, "field", {
    enumerable: true,
    get() {
      throw new Error("no");
    },
  });
  assert.match(String(sent(error)), /hostile/);
});

test("fields that are enumerable stay so, others not", () => {
  const error = sent(Object.assign(new Error("e", { cause: 1 }), { code: "E" }));
  assert.deepEqual(Object.keys(error as object), ["code"]);
  assert.equal((error as Error).cause, 1);
});
