/** What is told of a watched tree, without any files. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FileKind, FileStat } from "../platform/files.ts";
import type { WatchedEntry } from "./watch-entry.ts";
import { WatchedTree } from "./watch-tree.ts";

const NOW_MS = 1_000_000;
const LONG_AGO_MS = 0;

function stat(kind: FileKind, facts: Partial<FileStat> = {}): FileStat {
  const rest = { accessedMs: 0, mode: 0o644, user: 1, group: 1, names: 1, inode: 1, device: 1 };
  return { kind, size: 0, modifiedMs: LONG_AGO_MS, ...rest, ...facts };
}

/** The entry at a path below the root. */
function at(tree: WatchedTree, path: string): WatchedEntry {
  let entry = tree.root;
  for (const name of path.split("/")) entry = entry.child(name);
  return entry;
}

function told(tree: WatchedTree): string[] {
  const changes: string[] = [];
  for (let one = tree.take(); one !== undefined; one = tree.take())
    changes.push(`${one.kind} ${one.path} ${one.fileKind}`);
  return changes;
}

test("WatchedTree: what happened to a path is told once, whatever happened in between", () => {
  const tree = new WatchedTree("/w", true);
  const file = at(tree, "a");
  tree.put(file, stat("file"), NOW_MS);
  tree.put(file, stat("file", { size: 1 }), NOW_MS);
  assert.deepEqual(told(tree), ["created /w/a file"]);
  tree.put(file, stat("file", { size: 2 }), NOW_MS);
  tree.put(file, stat("file", { size: 3 }), NOW_MS);
  assert.deepEqual(told(tree), ["changed /w/a file"]);
  tree.put(file, null, NOW_MS);
  tree.put(file, stat("file", { size: 3 }), NOW_MS);
  assert.deepEqual(told(tree), []);
  tree.put(file, null, NOW_MS);
  assert.deepEqual(told(tree), ["removed /w/a file"]);
  tree.put(at(tree, "brief"), stat("file"), NOW_MS);
  tree.put(at(tree, "brief"), null, NOW_MS);
  assert.deepEqual(told(tree), []);
});

test("WatchedTree: each fact but the time of reading and the number of names is a change", () => {
  const tree = new WatchedTree("/w", true);
  tree.put(at(tree, "a"), stat("file"), NOW_MS);
  told(tree);
  const facts = [{ size: 1 }, { modifiedMs: 1 }, { mode: 0 }, { user: 2 }, { group: 2 }];
  for (const fact of [...facts, { inode: 2 }, { device: 2 }]) {
    tree.put(at(tree, "a"), stat("file", fact), NOW_MS);
    assert.deepEqual(told(tree), ["changed /w/a file"], JSON.stringify(fact));
    tree.put(at(tree, "a"), stat("file"), NOW_MS);
    told(tree);
  }
  tree.put(at(tree, "a"), stat("file", { accessedMs: 9, names: 9 }), NOW_MS);
  assert.deepEqual(told(tree), []);
});

test("WatchedTree: of a directory, size and time do not count", () => {
  const tree = new WatchedTree("/w", true);
  tree.put(at(tree, "d"), stat("directory"), NOW_MS);
  told(tree);
  tree.put(at(tree, "d"), stat("directory", { size: 9, modifiedMs: 9 }), NOW_MS);
  assert.deepEqual(told(tree), []);
  tree.put(at(tree, "d"), stat("directory", { mode: 0 }), NOW_MS);
  assert.deepEqual(told(tree), ["changed /w/d directory"]);
});

test("WatchedTree: another kind of file is another file", () => {
  const tree = new WatchedTree("/w", true);
  tree.put(at(tree, "a"), stat("file"), NOW_MS);
  told(tree);
  tree.put(at(tree, "a"), stat("directory"), NOW_MS);
  tree.put(at(tree, "a/b"), stat("file"), NOW_MS);
  const changes = ["removed /w/a file", "created /w/a directory", "created /w/a/b file"];
  assert.deepEqual(told(tree), changes);
  tree.put(at(tree, "a"), stat("link"), NOW_MS);
  assert.deepEqual(told(tree), [
    "removed /w/a/b file",
    "removed /w/a directory",
    "created /w/a link",
  ]);
});

test("WatchedTree: a file of another kind that nobody was told of yet is told as what it is now", () => {
  const tree = new WatchedTree("/w", true);
  tree.put(at(tree, "a"), stat("file"), NOW_MS);
  tree.put(at(tree, "a"), stat("link"), NOW_MS);
  assert.deepEqual(told(tree), ["created /w/a link"]);
  tree.put(at(tree, "a"), null, NOW_MS);
  assert.deepEqual(told(tree), ["removed /w/a link"]);
});

