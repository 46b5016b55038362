/** Times and owners at the ends of what they can be, on every backend. */
import assert from "node:assert/strict";
import { Path } from "../fs.ts";
import { filesTest as test } from "./files.test.kit.ts";

test("Path.setTimes: before 1970, and a copy has such times too", async (folder) => {
  const file = new Path(folder, "file");
  await file.write("x");
  for (const ms of [-1, -86_400_000, -1_000_000_000_000]) {
    await file.setTimes({ accessedMs: ms - 1000, modifiedMs: ms });
    const { accessedMs, modifiedMs } = await file.stat();
    assert.deepEqual([accessedMs, modifiedMs], [ms - 1000, ms]);
  }
  await file.copy(new Path(folder, "copy"), { keepTimes: true });
  assert.equal((await new Path(folder, "copy").stat()).modifiedMs, -1_000_000_000_000);
  await file.setTimes({ modifiedMs: -1500.7 });
  assert.equal((await file.stat()).modifiedMs, -1501);
});

test("Path.setTimes, setOwner: what the system would take for something else is refused", async (folder) => {
  const file = new Path(folder, "file");
  await file.write("x");
  const before = await file.stat();
  for (const ms of [1e300, -1e300, 8.64e15 + 2, Infinity])
    await assert.rejects(file.setTimes({ modifiedMs: ms }), /RangeError: Path.setTimes.*8\.64e15/);
  // What chown(2) takes for "unchanged", and more.
  for (const id of [2 ** 32 - 1, 2 ** 32, 2 ** 33]) {
    await assert.rejects(file.setOwner({ user: id }), /RangeError.*user.*at most 4294967294/);
    await assert.rejects(file.setOwner({ group: id }), /RangeError.*group.*at most 4294967294/);
  }
  assert.deepEqual(await file.stat(), before);
});
