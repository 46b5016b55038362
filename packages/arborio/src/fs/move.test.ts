/** Moving files and trees, also to another disk. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { test as nodeTest } from "node:test";
import { Path } from "../fs.ts";
import { CancelScope, run } from "../index.ts";
import { type FileTree, simulate } from "../sim.ts";
import { cancelEverywhere } from "../testing.ts";
import { testIf } from "../testing/test-if.test.kit.ts";
import { filesTest as test, hasSystemCode } from "./files.test.kit.ts";
import { plant, walked } from "./tree.test.kit.ts";

test("Path.move: on one device it is rename", async (folder) => {
  const root = new Path(folder);
  await plant(root, "a/b", "file", "other");
  await root.join("a").move(root.join("c"));
  await root.join("file").move(root.join("other"));
  assert.deepEqual(await walked(root), ["c/", "c/b", "other"]);
  await assert.rejects(root.join("no").move(root.join("x")), hasSystemCode("ENOENT"));
  await assert.rejects(root.join("c").move(root.join("other")), hasSystemCode("ENOTDIR"));
});

const SHM = "/dev/shm";
const twoDevices = existsSync(SHM) && statSync(SHM).dev !== statSync(tmpdir()).dev;
const acrossDevices = testIf(twoDevices, `${SHM} and ${tmpdir()} are one device`);

async function onTwoDevices(body: (here: Path, there: Path) => Promise<void>): Promise<void> {
  const folders = [mkdtempSync(`${tmpdir()}/arborio-move-`), mkdtempSync(`${SHM}/arborio-move-`)];
  try {
    const [here = "", there = ""] = folders;
    await run(() => body(new Path(here), new Path(there)), { signals: [] });
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
}

acrossDevices("Path.move: to another device it copies all, replaces in one step, and removes", () =>
  onTwoDevices(async (here, there) => {
    await plant(here, "tree/a/b", "tree/l -> a/b", "file", "link -> tree");
    const times = { accessedMs: 1_000_000_000_000, modifiedMs: 1_100_000_000_000 };
    await here.join("file").write("contents");
    await here.join("file").setMode(0o640);
    for (const name of ["file", "tree"]) await here.join(name).setTimes(times);
    await there.join("file").write("old");
    await assert.rejects(here.join("file").rename(there.join("file")), hasSystemCode("EXDEV"));
    for (const name of ["tree", "file", "link"]) await here.join(name).move(there.join(name));
    assert.deepEqual(await walked(here), []);
    assert.deepEqual(await walked(there), [
      "file",
      "link@",
      "tree/",
      "tree/a/",
      "tree/a/b",
      "tree/l@",
    ]);
    const moved = await there.join("file").stat();
    assert.deepEqual(
      [moved.mode, moved.modifiedMs, await there.join("file").readText()],
      [0o640, times.modifiedMs, "contents"],
    );
    assert.equal((await there.join("tree").stat()).modifiedMs, times.modifiedMs);
  }),
);

acrossDevices("Path.move: if it fails on the other device, all is as it was", () =>
  onTwoDevices(async (here, there) => {
    await plant(here, "tree/a/b", "file");
    await plant(there, "full/x", "file");
    await assert.rejects(here.join("tree").move(there.join("full")), hasSystemCode("ENOTEMPTY"));
    await assert.rejects(here.join("tree").move(there.join("file")), hasSystemCode("ENOTDIR"));
    await assert.rejects(here.join("file").move(there.join("full")), hasSystemCode("EISDIR"));
    await assert.rejects(here.join("file").move(there.join("no/x")), hasSystemCode("ENOENT"));
    assert.equal(spawnSync("mkfifo", [here.join("tree/fifo").text]).status, 0);
    await assert.rejects(here.join("tree").move(there.join("new")), hasSystemCode("EINVAL"));
    await assert.rejects(here.join("tree/fifo").move(there.join("new")), hasSystemCode("EINVAL"));
    assert.deepEqual(await walked(here), ["file", "tree/", "tree/a/", "tree/a/b", "tree/fifo?"]);
    assert.deepEqual(await walked(there), ["file", "full/", "full/x"]);
  }),
);

acrossDevices(
  "Path.move: cancelled anywhere on the way to another device, it is here or there",
  () =>
    onTwoDevices(async (here, there) => {
      await plant(here, "tree/a/b", "tree/c");
      const found: string[] = [];
      await cancelEverywhere(async (round) => {
        round.after(() => found.push(existsSync(there.join("tree").text) ? "there" : "here"));
        await new CancelScope({ shield: true }).run(async () => {
          if (await there.join("tree").exists()) await there.join("tree").move(here.join("tree"));
          assert.deepEqual(await walked(there), []);
        });
        await here.join("tree").move(there.join("tree"));
      });
      for (const place of ["here", "there"]) assert.ok(found.includes(place), place);
      const both = [await walked(here), await walked(there)];
      const whole = ["tree/", "tree/a/", "tree/a/b", "tree/c"];
      assert.ok(
        both.some((one) => String(one) === String(whole)) && both.some((one) => one.length === 0),
      );
    }),
);

/** A directory on each of two simulated disks. */
function onTwoDisks(
  title: string,
  capacityBytes: number,
  body: (here: Path, there: Path, files: FileTree) => Promise<void>,
): void {
  nodeTest(`${title} [simulator]`, () =>
    simulate({ seed: 11 }, async ({ localhost: { files } }) => {
      files.makeDirectory("/here");
      files.mount("/there", { capacityBytes });
      await body(new Path("/here"), new Path("/there"), files);
    }),
  );
}

