/** Every operation of `Path` cancelled at each of its checkpoints, on the host. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTemporaryDirectory, Path } from "../fs.ts";
import { run } from "../index.ts";
import { assertCheckpoints } from "../testing.ts";
import { hasSystemCode } from "./files.test.kit.ts";
import { CASES, plantOnHost, sweep } from "./path-cases.test.kit.ts";

for (const [name, one] of Object.entries(CASES)) {
  test(`Path: ${name}, cancelled everywhere [host]`, () =>
    run(
      async () => {
        await using temporary = await openTemporaryDirectory();
        await sweep(temporary.path, plantOnHost, one);
      },
      { signals: [] },
    ));
}

test("Path: every operation passes a checkpoint [host]", async () => {
  await run(
    async () => {
      await using temporary = await openTemporaryDirectory();
      let count = 0;
      for (const { act } of Object.values(CASES)) {
        const root = temporary.path.join(`${(count += 1)}`);
        plantOnHost(root.text);
        await assertCheckpoints(() => act(root));
      }
    },
    { signals: [] },
  );
});

test("Path: an operation that fails passes a checkpoint too [host]", async () => {
  await run(async () => {
    await assertCheckpoints(() =>
      assert.rejects(new Path("/no/x").remove(), hasSystemCode("ENOENT")),
    );
    await assertCheckpoints(() =>
      assert.rejects(new Path("/no").walk().next(), hasSystemCode("ENOENT")),
    );
  });
});
