import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CommandError } from "../command-error.ts";
import { ModuleFolder } from "../testing/command.test.kit.ts";
import { disk } from "./disk.ts";

const text = (...texts: string[]): Uint8Array => new TextEncoder().encode(texts.join(""));

test("disk.openPart: makes a file with its folder, and goes on in one that is there", async () => {
  using folder = new ModuleFolder();
  const path = join(folder.path, "new", "a.part");
  const first = await disk.openPart(path);
  assert.equal(first.sizeBytes, 0);
  await first.write(text("hello"), 0);
  await first.sync();
  await first.close();
  const second = await disk.openPart(path);
  assert.equal(second.sizeBytes, 5);
  await second.write(text(", world"), 5);
  await second.write(text("H"), 0);
  await second.close();
  assert.equal(readFileSync(path, "utf8"), "Hello, world");
  assert.deepEqual([first.isNew, second.isNew], [true, false]);
});

test("disk.replacePart: whoever has the file open keeps it, and knows", async () => {
  using folder = new ModuleFolder();
  const path = join(folder.path, "a.part");
  const first = await disk.openPart(path);
  assert.equal(await first.isInPlace(), true);
  const second = await disk.replacePart(path);
  assert.deepEqual([second.sizeBytes, second.isNew], [0, true]);
  assert.deepEqual([await first.isInPlace(), await second.isInPlace()], [false, true]);
  await second.write(text("second"), 0);
  await first.write(text("the first"), 0);
  assert.equal(readFileSync(path, "utf8"), "second");
  await disk.remove(path);
  assert.equal(await second.isInPlace(), false);
  await first.close();
  await second.close();
});

test("disk.writeText, readText, read, rename, remove, exists", async () => {
  using folder = new ModuleFolder();
  const [a, b] = [join(folder.path, "a"), join(folder.path, "b")];
  assert.equal(await disk.readText(a), null);
  assert.equal(await disk.exists(a), false);
  await disk.writeText(a, "one");
  await disk.writeText(a, "two");
  assert.equal(await disk.readText(a), "two");
  await disk.writeText(b, "three");
  await disk.rename(a, b);
  assert.deepEqual(readdirSync(folder.path), ["b"]);
  let read = "";
  for await (const chunk of disk.read(b)) read += new TextDecoder().decode(chunk);
  assert.equal(read, "two");
  assert.equal(await disk.exists(b), true);
  await disk.remove(b);
  await disk.remove(b);
  assert.deepEqual(readdirSync(folder.path), []);
});

test("disk: what the system refuses is said in words", async () => {
  using folder = new ModuleFolder();
  const file = folder.write("file", "");
  const below = join(file, "a");
  const refused = (what: Promise<unknown>, message: RegExp): Promise<void> =>
    assert.rejects(what, (error: unknown) => {
      assert.ok(error instanceof CommandError);
      assert.match(error.message, message);
      return true;
    });
  await refused(disk.openPart(below), /^cannot [^:]*\/file: [^:]*\((ENOTDIR|EEXIST)\)$/);
  await refused(
    disk.exists(below),
    /^cannot stat [^:]*\/file\/a: a part of the path is not a directory \(ENOTDIR\)$/,
  );
  await refused(disk.exists(folder.path), /^is there already, and is no file$/);
  await refused(
    disk.rename(below, file),
    /^cannot rename [^:]*: a part of the path is not a directory \(ENOTDIR\)$/,
  );
});