onTwoDisks("Path.move: to another disk", Infinity, async (here, there) => {
  await plant(here, "tree/a/b", "tree/l -> a/b");
  await here.join("tree/a").setMode(0o500);
  await assert.rejects(here.join("tree").rename(there.join("tree")), hasSystemCode("EXDEV"));
  await here.join("tree/a").setMode(0o700);
  await here.join("tree").move(there.join("new"));
  assert.deepEqual(
    [await walked(here), await walked(there)],
    [[], ["new/", "new/a/", "new/a/b", "new/l@"]],
  );
});

onTwoDisks(
  "Path.move: to a disk that gets full on the way, all is as it was",
  64 * 1024,
  async (here, there) => {
    await plant(here, "tree/a/small");
    await here.join("tree/large").write("x".repeat(100 * 1024));
    await there.join("tree").write("old");
    for (const name of ["tree", "tree/large"])
      await assert.rejects(here.join(name).move(there.join("new")), hasSystemCode("ENOSPC"));
    assert.deepEqual(await walked(here), ["tree/", "tree/a/", "tree/a/small", "tree/large"]);
    assert.deepEqual(await walked(there), ["tree"]);
  },
);

onTwoDisks(
  "Path.move: what is left of an original that cannot be removed is told",
  Infinity,
  async (here, there) => {
    await plant(here, "tree/locked/kept", "tree/gone");
    await here.join("tree/locked").setMode(0o500);
    await assert.rejects(
      here.join("tree").move(there.join("tree")),
      hasSystemCode("EACCES", /removeTree .*locked\/kept/),
    );
    await here.join("tree/locked").setMode(0o700);
    assert.deepEqual(await walked(here), ["tree/", "tree/locked/", "tree/locked/kept"]);
    assert.deepEqual(await walked(there), [
      "tree/",
      "tree/gone",
      "tree/locked/",
      "tree/locked/kept",
    ]);
  },
);

onTwoDisks(
  "Path.move: cancelled anywhere on the way to another disk",
  Infinity,
  async (here, there, files) => {
    let round = 0;
    const ends = new Set<string>();
    await cancelEverywhere(async (sweep) => {
      const name = `tree-${(round += 1)}`;
      files.write(`/here/${name}/a/b`, "x");
      files.write(`/here/${name}/c`, "x");
      sweep.after(() => {
        const isMoved = files.list("/there").includes(name);
        assert.equal(files.list("/here").includes(name), !isMoved);
        assert.deepEqual(files.list(`/${isMoved ? "there" : "here"}/${name}/a`), ["b"]);
        assert.ok(files.list("/there").every((one) => one.startsWith("tree-")));
        ends.add(isMoved ? "moved" : "not moved");
      });
      await here.join(name).move(there.join(name));
    });
    assert.deepEqual([...ends].sort(), ["moved", "not moved"]);
  },
);
