/** Removing trees while somebody else puts other things in the place of what is in them, on every backend. */
import assert from "node:assert/strict";
import { Path } from "../fs.ts";
import { SystemError } from "../index.ts";
import { filesTest as test, hasSystemCode, nobodysFilesTest } from "./files.test.kit.ts";
import {
  type Intruder,
  intruded,
  onFiles,
  withoutOpenDirectories,
} from "./other-files.test.kit.ts";
import { removeTree } from "./remove-tree.ts";
import { plant, walked } from "./tree.test.kit.ts";

/** More than there are operations on the tree. */
const OPERATIONS_MAX = 100;

/** What is outside of the tree has the names of what is inside: removed by a wrong path, it would be gone. */
const OUTSIDE = ["b/", "b/c/", "b/c/y", "b/x", "c/", "c/y", "x"];

/** Puts a link to what is outside in the place of a directory, once. */
function replaceAt(moment: number, folder: string, victim: string): Intruder {
  return (operation) => {
    if (operation !== moment) return [];
    const path = `${folder}/${victim}`;
    return [
      { kind: "rename", path, target: `${folder}/taken` },
      { kind: "symbolic-link", path, target: `${folder}/outside` },
    ];
  };
}

/** Removes a tree as often as it takes to replace a directory before each operation; how often what is outside was harmed. */
async function countHarm(folder: string, victim: string, kind: "open" | "paths"): Promise<number> {
  let harm = 0;
  for (let moment = 0; ; moment += 1) {
    assert.ok(moment < OPERATIONS_MAX);
    let operations = 0;
    const here = new Path(folder, `${moment}`);
    await plant(here.join("root/a"), "b/c/y", "b/x", "x");
    for (const name of OUTSIDE) await plant(here.join("outside"), name);
    const replace = replaceAt(moment, here.text, victim);
    const count: Intruder = (operation, about) => {
      operations = operation + 1;
      return replace(operation, about);
    };
    await onFiles(
      (files) => intruded(kind === "paths" ? withoutOpenDirectories(files) : files, count),
      async () => {
        try {
          await here.join("root").removeTree();
        } catch (error) {
          assert.ok(error instanceof SystemError, String(error));
        }
      },
    );
    if (kind === "open")
      assert.equal(await here.join("root").exists({ followLinks: false }), false);
    if ((await walked(here.join("outside"))).join() !== OUTSIDE.join()) harm += 1;
    if (operations <= moment) return harm;
  }
}

for (const victim of ["root", "root/a", "root/a/b", "root/a/b/c"]) {
  test(`Path.removeTree: a link in the place of ${victim}, whenever it comes, has nothing removed elsewhere`, async (folder) => {
    assert.equal(await countHarm(folder, victim, "open"), 0);
  });
}

test("Path.removeTree: where directories cannot be opened, such a link does harm: the attack is a real one", async (folder) => {
  assert.ok((await countHarm(folder, "root/a/b", "paths")) > 0);
});

test("Path.removeTree: a link that comes in the place of the tree itself is removed", async (folder) => {
  await plant(new Path(folder), "root/x", "outside/x");
  // After it was looked at, and before it is opened.
  await onFiles(
    (files) => intruded(files, replaceAt(1, folder, "root")),
    () => new Path(folder, "root").removeTree(),
  );
  assert.deepEqual(await walked(new Path(folder)), ["outside/", "outside/x", "taken/", "taken/x"]);
});

nobodysFilesTest(
  "TemporaryDirectory: at its end no permissions are changed elsewhere",
  async (folder) => {
    for (let moment = 0; moment < 12; moment += 1) {
      const here = new Path(folder, `${moment}`);
      await plant(here, "root/a/x", "outside/x");
      // It may be moved, but not read.
      await here.join("root/a").setMode(0o300);
      await here.join("outside").setMode(0o550);
      await onFiles(
        (files) => intruded(files, replaceAt(moment, here.text, "root/a")),
        () => removeTree(here.join("root"), false, true),
      );
      const { mode } = await here.join("outside").stat();
      assert.equal(mode, 0o550);
      for (const left of ["outside", "taken"]) {
        const directory = here.join(left);
        if (await directory.exists()) await directory.setMode(0o700);
      }
    }
  },
);

test("Path.removeTree: what is moved out of a deep tree does not lead it elsewhere", async (folder) => {
  const levels = 50;
  const deep = (count: number): string => "d/".repeat(count).slice(0, -1);
  const root = new Path(folder, "root");
  await root.join(deep(levels)).makeDirectory({ parents: true });
  await plant(new Path(folder), "other/d/", "other/kept");
  let hasCome = false;
  const move: Intruder = (_operation, about) => {
    if (hasCome || !about.startsWith("remove-directory ")) return [];
    hasCome = true;
    const path = `${folder}/root/${deep(10)}`;
    return [{ kind: "rename", path, target: `${folder}/other/moved` }];
  };
  await onFiles(
    (files) => intruded(files, move),
    () =>
      assert.rejects(
        root.removeTree(),
        hasSystemCode("ESTALE", /root\/d\/d\/d\/d\/d\/d\/d\/d\/d; .* was moved \(ESTALE\)$/),
      ),
  );
  assert.deepEqual(await walked(new Path(folder, "other")), ["d/", "kept", "moved/"]);
  assert.equal((await walked(root)).length, 9);
  await root.removeTree();
  assert.equal(await root.exists(), false);
});
