/** Removing trees, on every backend. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { Path } from "../fs.ts";
import { moveOnAfter, SystemError, taskGroup } from "../index.ts";
import {
  filesTest as test,
  hasSystemCode,
  hostFilesTest,
  nobodysFilesTest,
} from "./files.test.kit.ts";
import { onFiles, withoutOpenDirectories } from "./other-files.test.kit.ts";
import { removeTree } from "./remove-tree.ts";
import { plant, walked } from "./tree.test.kit.ts";

/** For what depends on who comes first. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

test("Path.removeTree: a file, a link, a directory with all that is in it; never what links lead to", async (folder) => {
  const root = new Path(folder, "root");
  await plant(new Path(folder), "out/kept", "root/a/b/c/d", "root/a/x", "root/e/", "root/.rc");
  await plant(
    root,
    "out -> ../out",
    "a/kept -> ../../out/kept",
    "up -> ..",
    "dead -> no",
    "loop -> loop",
  );
  await root.join("out").removeTree();
  await root.join(".rc").removeTree();
  assert.deepEqual(await walked(root), [
    "a/",
    "a/b/",
    "a/b/c/",
    "a/b/c/d",
    "a/kept@",
    "a/x",
    "dead@",
    "e/",
    "loop@",
    "up@",
  ]);
  await plant(root, "out -> ../out");
  await root.removeTree();
  assert.deepEqual(await walked(new Path(folder)), ["out/", "out/kept"]);
  await assert.rejects(root.removeTree(), hasSystemCode("ENOENT"));
  await root.removeTree({ missingOk: true });
  await new Path(folder, "out/kept/below").removeTree({ missingOk: true });
  await assert.rejects(root.removeTree({ missingOk: 1 } as never), TypeError);
  await assert.rejects(root.removeTree({ recursive: true } as never), /there is no such option/);
});

test("Path.removeTree: a link to a directory is a link, with a slash behind it too", async (folder) => {
  await plant(new Path(folder), "out/kept", "link -> out");
  await new Path(folder, "link/").removeTree();
  assert.deepEqual(await walked(new Path(folder)), ["out/", "out/kept"]);
});

test(
  "Path.removeTree: the root, the working directory, and what is above are not meant",
  async (folder) => {
    await plant(new Path(folder), "a/b");
    for (const path of ["/", "", ".", "..", "/..", `${folder}/a/..`, `${folder}/a/../..`]) {
      await assert.rejects(
        new Path(path).removeTree({ missingOk: true }),
        /RangeError: Path.removeTree: got .*, needs a path that ends with a name/,
      );
    }
    assert.deepEqual(await walked(new Path(folder)), ["a/", "a/b"]);
  },
  { skip: { backend: "host", reason: "if it were broken, this machine would be empty" } },
);

test("Path.removeTree: many in one directory, and several levels of many", async (folder) => {
  const root = new Path(folder, "root");
  await root.makeDirectory();
  for (let index = 0; index < 150; index += 1) await root.join(`${index}`).touch();
  for (let index = 0; index < 30; index += 1)
    await root.join(`d${index}`, "x", "y").makeDirectory({ parents: true });
  await root.removeTree();
  assert.deepEqual(await walked(new Path(folder)), []);
});

/** Makes a tree whose deepest paths no system takes: chains that each fit are moved below one another. */
async function plantDeep(root: Path, chains: number): Promise<number> {
  const levels = 100;
  const chain = "a long name of a level/".repeat(levels);
  await root.makeDirectory();
  await root.join("chain", chain).makeDirectory({ parents: true });
  await root.join("chain", chain, "file").write("");
  for (let count = 1; count < chains; count += 1) {
    await root.join("next", chain).makeDirectory({ parents: true });
    await root.join("chain").rename(root.join("next", chain, "chain"));
    await root.join("next").rename(root.join("chain"));
  }
  return (levels + 1) * chains;
}

test("Path.removeTree: thousands of levels, deeper than any path can tell", async (folder) => {
  const root = new Path(folder, "deep");
  assert.ok((await plantDeep(root, 20)) > 2000);
  await assert.rejects(walked(root), hasSystemCode("ENAMETOOLONG"));
  await root.removeTree();
  assert.deepEqual(await walked(new Path(folder)), []);
});

