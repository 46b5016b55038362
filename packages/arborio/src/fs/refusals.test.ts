/**
 * What the system refuses, and what few programs meet: full disks, missing permissions, directories that vanish, names that are odd,
 * links that lead in circles, positions beyond 4 GiB.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { BrokenResourceError, run } from "../index.ts";
import {
  appendFile,
  openFile,
  PartialWriteError,
  readDirectory,
  readFile,
  readTextFile,
  replaceFile,
  stat,
  writeFile,
} from "../fs.ts";
import { asNobody, NOBODY } from "../testing/as-nobody.test.kit.ts";
import { testIf } from "../testing/test-if.test.kit.ts";
import {
  change,
  filesTest as test,
  hasSystemCode,
  hostFilesTest,
  look,
  pattern,
  textOf,
  untilClosed,
} from "./files.test.kit.ts";

const full = hasSystemCode("ENOSPC", /no room left on the disk/);

hostFilesTest(
  "/dev/full: whatever is written is ENOSPC, and nothing was written",
  async () => {
    {
      await using file = await openFile("/dev/full", { flags: "r+" });
      await assert.rejects(file.write("x"), full);
      await assert.rejects(file.write("x", 5), full);
      assert.equal(file.position, 0);
      await assert.rejects(file.sendStream().send(new Uint8Array(1)), (error) => {
        assert.ok(error instanceof BrokenResourceError);
        return full(error.cause);
      });
    }
    for (const write of [writeFile, appendFile]) {
      await assert.rejects(write("/dev/full", "text"), (error) => {
        assert.ok(!(error instanceof PartialWriteError));
        return full(error);
      });
    }
    await assert.rejects(replaceFile("/dev/full", "text"), hasSystemCode("EINVAL", /device/));
    assert.equal((await stat("/dev/full")).kind, "device");
    await untilClosed("/dev/full");
  },
  "a device of the host",
);

/** So large is the disk that is filled. */
const DISK_BYTES = 256 * 1024;

/** A small disk of its own, in memory; `null` where this process may not make one. */
function mountDisk(): string | null {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "arborio-disk-")));
  const { status } = spawnSync("mount", [
    "-t",
    "tmpfs",
    "-o",
    `size=${DISK_BYTES}`,
    "none",
    folder,
  ]);
  if (status === 0) return folder;
  rmdirSync(folder);
  return null;
}

function unmountDisk(folder: string): void {
  execFileSync("umount", [folder]);
  rmdirSync(folder);
}

function mayMount(): boolean {
  const folder = mountDisk();
  if (folder !== null) unmountDisk(folder);
  return folder !== null;
}

/** Deno writes a piece whole, or says that it could not, and not how much of it is written. */
const tellsParts = !("Deno" in globalThis);

const diskTest = testIf(mayMount(), "this process may not mount a small disk");

diskTest("a disk that gets full: what was written is told, and is there", async () => {
  const folder = mountDisk() as string;
  try {
    await run(() => fillDisk(folder), { signals: [] });
  } finally {
    unmountDisk(folder);
  }
});

async function fillDisk(folder: string): Promise<void> {
  const path = join(folder, "file");
  const large = pattern(DISK_BYTES * 2);
  for (const write of [writeFile, appendFile]) {
    let told = 0;
    await assert.rejects(write(path, large), (error) => {
      if (error instanceof PartialWriteError) told = error.writtenBytes;
      return full(error);
    });
    const there = await readFile(path);
    assert.ok(there.length > DISK_BYTES / 2);
    assert.deepEqual(there, large.subarray(0, there.length));
    assert.equal(told, tellsParts ? there.length : 0);
    rmSync(path);
  }
  await writeFile(path, "old");
  await assert.rejects(replaceFile(path, large), full);
  assert.equal(await readTextFile(path), "old");
  assert.deepEqual(await readDirectory(folder), [{ name: "file", kind: "file" }]);
  await using file = await openFile(path, { flags: "r+" });
  await assert.rejects(file.write(large), full);
  assert.equal(file.position, tellsParts ? (await file.stat()).size : 0);
  await file.setSize(0);
  file.seek(0);
  assert.equal(await file.write("there is room again"), 19);
}

