/** What can be asked and changed about one path. The same on every backend. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { Path } from "../fs.ts";
import { wallNow } from "../lowlevel.ts";
import { simulate } from "../sim.ts";
import { filesTest as test, hasSystemCode } from "./files.test.kit.ts";

const names = async (directory: Path): Promise<string[]> =>
  (await directory.entries()).map(({ path }) => path.name);

test("Path.exists, isFile, isDirectory, isLink: what is there; nothing and dangling links are no error", async (folder) => {
  const at = new Path(folder);
  await at.join("file").write("");
  await at.join("to-file").makeLink("file");
  await at.join("to-folder").makeLink(folder);
  await at.join("nowhere").makeLink("missing");
  await at.join("loop").makeLink("loop");
  const told: Record<string, boolean[]> = {};
  for (const name of [
    ".",
    "file",
    "to-file",
    "to-folder",
    "nowhere",
    "loop",
    "missing",
    "file/below",
    "loop/below",
  ]) {
    const path = at.join(name);
    told[name] = [
      await path.exists(),
      await path.exists({ followLinks: false }),
      await path.isFile(),
      await path.isDirectory(),
      await path.isLink(),
    ];
  }
  const nothing = [false, false, false, false, false];
  assert.deepEqual(told, {
    ".": [true, true, false, true, false],
    file: [true, true, true, false, false],
    "to-file": [true, true, true, false, true],
    "to-folder": [true, true, false, true, true],
    nowhere: [false, true, false, false, true],
    loop: [false, true, false, false, true],
    missing: nothing,
    "file/below": nothing,
    "loop/below": nothing,
  });
  await assert.rejects(at.join("a".repeat(300)).exists(), hasSystemCode("ENAMETOOLONG"));
});

test("Path.stat: of a link, or of what it leads to", async (folder) => {
  const at = new Path(folder);
  await at.join("file").write("four");
  await at.join("link").makeLink("file");
  assert.equal((await at.join("link").stat()).size, 4);
  const own = await at.join("link").stat({ followLinks: false });
  assert.deepEqual([own.kind, own.size], ["link", 4]);
  await assert.rejects(at.join("no").stat(), hasSystemCode("ENOENT"));
  await assert.rejects(
    at.stat({ follow: true } as never),
    /TypeError: stat\({ follow }\): there is no/,
  );
  await assert.rejects(
    at.stat({ followLinks: 1 } as never),
    /stat\({ followLinks }\): got 1, needs/,
  );
  await assert.rejects(at.stat(null as never), /needs an object such as/);
});

test("Path.readLink, realPath, isSameFile: where links lead", async (folder) => {
  const at = new Path(folder);
  const real = await at.realPath();
  await at.join("file").write("");
  await at.join("link").makeLink("./x/../file");
  await at.join("way").makeLink("file");
  assert.equal((await at.join("link").readLink()).text, "x/../file");
  assert.equal((await at.join("way").realPath()).text, real.join("file").text);
  assert.ok((await at.join("way").realPath()) instanceof Path);
  assert.equal(await at.join("way").isSameFile(at.join("file")), true);
  assert.equal(await at.join("way").isSameFile(at), false);
  await at.join("name").makeHardLink(at.join("file"));
  assert.equal(await at.join("way").isSameFile(at.join("name").text), true);
  assert.equal((await at.join("file").stat()).names, 2);
  await assert.rejects(at.join("file").readLink(), hasSystemCode("EINVAL"));
  await assert.rejects(at.join("no").readLink(), hasSystemCode("ENOENT"));
  await assert.rejects(at.join("link").realPath(), hasSystemCode("ENOENT"));
  await assert.rejects(at.isSameFile(at.join("no")), hasSystemCode("ENOENT"));
  await assert.rejects(at.join("file").makeLink("x"), hasSystemCode("EEXIST"));
  await assert.rejects(at.join("file").makeHardLink(at.join("link")), hasSystemCode("EEXIST"));
  await assert.rejects(at.join("new").makeHardLink(at.join("no")), hasSystemCode("ENOENT"));
  await assert.rejects(
    at.join("new").makeLink(1 as never),
    /TypeError: Path.makeLink: got 1, needs/,
  );
});

test("Path.workingDirectory: absolute, and what relative paths are below", async () => {
  const here = await Path.workingDirectory();
  assert.ok(here.isAbsolute && here.parts.every((part) => part !== ".."));
  assert.ok(await here.isSameFile("."));
});

test("Path.makeDirectory: alone, with parents, where it is already", async (folder) => {
  const at = new Path(folder);
  const deep = at.join("a/b/../c/d");
  await assert.rejects(deep.makeDirectory(), hasSystemCode("ENOENT"));
  await deep.makeDirectory({ parents: true });
  assert.deepEqual([await names(at), await names(at.join("a"))], [["a"], ["b", "c"]]);
  await assert.rejects(deep.makeDirectory({ parents: true }), hasSystemCode("EEXIST"));
  await deep.makeDirectory({ parents: true, existOk: true });
  await deep.makeDirectory({ existOk: true });
  await at.join("file").write("");
  await at.join("to-a").makeLink("a");
  await at.join("nowhere").makeLink("missing");
  await at.join("to-a").makeDirectory({ existOk: true });
  await at.join("to-a/e/f").makeDirectory({ parents: true });
  assert.ok(await at.join("a/e/f").isDirectory());
  for (const [path, code] of [
    ["file", "EEXIST"],
    ["nowhere", "EEXIST"],
    ["file/below", "ENOTDIR"],
    ["file/below/x", "ENOTDIR"],
    ["nowhere/below", "EEXIST"],
    [`${"n".repeat(300)}/x`, "ENAMETOOLONG"],
  ] as const)
    await assert.rejects(
      at.join(path).makeDirectory({ parents: true, existOk: true }),
      hasSystemCode(code),
      path,
    );
  await at.join("private/inner").makeDirectory({ parents: true, mode: 0o700 });
  assert.equal((await at.join("private/inner").stat()).mode & 0o777, 0o700);
  assert.equal((await at.join("private").stat()).mode & 0o700, 0o700);
  for (const wrong of [
    { mode: -1 },
    { mode: 0o10000 },
    { mode: "7" },
    { parents: 1 },
    { existOk: null },
    { recursive: true },
  ])
    await assert.rejects(
      at.join("w").makeDirectory(wrong as never),
      /(Type|Range)Error: Path.makeDirectory\({/,
    );
  await assert.rejects(at.makeDirectory(5 as never), TypeError);
  assert.ok(!(await at.join("w").exists()));
});

test("Path.makeDirectory: many levels at once", async (folder) => {
  const deep = new Path(folder, "d/".repeat(300));
  await deep.makeDirectory({ parents: true });
  assert.ok(await deep.isDirectory());
  await new Path(folder, "d").removeTree();
});

test("Path.touch: makes a file, or sets its times to now", async (folder) => {
  const file = new Path(folder, "file");
  await file.touch({ mode: 0o600 });
  const made = await file.stat();
  assert.deepEqual([made.kind, made.size, made.mode & 0o777], ["file", 0, 0o600]);
  await file.write("x");
  await file.setTimes({ accessedMs: 1000, modifiedMs: 2000 });
  const before = Math.floor(wallNow());
  await file.touch();
  const touched = await file.stat();
  // File systems have the time of the last tick of the clock.
  assert.ok(touched.modifiedMs >= before - 1000 && touched.accessedMs >= before - 1000);
  assert.equal(touched.size, 1);
  await new Path(folder).touch();
  await assert.rejects(file.touch({ existOk: false }), hasSystemCode("EEXIST"));
  await new Path(folder, "other").touch({ existOk: false });
  await assert.rejects(new Path(folder, "no/file").touch(), hasSystemCode("ENOENT"));
  await assert.rejects(file.join("below").touch(), hasSystemCode("ENOTDIR"));
  await assert.rejects(file.touch({ mode: 0o7777_7 }), RangeError);
  await new Path(folder, "way").makeLink("target");
  await new Path(folder, "way").touch();
  assert.ok(await new Path(folder, "target").isFile());
});

test("Path.setMode, setTimes, setOwner: set it, through links", async (folder) => {
  const file = new Path(folder, "file");
  const link = new Path(folder, "link");
  await file.write("x");
  await link.makeLink("file");
  for (const mode of [0o640, 0o400, 0o755]) {
    await link.setMode(mode);
    assert.equal((await file.stat()).mode, mode);
  }
  await link.setTimes({ accessedMs: 1_000_000_000_123, modifiedMs: 2_000_000_000_456 });
  const first = await file.stat();
  assert.deepEqual([first.accessedMs, first.modifiedMs], [1_000_000_000_123, 2_000_000_000_456]);
  await link.setTimes({ modifiedMs: 5000 });
  const second = await file.stat();
  assert.deepEqual([second.accessedMs, second.modifiedMs], [1_000_000_000_123, 5000]);
  await file.setTimes({});
  assert.equal((await file.stat()).modifiedMs, 5000);
  await file.setOwner({ user: first.user, group: first.group });
  await file.setOwner({ group: first.group });
  await file.setOwner({});
  const last = await file.stat();
  assert.deepEqual([last.user, last.group], [first.user, first.group]);
  const missing = new Path(folder, "missing");
  await assert.rejects(missing.setMode(0), hasSystemCode("ENOENT"));
  await assert.rejects(missing.setTimes({}), hasSystemCode("ENOENT"));
  await assert.rejects(missing.setTimes({ accessedMs: 1, modifiedMs: 1 }), hasSystemCode("ENOENT"));
  await assert.rejects(missing.setOwner({ user: 0 }), hasSystemCode("ENOENT"));
  await assert.rejects(file.setMode(0o10000), RangeError);
  await assert.rejects(file.setMode("644" as never), TypeError);
  await assert.rejects(
    file.setTimes({ modifiedMs: Number.NaN }),
    /RangeError.*needs milliseconds since 1970/,
  );
  await assert.rejects(file.setTimes({ modifiedMs: new Date() as never }), TypeError);
  await assert.rejects(file.setTimes({ mtime: 1 } as never), /there is no such option/);
  await assert.rejects(file.setOwner({ user: -1 }), RangeError);
  await assert.rejects(file.setOwner({ uid: 1 } as never), /there is no such option/);
});

test("Path.rename: replaces in one step what it may, and nothing else", async (folder) => {
  const at = new Path(folder);
  await at.join("a").write("a");
  await at.join("b").write("b");
  await at.join("a").rename(at.join("b"));
  assert.deepEqual([await names(at), await at.join("b").readText()], [["b"], "a"]);
  await at.join("link").makeLink("b");
  await at.join("link").rename(at.join("moved"));
  assert.equal((await at.join("moved").readLink()).text, "b");
  await at.join("d/e").makeDirectory({ parents: true });
  await at.join("empty").makeDirectory();
  await at.join("d").rename(at.join("empty").text);
  assert.deepEqual(await names(at.join("empty")), ["e"]);
  await at.join("d").makeDirectory();
  for (const [from, to, code] of [
    ["d", "empty", "ENOTEMPTY"],
    ["d", "b", "ENOTDIR"],
    ["b", "d", "EISDIR"],
    ["empty", "empty/e/x", "EINVAL"],
    ["no", "x", "ENOENT"],
    ["b", "no/x", "ENOENT"],
  ] as const)
    await assert.rejects(
      at.join(from).rename(at.join(to)),
      hasSystemCode(code),
      `${from} to ${to}`,
    );
  await assert.rejects(at.rename(3 as never), /TypeError: Path.rename: got 3, needs a path/);
});

test("Path.syncDirectory: of a directory, and of nothing else", async (folder) => {
  const at = new Path(folder);
  await at.join("file").write("");
  await at.syncDirectory();
  await assert.rejects(at.join("file").syncDirectory(), hasSystemCode("ENOTDIR"));
  await assert.rejects(at.join("no").syncDirectory(), hasSystemCode("ENOENT"));
});

nodeTest(
  "Path.syncDirectory: without it a crash may undo a rename, after it none does",
  async () => {
    const undone = { synced: 0, unsynced: 0 };
    for (let seed = 0; seed < 40; seed += 1) {
      for (const way of ["synced", "unsynced"] as const) {
        await simulate({ seed }, async (world) => {
          const server = world.host("server");
          server.files.write("/old/name", "x");
          server.files.makeDirectory("/new");
          await server.run(async () => {
            await new Path("/old/name").rename("/new/name");
            if (way === "synced") await new Path("/new").syncDirectory();
          });
          server.crash();
          if (!server.files.list("/new").includes("name")) undone[way] += 1;
        });
      }
    }
    assert.equal(undone.synced, 0);
    assert.ok(undone.unsynced > 0);
  },
);

test("Path.copy: a file with its permissions; nothing but files", async (folder) => {
  const at = new Path(folder);
  const [file, copy] = [at.join("file"), at.join("copy")];
  await file.write("contents");
  await file.setMode(0o750);
  await file.setTimes({ accessedMs: 1000, modifiedMs: 2000 });
  await file.copy(copy);
  const made = await copy.stat();
  assert.deepEqual([await copy.readText(), made.mode], ["contents", 0o750]);
  assert.notEqual(made.modifiedMs, 2000);
  await assert.rejects(file.copy(copy, { replace: false }), hasSystemCode("EEXIST"));
  await copy.write("something longer");
  await file.setTimes({ accessedMs: 1000, modifiedMs: 2000 });
  await file.copy(copy, { keepTimes: true });
  const again = await copy.stat();
  assert.deepEqual(
    [await copy.readText(), again.accessedMs, again.modifiedMs],
    ["contents", 1000, 2000],
  );
  await at.join("way").makeLink("file");
  await at.join("way").copy(at.join("from-way"));
  assert.equal(await at.join("from-way").isLink(), false);
  await copy.write("");
  await at.join("to-copy").makeLink("copy");
  await file.copy(at.join("to-copy"));
  assert.equal(await copy.readText(), "contents");
  await at.join("name").makeHardLink(file);
  for (const [from, to, code] of [
    [".", "new", "EISDIR"],
    ["file", ".", "EISDIR"],
    ["no", "new", "ENOENT"],
    ["file", "no/new", "ENOENT"],
    ["file", "file/new", "ENOTDIR"],
    ["file", "file", "EINVAL"],
    ["file", "way", "EINVAL"],
    ["name", "file", "EINVAL"],
  ] as const)
    await assert.rejects(at.join(from).copy(at.join(to)), hasSystemCode(code), `${from} to ${to}`);
  await assert.rejects(file.copy(copy, { preserve: true } as never), /there is no such option/);
  await assert.rejects(file.copy(copy, { replace: 1 } as never), TypeError);
  await assert.rejects(file.copy(1 as never), /TypeError: Path.copy\(target\): got 1/);
});

test("Path.remove, removeDirectory: each its own kind", async (folder) => {
  const at = new Path(folder);
  await at.join("file").write("");
  await at.join("link").makeLink("d");
  await at.join("d/e").makeDirectory({ parents: true });
  await assert.rejects(at.join("d").remove(), hasSystemCode("EISDIR"));
  await assert.rejects(at.join("d").removeDirectory(), hasSystemCode("ENOTEMPTY"));
  await assert.rejects(at.join("file").removeDirectory(), hasSystemCode("ENOTDIR"));
  await assert.rejects(at.join("link").removeDirectory(), hasSystemCode("ENOTDIR"));
  await at.join("link").remove();
  await at.join("file").remove();
  await at.join("d/e").removeDirectory();
  await at.join("d").removeDirectory();
  assert.deepEqual(await names(at), []);
  await assert.rejects(at.join("file").remove(), hasSystemCode("ENOENT"));
  await assert.rejects(at.join("d").removeDirectory(), hasSystemCode("ENOENT"));
  await at.join("file").remove({ missingOk: true });
  await at.join("d").removeDirectory({ missingOk: true });
  await assert.rejects(at.remove({ force: true } as never), /there is no such option/);
});

test("Path: reads and writes files as the functions do", async (folder) => {
  const file = new Path(folder, "file");
  assert.equal(await file.write("one\n"), 4);
  await file.append("two\n");
  assert.equal(await file.readText(), "one\ntwo\n");
  await file.replace(new Uint8Array([1, 2]));
  assert.deepEqual([...(await file.read())], [1, 2]);
  await assert.rejects(file.write("", { exclusive: true }), hasSystemCode("EEXIST"));
  using opened = await file.open();
  assert.equal(opened.path, file.text);
});

test("Path: names with odd characters are names like others", async (folder) => {
  const odd = [
    "\n",
    " ",
    "-rf",
    "*",
    "[a]",
    "{a,b}",
    "\\",
    "😀",
    "ä",
    "a\u0308",
    "%2f",
    "#",
    "?",
    "'\"$(x)",
    "x".repeat(255),
    "é".repeat(127),
    "\u0001",
    "~",
    "...",
    "CON",
  ];
  const at = new Path(folder);
  for (const name of odd) await at.join(name).write(name);
  assert.deepEqual(new Set(await names(at)), new Set(odd));
  for (const name of odd) {
    const path = new Path(at.join(name).toUrl());
    assert.equal(await path.readText(), name);
    await path.rename(at.join("moved"));
    await at.join("moved").copy(path);
    await at.join("moved").remove();
    assert.equal(await path.readText(), name);
  }
  await assert.rejects(at.join("x".repeat(256)).write(""), hasSystemCode("ENAMETOOLONG"));
});