test("Path.removeTree: so too where directories cannot be opened", async (folder) => {
  const root = new Path(folder, "deep");
  await plantDeep(root, 5);
  await plant(root, "a/x", "a/b/y", "link -> a");
  await onFiles(withoutOpenDirectories, () => root.removeTree());
  assert.deepEqual(await walked(new Path(folder)), []);
  await plant(root, "locked/too/x");
  await root.join("locked").setMode(0o500);
  await onFiles(withoutOpenDirectories, () => removeTree(root, false, true));
  assert.deepEqual(await walked(new Path(folder)), []);
});

test(
  "Path.removeTree: several at once, of one tree",
  async (folder) => {
    const root = new Path(folder, "root");
    for (let index = 0; index < 12; index += 1) {
      await plant(root, `a${index}/x/y`, `a${index}/z`, `f${index}`);
    }
    await taskGroup(async (group) => {
      for (let index = 0; index < 4; index += 1)
        group.startSoon(() => root.removeTree({ missingOk: true }));
      group.startSoon(() => root.join("a5").removeTree({ missingOk: true }));
    });
    assert.equal(await root.exists(), false);
  },
  { seeds: SEEDS },
);

test(
  "Path.removeTree: what others make meanwhile is removed too",
  async (folder) => {
    const root = new Path(folder, "root");
    for (let index = 0; index < 20; index += 1) await plant(root, `a${index}/x`);
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        for (let index = 0; index < 40; index += 1) {
          try {
            await root.join(`a${index % 20}`, `new${index}`).write("");
          } catch (error) {
            assert.ok(error instanceof SystemError && error.systemCode === "ENOENT", String(error));
          }
        }
      });
      await root.removeTree();
    });
    assert.equal(await root.exists(), false);
  },
  { seeds: SEEDS },
);

test(
  "Path.removeTree: cancelled in the middle, what is left is still a tree that can be removed",
  async (folder) => {
    const root = new Path(folder, "root");
    for (let index = 0; index < 30; index += 1) await plant(root, `a${index}/x/y`, `a${index}/z`);
    await moveOnAfter(5, () => root.removeTree());
    await root.removeTree({ missingOk: true });
    assert.equal(await root.exists(), false);
  },
  { seeds: SEEDS },
);

nobodysFilesTest(
  "Path.removeTree: what may not be removed is told, and all else is removed",
  async (folder) => {
    const root = new Path(folder, "root");
    await plant(root, "a/x", "locked/kept", "locked/too", "unreadable/in/kept", "z");
    await root.join("locked").setMode(0o500);
    await root.join("unreadable").setMode(0o300);
    await assert.rejects(
      root.removeTree(),
      hasSystemCode(
        "EACCES",
        /^Path.removeTree .*\/root: not all could be removed: .*\/(kept|too|unreadable).*; [a-z ]* .*\/root\/(locked|unreadable).*: permission denied \(EACCES\)$/,
      ),
    );
    await root.join("unreadable").setMode(0o700);
    await root.join("locked").setMode(0o700);
    assert.deepEqual(await walked(root), [
      "locked/",
      "locked/kept",
      "locked/too",
      "unreadable/",
      "unreadable/in/",
      "unreadable/in/kept",
    ]);
    for (let index = 0; index < 9; index += 1) await root.join(`locked/${index}`).touch();
    await root.join("locked").setMode(0o500);
    await assert.rejects(root.removeTree(), hasSystemCode("EACCES", / and 6 more; /));
    await root.join("locked").setMode(0o700);
  },
);

hostFilesTest(
  "Path.removeTree: FIFOs are removed; a name that is no UTF-8 is left, and told",
  async (folder) => {
    const root = new Path(folder, "root");
    await root.makeDirectory();
    const made = spawnSync("/bin/sh", [
      "-c",
      'mkfifo "$1/fifo" && printf x > "$1/$(printf "bad\\377")"',
      "sh",
      root.text,
    ]);
    assert.equal(made.status, 0, String(made.stderr));
    await assert.rejects(
      root.removeTree(),
      hasSystemCode("ENOTEMPTY", /not all could be removed: .*root;/),
    );
    assert.deepEqual(
      (await root.entries()).map(({ path }) => path.name),
      ["bad\ufffd"],
    );
    assert.equal(spawnSync("/bin/rm", ["-rf", root.text]).status, 0);
  },
  "names are text there, and there are no FIFOs",
);
