/** Copying trees, on every backend. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { openTemporaryDirectory, Path } from "../fs.ts";
import { run, SystemError } from "../index.ts";
import { testIf } from "../testing/test-if.test.kit.ts";
import {
  filesTest as test,
  hasSystemCode,
  hostFilesTest,
  nobodysFilesTest,
} from "./files.test.kit.ts";
import { plant, walked } from "./tree.test.kit.ts";

test("Path.copyTree: files, directories, links as links, with permissions", async (folder) => {
  const [from, to] = [new Path(folder, "from"), new Path(folder, "to")];
  await plant(from, "a/b/c", "a/run", "e/", "way -> a/b", "dead -> ../no", ".rc");
  await from.join("a/b/c").write("contents");
  await from.join("a/run").setMode(0o755);
  await from.join("e").setMode(0o750);
  await from.join("a").setTimes({ accessedMs: 1000, modifiedMs: 2000 });
  await from.copyTree(to);
  assert.deepEqual(await walked(to), [
    ".rc",
    "a/",
    "a/b/",
    "a/b/c",
    "a/run",
    "dead@",
    "e/",
    "way@",
  ]);
  assert.equal(await to.join("a/b/c").readText(), "contents");
  assert.equal((await to.join("dead").readLink()).text, "../no");
  const modes = [(await to.join("a/run").stat()).mode, (await to.join("e").stat()).mode & 0o777];
  assert.deepEqual(modes, [0o755, 0o750]);
  assert.notEqual((await to.join("a").stat()).modifiedMs, 2000);
  assert.deepEqual(await walked(from), await walked(to));
});

test("Path.copyTree, keepTimes: of files and directories", async (folder) => {
  const [from, to] = [new Path(folder, "from"), new Path(folder, "to")];
  await plant(from, "a/b", "c/d");
  const times = { accessedMs: 1_000_000_000_000, modifiedMs: 1_100_000_000_000 };
  for (const name of ["a/b", "a", "c/d", "c", "."]) await from.join(name).setTimes(times);
  await from.copyTree(to, { keepTimes: true });
  for (const name of ["a/b", "a", "c", "."])
    assert.equal((await to.join(name).stat()).modifiedMs, times.modifiedMs, name);
});

test("Path.copyTree, existOk: into what is there, over files and links in the way", async (folder) => {
  const [from, to] = [new Path(folder, "from"), new Path(folder, "to")];
  await plant(from, "a/new", "a/both", "l -> a");
  await from.join("a/both").write("new");
  await plant(to, "a/old", "a/both", "l -> old");
  await to.join("a/both").write("something old");
  await assert.rejects(from.copyTree(to), hasSystemCode("EEXIST"));
  assert.equal(await to.join("a/both").readText(), "something old");
  await from.copyTree(to, { existOk: true });
  assert.deepEqual(await walked(to), ["a/", "a/both", "a/new", "a/old", "l@"]);
  assert.equal(await to.join("a/both").readText(), "new");
  assert.equal((await to.join("l").readLink()).text, "a");
  await to.join("a").removeTree();
  await to.join("a").write("a file in the way of a directory");
  await assert.rejects(from.copyTree(to, { existOk: true }), hasSystemCode("EEXIST"));
});

test("Path.copyTree, filter: what is left out, and all below it", async (folder) => {
  const [from, to] = [new Path(folder, "from"), new Path(folder, "to")];
  await plant(from, "a/b", "skip/x", "c.tmp", "d/skip -> no", "d/e");
  const asked: string[] = [];
  await from.copyTree(to, {
    filter({ path, kind }) {
      asked.push(`${kind} ${path.relativeTo(from).text}`);
      return path.name !== "skip" && path.suffix !== ".tmp";
    },
  });
  assert.deepEqual(await walked(to), ["a/", "a/b", "d/", "d/e"]);
  assert.deepEqual(asked, [
    "directory a",
    "file c.tmp",
    "directory d",
    "directory skip",
    "file a/b",
    "file d/e",
    "link d/skip",
  ]);
});

test("Path.copyTree: not into itself, by whatever path; and not onto itself", async (folder) => {
  const root = new Path(folder);
  const from = root.join("from");
  await plant(root, "from/a/b", "way -> from/a");
  for (const to of [
    "from",
    "from/new",
    "from/a/new/c",
    "way/new",
    "way",
    "from/../from/a/x",
    "from/x/y/z",
  ])
    await assert.rejects(
      from.copyTree(root.join(to), { existOk: true }),
      hasSystemCode("EINVAL", /into itself/),
      to,
    );
  assert.deepEqual(await walked(root), ["from/", "from/a/", "from/a/b", "way@"]);
  await from.copyTree(root.join("from-2"));
  await from.join("a").copyTree(root.join("from", "c"));
  assert.deepEqual(await walked(from), ["a/", "a/b", "c/", "c/b"]);
  await from.join("a").copyTree(from, { existOk: true });
  assert.deepEqual(await walked(from), ["a/", "a/b", "b", "c/", "c/b"]);
});

test("Path.copyTree: what is no directory, no option, and where nothing can be made", async (folder) => {
  const root = new Path(folder);
  await plant(root, "file", "from/a");
  const from = root.join("from");
  await assert.rejects(root.join("file").copyTree(root.join("to")), hasSystemCode("ENOTDIR"));
  await assert.rejects(root.join("no").copyTree(root.join("to")), hasSystemCode("ENOENT"));
  await assert.rejects(from.copyTree(root.join("no/to")), hasSystemCode("ENOENT"));
  await assert.rejects(from.copyTree(root.join("file/to")), hasSystemCode("ENOTDIR"));
  assert.equal(await root.join("to").exists(), false);
  for (const wrong of [
    { existOk: 1 },
    { keepTimes: "yes" },
    { filter: "*.ts" },
    { overwrite: true },
    null,
  ])
    await assert.rejects(
      from.copyTree(root.join("to"), wrong as never),
      /TypeError: Path.copyTree/,
    );
  await assert.rejects(from.copyTree(5 as never), /TypeError: Path/);
});

nobodysFilesTest(
  "Path.copyTree: directories that cannot be written are filled, and are as they were",
  async (folder) => {
    const [from, to] = [new Path(folder, "from"), new Path(folder, "to")];
    await plant(from, "locked/a/b", "z");
    await from.join("locked").setMode(0o500);
    await from.copyTree(to);
    assert.equal((await to.join("locked").stat()).mode & 0o777, 0o500);
    assert.deepEqual(await walked(to), ["locked/", "locked/a/", "locked/a/b", "z"]);
    await from.join("z").setMode(0);
    await assert.rejects(from.copyTree(new Path(folder, "other")), hasSystemCode("EACCES"));
    for (const root of [from, to]) await root.join("locked").setMode(0o700);
    const other = new Path(folder, "other/locked");
    if (await other.exists()) await other.setMode(0o700);
  },
);

test("Path.copyTree: many files at once, each whole", async (folder) => {
  const [from, to] = [new Path(folder, "from"), new Path(folder, "to")];
  await from.makeDirectory();
  for (let index = 0; index < 60; index += 1)
    await from.join(`${index}`).write(`${index} `.repeat(index * 50));
  await from.copyTree(to);
  for (let index = 0; index < 60; index += 1)
    assert.equal(await to.join(`${index}`).readText(), `${index} `.repeat(index * 50));
});

hostFilesTest(
  "Path.copyTree, copy: FIFOs and devices are refused, and never waited for",
  async (folder) => {
    const root = new Path(folder);
    await plant(root, "from/a", "from/d/");
    assert.equal(spawnSync("mkfifo", [root.join("from/d/fifo").text]).status, 0);
    await assert.rejects(
      root.join("from").copyTree(root.join("to")),
      hasSystemCode("EINVAL", /fifo: got a FIFO, a socket or a device, needs a filter/),
    );
    await root.join("from").copyTree(root.join("all"), { filter: ({ kind }) => kind !== "other" });
    assert.deepEqual(await walked(root.join("all")), ["a", "d/"]);
    await assert.rejects(
      root.join("from/d/fifo").copy(root.join("x")),
      hasSystemCode("EINVAL", /got a fifo, needs a file/),
    );
    await assert.rejects(
      root.join("from/a").copy(root.join("from/d/fifo")),
      hasSystemCode("EINVAL"),
    );
    await assert.rejects(
      new Path("/dev/zero").copy(root.join("x")),
      hasSystemCode("EINVAL", /got a device/),
    );
  },
  "there are no FIFOs",
);

/** Lets a directory be reached by a second path, without a link; `false` where this process may not. */
function bind(directory: string, path: string): boolean {
  return spawnSync("mount", ["--bind", directory, path]).status === 0;
}