hostFilesTest(
  "permissions: what this process may not is EACCES, and changes nothing",
  async (folder) => {
    const path = `${folder}/file`;
    writeFileSync(path, "old");
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    try {
      await asNobody(async () => {
        const denied = hasSystemCode("EACCES", /permission denied/);
        for (const flags of ["r+", "w", "a"] as const)
          await assert.rejects(openFile(path, { flags }), denied, flags);
        for (const flags of ["w", "wx", "a"] as const)
          await assert.rejects(openFile(`${folder}/new`, { flags }), denied, flags);
        for (const write of [writeFile, appendFile, replaceFile])
          await assert.rejects(write(path, "new"), denied, write.name);
        assert.equal(await readTextFile(path), "old");
      });
    } finally {
      chmodSync(folder, 0o755);
    }
    assert.equal(statSync(path).size, 3);
    assert.equal((await readDirectory(folder)).length, 1);
  },
  "users of this machine",
);

const rootTest = testIf(process.geteuid?.() === 0, "only root makes files of other users");

rootTest(
  "replaceFile: keeps owner and group where it may; where not, no rights of the owner's",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "arborio-owner-"));
    try {
      chmodSync(folder, 0o777);
      const path = join(folder, "file");
      await run(
        async () => {
          await writeFile(path, "old");
          await change({ kind: "owner", path, user: 1234, group: 5678 });
          await change({ kind: "mode", path, mode: 0o4755 });
          await replaceFile(path, "new");
          const kept = await stat(path);
          assert.deepEqual([kept.user, kept.group, kept.mode], [1234, 5678, 0o4755]);
          await asNobody(() => replaceFile(path, "newer").then(() => {}));
          const taken = await stat(path);
          assert.deepEqual([taken.user, taken.mode], [NOBODY, 0o755]);
          assert.equal(await readTextFile(path), "newer");
        },
        { signals: [] },
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("a directory that vanishes: an open file lives on, nothing new can be made in it", async (folder) => {
  const gone = `${folder}/gone`;
  await change({ kind: "make-directory", path: gone, mode: 0o755 });
  await using file = await openFile(`${gone}/file`, { flags: "w+" });
  await file.write("still");
  await change({ kind: "remove-file", path: `${gone}/file` });
  await change({ kind: "remove-directory", path: gone });
  await file.write(" here");
  await file.sync();
  assert.equal(textOf(await file.readRange(0, 100)), "still here");
  assert.equal((await file.stat()).names, 0);
  for (const write of [writeFile, appendFile, replaceFile])
    await assert.rejects(write(`${gone}/file`, "x"), hasSystemCode("ENOENT"), write.name);
  assert.deepEqual(await readDirectory(folder), []);
});

test("replaceFile: a directory that vanishes while it writes", async (folder) => {
  const gone = `${folder}/gone`;
  await change({ kind: "make-directory", path: gone, mode: 0o755 });
  async function* removing(): AsyncGenerator<string> {
    yield "begun";
    for (const { name } of await readDirectory(gone))
      await change({ kind: "remove-file", path: `${gone}/${name}` });
    await change({ kind: "remove-directory", path: gone });
    yield "and more";
  }
  await assert.rejects(replaceFile(`${gone}/file`, removing()), hasSystemCode("ENOENT"));
  assert.deepEqual(await readDirectory(folder), []);
});

test("positions beyond 4 GiB: written, read, streamed, cut off", async (folder) => {
  const path = `${folder}/sparse`;
  await using file = await openFile(path, { flags: "w+" });
  for (const far of [2 ** 31 - 2, 2 ** 32 - 2, 2 ** 33 + 7, 2 ** 40 + 5]) {
    const bytes = pattern(70_000);
    assert.equal(await file.write(bytes, far), 70_000);
    assert.equal((await stat(path)).size, far + 70_000);
    assert.deepEqual(await file.readRange(far - 3, far), new Uint8Array(3));
    assert.deepEqual(await file.readRange(far, Infinity), bytes);
    let at = 0;
    for await (const chunk of file.stream({ start: far + 1 })) {
      assert.deepEqual(chunk, bytes.subarray(1 + at, 1 + at + chunk.length));
      at += chunk.length;
    }
    assert.equal(at, 69_999);
    file.seek(far + 69_999);
    assert.deepEqual([...(await file.read())], [bytes[69_999]]);
    await file.write("line\nlast");
    const lines: string[] = [];
    for await (const line of file.lines({ start: far + 70_000 })) lines.push(line);
    assert.deepEqual(lines, ["line", "last"]);
  }
  await assert.rejects(readFile(path), hasSystemCode("EFBIG"));
  await assert.rejects(file.setSize(2 ** 53 - 1), hasSystemCode("EFBIG", /too large/));
  for (const operation of [
    () => file.write("x", 2 ** 53),
    () => file.read(1, 2 ** 53),
    () => file.setSize(2 ** 60),
  ])
    await assert.rejects(operation, /needs at most 2\*\*53 - 1/);
  await file.setSize(2 ** 41);
  assert.equal((await file.stat()).size, 2 ** 41);
  await file.setSize(10);
  assert.equal((await readFile(path)).length, 10);
});

test("names with odd characters", async (folder) => {
  const names = [
    "new\nline",
    "tab\tand\r",
    "😀🇩🇪",
    "-rf",
    "--",
    "*?[a]{b}",
    "...",
    " ",
    "~",
    "$HOME `id` \"'\\",
    "%2f%00",
    "e\u0301",
    "\u00e9",
    "ä".repeat(127),
    "x".repeat(255),
  ];
  for (const name of names) {
    const path = `${folder}/${name}`;
    await writeFile(path, name, { exclusive: true });
    await appendFile(path, "+");
    await replaceFile(path, `${await readTextFile(path)}!`);
    assert.equal(await readTextFile(path), `${name}+!`);
  }
  const found = (await readDirectory(folder)).map(({ name }) => name);
  assert.deepEqual(found, names.toSorted());
  for (const write of [writeFile, appendFile, replaceFile])
    await assert.rejects(write(`${folder}/${"x".repeat(256)}`, ""), hasSystemCode("ENAMETOOLONG"));
});

hostFilesTest(
  "a name that is no UTF-8 is listed, and cannot be opened by what is listed",
  async (folder) => {
    execFileSync("sh", ["-c", "printf x > \"$1/$(printf 'a\\377b')\"", "sh", folder]);
    const entries = await readDirectory(folder);
    assert.deepEqual(entries, [{ name: "a\ufffdb", kind: "file" }]);
    await assert.rejects(readFile(`${folder}/a\ufffdb`), hasSystemCode("ENOENT"));
    execFileSync("sh", ["-c", 'rm "$1"/a*', "sh", folder]);
  },
  "its names are text",
);

test("links that lead in a circle", async (folder) => {
  await change({ kind: "symbolic-link", path: `${folder}/a`, target: "b" });
  await change({ kind: "symbolic-link", path: `${folder}/b`, target: `${folder}/a` });
  await change({ kind: "symbolic-link", path: `${folder}/self`, target: "self/deeper" });
  const circle = hasSystemCode("ELOOP", /circle/);
  for (const name of ["a", "b", "self", "a/below"]) {
    const path = `${folder}/${name}`;
    for (const flags of ["r", "w", "a+"] as const)
      await assert.rejects(openFile(path, { flags }), circle, `${name} ${flags}`);
    for (const write of [writeFile, appendFile, replaceFile])
      await assert.rejects(write(path, "x"), circle, write.name);
  }
  await assert.rejects(openFile(`${folder}/a`, { flags: "wx" }), hasSystemCode("EEXIST"));
  for (const { name, kind } of await readDirectory(folder)) assert.equal(kind, "link", name);
});

hostFilesTest(
  "devices and pipes: written and read where they have positions, refused where not",
  async (folder) => {
    await using nothing = await openFile("/dev/null", { flags: "r+" });
    assert.equal(await nothing.write(pattern(3_000_000)), 3_000_000);
    assert.equal((await nothing.read()).length, 0);
    using zeros = await openFile("/dev/zero");
    let bytes = 0;
    for await (const chunk of zeros.stream({ end: 1_000_000 })) bytes += chunk.length;
    assert.equal(bytes, 1_000_000);
    execFileSync("mkfifo", [`${folder}/fifo`]);
    // Nobody reads from it.
    await assert.rejects(openFile(`${folder}/fifo`, { flags: "w" }), hasSystemCode("ENXIO"));
    using reading = await openFile(`${folder}/fifo`);
    assert.equal((await reading.stat()).kind, "fifo");
    await using writing = await openFile(`${folder}/fifo`, { flags: "a" });
    await assert.rejects(writing.write("x"), hasSystemCode("ESPIPE", /no positions/));
    mkdirSync(`${folder}/directory`);
    await assert.rejects(replaceFile(`${folder}/fifo`, "x"), hasSystemCode("EINVAL", /fifo/));
    await assert.rejects(replaceFile(`${folder}/directory`, "x"), hasSystemCode("EISDIR"));
    assert.equal((await look(`${folder}/fifo`)).kind, "fifo");
  },
  "devices of the host",
);
