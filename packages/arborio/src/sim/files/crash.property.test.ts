/** Random changes, some synced, then a crash: what is left is a tree, and everything in it once was there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { PathChange } from "../../platform/files.ts";
import { RandomChooser } from "../chooser.ts";
import { VirtualClock } from "../clock.ts";
import { Disk } from "./disk.ts";
import type { DirectoryInode, FileInode, Inode } from "./inode.ts";
import { openInode } from "./open-inode.ts";
import { changePath } from "./path-changes.ts";
import { PAGE_BYTES } from "./sparse-bytes.ts";

/** Printed, so that a run can be repeated. */
const printedSeed = Math.floor(Math.random() * 2 ** 31);
console.log(`# crash.property: seed ${printedSeed}`);

const RUNS = 600;
const PAGES_MAX = 4;

type Step =
  | { readonly kind: "change"; readonly change: PathChange }
  | { readonly kind: "write"; readonly path: string; readonly page: number }
  | { readonly kind: "sync" | "set-size"; readonly path: string; readonly page: number };

const name = fc.constantFrom("a", "b", "c");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join("/")}`);

const change: fc.Arbitrary<PathChange> = fc.oneof(
  fc.record({ kind: fc.constant("make-directory"), path, mode: fc.constant(0o755) }),
  fc.record({ kind: fc.constantFrom("remove-file", "remove-directory", "sync-directory"), path }),
  fc.record({ kind: fc.constantFrom("rename", "rename", "hard-link"), path, target: path }),
);

const page = fc.nat(PAGES_MAX - 1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { arbitrary: fc.record({ kind: fc.constant("change"), change }), weight: 5 },
    { arbitrary: fc.record({ kind: fc.constant("write"), path, page }), weight: 3 },
    { arbitrary: fc.record({ kind: fc.constantFrom("sync", "set-size"), path, page }), weight: 1 },
  ),
  { minLength: 5, maxLength: 60, size: "max" },
);

/** A disk, and what a crash may leave of each file. */
class Model {
  readonly disk: Disk = new Disk(new VirtualClock(() => {}));
  /** For each file: of each page what it may hold, and the sizes. */
  readonly pages: Map<Inode, Set<number>[]> = new Map();
  readonly sizes: Map<Inode, Set<number>> = new Map();
  #stamp = 0;

  do(step: Step): void {
    const context = { disk: this.disk, root: this.disk.root, user: null };
    if (step.kind === "change") {
      changePath(context, step.change);
      return;
    }
    const entry = openInode(context, {
      path: step.path,
      access: "read-write",
      create: "if-missing",
      truncate: false,
      append: false,
      mode: 0o644,
    });
    if (typeof entry === "string") return;
    const file = entry.inode as FileInode;
    if (!this.pages.has(file)) {
      this.pages.set(
        file,
        Array.from({ length: PAGES_MAX }, () => new Set([0])),
      );
      this.sizes.set(file, new Set([0]));
    }
    if (step.kind === "write") this.#write(file, step.page);
    else if (step.kind === "sync") this.#sync(file);
    else this.#setSize(file, step.page);
  }

  #write(file: FileInode, at: number): void {
    this.#stamp = (this.#stamp % 255) + 1;
    file.bytes.write(new Uint8Array(PAGE_BYTES).fill(this.#stamp), at * PAGE_BYTES);
    this.pages.get(file)?.[at]?.add(this.#stamp);
    this.sizes.get(file)?.add(file.bytes.size);
  }

  #setSize(file: FileInode, at: number): void {
    file.bytes.setSize(at * PAGE_BYTES);
    for (const versions of this.pages.get(file)?.slice(at) ?? []) versions.add(0);
    this.sizes.get(file)?.add(file.bytes.size);
  }

  /** What was synced is certain. */
  #sync(file: FileInode): void {
    this.disk.sync(file);
    this.pages.set(
      file,
      contentsOf(file).map((byte) => new Set([byte])),
    );
    this.sizes.set(file, new Set([file.bytes.size]));
  }
}

/** The byte that each page is full of; 0 for one that is not there. */
function contentsOf(file: FileInode): number[] {
  return Array.from({ length: PAGES_MAX }, (_, index) => {
    const bytes = new Uint8Array(PAGE_BYTES);
    file.bytes.read(bytes, index * PAGE_BYTES);
    assert.ok(
      bytes.every((byte) => byte === bytes[0]),
      "no page is half old, half new",
    );
    return bytes[0] as number;
  });
}

/** Checks that it is a tree; each file in it with how many names it has. */
function checkTree(root: DirectoryInode): Map<FileInode, number> {
  const files = new Map<FileInode, number>();
  const directories = new Set<Inode>();
  const visit = (directory: DirectoryInode): void => {
    assert.ok(!directories.has(directory), "a directory is in one place");
    directories.add(directory);
    for (const [key, entry] of directory.entries) {
      const { inode } = entry;
      assert.deepEqual([entry.name, entry.directory, entry.isRemoved], [key, directory, false]);
      if (inode.kind === "file") files.set(inode, (files.get(inode) ?? 0) + 1);
      if (inode.kind !== "directory") continue;
      assert.equal(inode.entry, entry);
      assert.equal(inode.nameCount, 1);
      visit(inode);
    }
  };
  visit(root);
  return files;
}

test("Disk.crash: leaves a tree, whose files hold what was synced, or what was written since", () => {
  fc.assert(
    fc.property(steps, fc.nat(), (all, seed) => {
      const model = new Model();
      for (const step of all) model.do(step);
      checkTree(model.disk.root);
      model.disk.crash(new RandomChooser(seed));
      const files = checkTree(model.disk.root);
      let pageCount = 0;
      for (const [file, names] of files) {
        assert.equal(file.nameCount, names);
        pageCount += file.bytes.pageCount;
        assert.ok(file.bytes.isSynced);
        checkContents(model, file);
      }
      assert.equal(model.disk.root.volume.usedBytes, pageCount * PAGE_BYTES);
      // Nothing is unsynced now: another crash changes nothing.
      const before = describe(files);
      model.disk.crash(new RandomChooser(seed + 1));
      assert.deepEqual(describe(checkTree(model.disk.root)), before);
    }),
    { seed: printedSeed, numRuns: RUNS },
  );
});

function checkContents(model: Model, file: FileInode): void {
  const sizes = model.sizes.get(file) ?? new Set();
  const { size } = file.bytes;
  assert.ok(size <= Math.max(...sizes) && size >= Math.min(...sizes), `${size} bytes`);
  for (const [index, byte] of contentsOf(file).entries()) {
    if (index * PAGE_BYTES >= size) continue;
    assert.ok(model.pages.get(file)?.[index]?.has(byte), `page ${index} holds ${byte}`);
  }
}

function describe(files: Map<FileInode, number>): unknown[] {
  return [...files].map(([file, names]) => [file.number, names, file.bytes.size, contentsOf(file)]);
}
