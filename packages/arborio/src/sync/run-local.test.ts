import assert from "node:assert/strict";
import { test } from "node:test";
import { CancelScope } from "../core/scope.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import { RunLocal } from "./run-local.ts";

test("RunLocal: is one variable for all tasks of a run, and a new one in the next (§7)", async () => {
  const count = new RunLocal(() => 0);
  for (const backend of [undefined, simulator({ seed: 1 })]) {
    await run(
      async (group) => {
        assert.equal(count.get(), 0);
        count.set(1);
        await group.startSoon(() => new CancelScope().run(() => count.set(count.get() + 1))).wait();
        assert.equal(count.get(), 2);
      },
      backend === undefined ? {} : { backend },
    );
  }
  assert.equal(count.get(), 0);
});

test("RunLocal: runs side by side do not see one another's (§7)", async () => {
  const name = new RunLocal(() => "none");
  await Promise.all(
    ["a", "b"].map((own) =>
      run(async () => {
        name.set(own);
        await Promise.resolve();
        assert.equal(name.get(), own);
      }),
    ),
  );
});

test("RunLocal.get: makes the first value once per run, when first asked, also if it is undefined", async () => {
  let made = 0;
  const local = new RunLocal<undefined>(() => {
    made += 1;
    return undefined;
  });
  const other = new RunLocal(() => ({}));
  await run(() => {
    assert.equal(made, 0);
    assert.equal(local.get(), undefined);
    local.get();
    assert.equal(other.get(), other.get());
  });
  assert.equal(made, 1);
  await run(() => local.get());
  assert.equal(made, 2);
});

test("RunLocal.set: before the first get, no value is made", async () => {
  const local = new RunLocal<number>(() => assert.fail("made"));
  await run(() => {
    local.set(1);
    assert.equal(local.get(), 1);
  });
  assert.throws(() => new RunLocal(0 as never), TypeError);
});