function mayBind(): boolean {
  const folder = mkdtempSync(`${tmpdir()}/arborio-bind-`);
  const isBound = bind(folder, folder);
  if (isBound) execFileSync("umount", [folder]);
  rmSync(folder, { recursive: true });
  return isBound;
}

const boundTest = testIf(mayBind(), "this process may not mount a directory at a second path");

boundTest("Path.copyTree: not into itself by a second way that no path tells", () =>
  run(
    async () => {
      await using temporary = await openTemporaryDirectory();
      const [from, other] = [temporary.path.join("from"), temporary.path.join("other")];
      await plant(temporary.path, "from/a/b", "other/");
      assert.ok(bind(from.text, other.text));
      try {
        await assert.rejects(from.copyTree(other.join("a/new")), hasSystemCode("EINVAL"));
        assert.deepEqual(await walked(from), ["a/", "a/b", "a/new/", "a/new/a/", "a/new/a/b"]);
      } finally {
        execFileSync("umount", [other.text]);
      }
    },
    { signals: [] },
  ),
);

test("Path.copyTree: a failure in one file stops the others, and is thrown bare", async (folder) => {
  const [from, to] = [new Path(folder, "from"), new Path(folder, "to")];
  for (let index = 0; index < 80; index += 1) await plant(from, `${index}`);
  await plant(to, "0/in the way");
  await assert.rejects(from.copyTree(to, { existOk: true }), (error) => {
    assert.ok(error instanceof SystemError, String(error));
    return error.systemCode === "EISDIR";
  });
  const copied = (await walked(to)).length;
  assert.ok(copied < 80, `${copied} of 80 were copied`);
});
