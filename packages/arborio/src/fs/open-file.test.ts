/** What the flags of `openFile` mean, on the host and in the simulator. */
import assert from "node:assert/strict";
import { SystemError } from "../index.ts";
import { openFile, type OpenFlags, readTextFile, writeFile } from "../fs.ts";
import { change, filesTest as test, hasSystemCode, look, textOf } from "./files.test.kit.ts";

/** For each: whether it reads, writes, makes what is missing, takes what is there, and what becomes of "old" after writing "N". */
const MEANINGS: Readonly<Record<OpenFlags, readonly [boolean, boolean, boolean, boolean, string]>> =
  {
    r: [true, false, false, true, "old"],
    "r+": [true, true, false, true, "Nld"],
    w: [false, true, true, true, "N"],
    "w+": [true, true, true, true, "N"],
    wx: [false, true, true, false, "old"],
    "wx+": [true, true, true, false, "old"],
    a: [false, true, true, true, "oldN"],
    "a+": [true, true, true, true, "oldN"],
    ax: [false, true, true, false, "old"],
    "ax+": [true, true, true, false, "old"],
  };

for (const [flags, meaning] of Object.entries(MEANINGS) as [
  OpenFlags,
  (typeof MEANINGS)[OpenFlags],
][]) {
  const [reads, writes, makes, takes, after] = meaning;

  test(`openFile: "${flags}" of a file that is there`, async (folder) => {
    const path = `${folder}/there`;
    await writeFile(path, "old");
    if (!takes) {
      await assert.rejects(openFile(path, { flags }), hasSystemCode("EEXIST", /^open /));
    } else {
      await using file = await openFile(path, { flags });
      if (writes) assert.equal(await file.write("N"), 1);
      else await assert.rejects(file.write("N"), hasSystemCode("EBADF", /opened only to read/));
      const reading = file.readRange(0, 10);
      if (reads) assert.equal(textOf(await reading), after);
      else await assert.rejects(reading, hasSystemCode("EBADF", /opened only to write/));
    }
    assert.equal(await readTextFile(path), after);
  });

  test(`openFile: "${flags}" of nothing`, async (folder) => {
    const path = `${folder}/missing`;
    if (!makes) {
      await assert.rejects(openFile(path, { flags }), hasSystemCode("ENOENT"));
      await assert.rejects(look(path), hasSystemCode("ENOENT"));
      return;
    }
    await using file = await openFile(path, { flags, mode: 0o640 });
    assert.equal(await file.write("new"), 3);
    assert.equal((await look(path)).mode & 0o640, (await look(path)).mode);
    assert.equal(await readTextFile(path), "new");
  });
}

test("openFile: a link is followed, but not by flags that make a new file", async (folder) => {
  await change({ kind: "symbolic-link", path: `${folder}/link`, target: "real" });
  await assert.rejects(openFile(`${folder}/link`), hasSystemCode("ENOENT"));
  await assert.rejects(openFile(`${folder}/link`, { flags: "wx" }), hasSystemCode("EEXIST"));
  await (await openFile(`${folder}/link`, { flags: "w" }))[Symbol.asyncDispose]();
  assert.equal((await look(`${folder}/real`)).kind, "file");
});

test("openFile: directories cannot be opened, whatever for", async (folder) => {
  for (const flags of ["r", "r+", "w", "a"] as const)
    await assert.rejects(openFile(folder, { flags }), hasSystemCode("EISDIR"), flags);
  await assert.rejects(openFile(folder, { flags: "wx" }), hasSystemCode("EEXIST"));
  await writeFile(`${folder}/file`, "x");
  await assert.rejects(openFile(`${folder}/file/below`, { flags: "w" }), hasSystemCode("ENOTDIR"));
});

test("openFile: flags, modes and options that there are not", async (folder) => {
  const path = `${folder}/x`;
  for (const flags of ["rb", "rw", "w ", "", "rs+"])
    await assert.rejects(openFile(path, { flags: flags as never }), /needs one of r, r\+, w, /);
  for (const flags of [0, 577, null])
    await assert.rejects(openFile(path, { flags: flags as never }), TypeError);
  for (const mode of [-1, 0o10000, 1.5, Number.NaN, Infinity])
    await assert.rejects(openFile(path, { flags: "w", mode }), RangeError);
  await assert.rejects(openFile(path, { flags: "w", mode: "644" as never }), TypeError);
  await assert.rejects(openFile(path, { flag: "w" } as never), /there is no such option/);
  await assert.rejects(openFile(path, "w" as never), TypeError);
  await assert.rejects(look(path), SystemError);
});