test("WatchedTree: a write that could hide behind the time of the one before counts", () => {
  const tree = new WatchedTree("/w", true);
  const fresh = stat("file", { modifiedMs: NOW_MS - 5 });
  tree.put(at(tree, "a"), fresh, NOW_MS);
  told(tree);
  tree.put(at(tree, "a"), fresh, NOW_MS + 60);
  assert.deepEqual(told(tree), ["changed /w/a file"]);
  tree.put(at(tree, "a"), fresh, NOW_MS + 120);
  assert.deepEqual(told(tree), []);
});

test("WatchedTree: directories are to be watched as long as they are not, and if another one has come", () => {
  const tree = new WatchedTree("/w", true);
  const entry = at(tree, "d");
  const closed: string[] = [];
  const first = stat("directory");
  assert.equal(tree.put(entry, first, NOW_MS), true);
  assert.equal(tree.put(entry, first, NOW_MS), true);
  entry.watch = { close: () => closed.push("first") };
  entry.identity = first;
  assert.equal(tree.put(entry, first, NOW_MS), false);
  assert.equal(tree.put(entry, stat("directory", { inode: 2 }), NOW_MS), true);
  assert.deepEqual(closed, ["first"]);
  entry.watch = { close: () => closed.push("second") };
  tree.put(entry, null, NOW_MS);
  assert.deepEqual(closed, ["first", "second"]);
  assert.equal(new WatchedTree("/w", false).put(entry, first, NOW_MS), false);
  assert.equal(tree.put(at(tree, "f"), stat("file"), NOW_MS), false);
});

test("WatchedTree: nothing is kept of what has gone and was told", () => {
  const tree = new WatchedTree("/w", true);
  for (let round = 0; round < 3; round++) {
    tree.put(at(tree, "d"), stat("directory"), NOW_MS);
    for (const name of ["a", "b"]) tree.put(at(tree, `d/${name}`), stat("file"), NOW_MS);
    if (round > 0) told(tree);
    tree.put(at(tree, "d"), null, NOW_MS);
    told(tree);
    assert.equal(tree.root.children.size, 0);
  }
  tree.put(at(tree, "never"), null, NOW_MS);
  assert.equal(tree.root.children.size, 0);
});

test("WatchedTree: a tree deeper than the stack", () => {
  const tree = new WatchedTree("/w", true);
  let entry = tree.root;
  for (let depth = 0; depth < 5000; depth++) {
    entry = entry.child("d");
    tree.put(entry, stat("directory"), NOW_MS);
  }
  assert.equal(told(tree).length, 5000);
  tree.put(at(tree, "d"), null, NOW_MS);
  assert.equal(told(tree).length, 5000);
  tree.unwatch();
});

test("WatchedTree: the changes lead from what was told to what is there, through trees that can be", () => {
  const names = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 3 });
  const looks = fc.record({
    path: names.map((some) => some.join("/")),
    what: fc.option(
      fc.record({
        kind: fc.constantFrom<FileKind>("file", "directory", "directory"),
        size: fc.nat(2),
        inode: fc.nat(2),
      }),
    ),
    takes: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(looks, { maxLength: 40 }), (script) => {
      const tree = new WatchedTree("/w", true);
      const there = new Map<string, FileStat>();
      const model = new Map<string, FileKind>();
      for (const { path, what, takes } of script) {
        look(tree, there, path, what === null ? null : stat(what.kind, what));
        for (let count = 0; count < takes; count++) takeInto(model, tree);
      }
      while (takeInto(model, tree)) continue;
      const kinds = [...there].map(([path, { kind }]) => [`/w/${path}`, kind] as const);
      assert.deepEqual(model, new Map(kinds));
    }),
    { numRuns: 2000 },
  );
});

/** Somebody looks at a path whose directory is there. */
function look(
  tree: WatchedTree,
  there: Map<string, FileStat>,
  path: string,
  what: FileStat | null,
): void {
  const end = path.lastIndexOf("/");
  if (end >= 0 && there.get(path.slice(0, end))?.kind !== "directory") return;
  tree.put(at(tree, path), what, NOW_MS);
  const isOther = what?.kind !== there.get(path)?.kind;
  for (const known of there.keys())
    if (isOther && known.startsWith(`${path}/`)) there.delete(known);
  if (what === null) there.delete(path);
  else there.set(path, what);
}

/** Follows the next change, each of which must fit what was told before. Whether there was one. */
function takeInto(model: Map<string, FileKind>, tree: WatchedTree): boolean {
  const change = tree.take();
  if (change === undefined) return false;
  const { kind, path, fileKind } = change;
  assert.equal(model.has(path), kind !== "created", `${kind} ${path}`);
  if (kind !== "created") assert.equal(model.get(path), fileKind);
  if (kind === "removed") {
    model.delete(path);
    for (const known of model.keys())
      assert.ok(!known.startsWith(`${path}/`), `${known} is in ${path}, which is removed`);
    return true;
  }
  model.set(path, fileKind);
  const directory = path.slice(0, path.lastIndexOf("/"));
  if (directory !== "/w") assert.equal(model.get(directory), "directory", `${kind} ${path}`);
  return true;
}
