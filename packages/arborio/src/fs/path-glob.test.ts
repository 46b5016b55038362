/** Globbing, on every backend. */
import assert from "node:assert/strict";
import { Path } from "../fs.ts";
import { filesTest as test } from "./files.test.kit.ts";
import { list, plant } from "./tree.test.kit.ts";

test("Path.glob: what matches, in the order of a walk", async (folder) => {
  const root = new Path(folder);
  await plant(
    root,
    "a.ts",
    "b.js",
    ".c.ts",
    "d/e.ts",
    "d/f/g.ts",
    "d/f/h/i.ts",
    "d.ts/j",
    "way -> d",
    "[x].ts",
    "d/é.ts",
  );
  const found = (pattern: string): Promise<string[]> => list(root, root.glob(pattern));
  assert.deepEqual(await found("*.ts"), [".c.ts", "[x].ts", "a.ts", "d.ts/"]);
  assert.deepEqual(await found("**/*.ts"), [
    ".c.ts",
    "[x].ts",
    "a.ts",
    "d/e.ts",
    "d/f/g.ts",
    "d/f/h/i.ts",
    "d/é.ts",
    "d.ts/",
  ]);
  assert.deepEqual(await found("d/**"), [
    "d/e.ts",
    "d/f/",
    "d/f/g.ts",
    "d/f/h/",
    "d/f/h/i.ts",
    "d/é.ts",
  ]);
  assert.deepEqual(await found("d/*/*.ts"), ["d/f/g.ts"]);
  assert.deepEqual(await found("{a,b}.{ts,js}"), ["a.ts", "b.js"]);
  assert.deepEqual(await found("\\[x].ts"), ["[x].ts"]);
  assert.deepEqual(await found("d/?.ts"), ["d/e.ts", "d/é.ts"]);
  assert.deepEqual(await found("way/*"), []);
  assert.deepEqual(await found("no/*"), []);
  assert.deepEqual(await list(root, root.glob("way/*.ts", { followLinks: true })), [
    "way/e.ts",
    "way/é.ts",
  ]);
  assert.deepEqual(
    await list(root, root.glob("**/*.ts", { enter: ({ path }) => path.name !== "f" })),
    [".c.ts", "[x].ts", "a.ts", "d/e.ts", "d/é.ts", "d.ts/"],
  );
});

test("Path.glob: only directories below which something can match are entered", async (folder) => {
  const root = new Path(folder);
  await plant(root, "a/b/c/d", "a/x/c/d", "y/b/c/d", "a/b/z/d");
  const entered = async (pattern: string): Promise<string[]> => {
    const names: string[] = [];
    const enter = ({ path }: { path: Path }): boolean => names.push(path.relativeTo(root).text) > 0;
    await list(root, root.glob(pattern, { enter }));
    return names;
  };
  assert.deepEqual(await entered("*"), []);
  assert.deepEqual(await entered("a/b/*"), ["a", "a/b"]);
  assert.deepEqual(await entered("a/*/c/*"), ["a", "a/b", "a/b/c", "a/x", "a/x/c"]);
  assert.deepEqual(await entered("{a/x,y}/**"), ["a", "a/x", "a/x/c", "y", "y/b", "y/b/c"]);
});
