/** Real paths and directories of the host. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test as nodeTest } from "node:test";
import { pathToFileURL } from "node:url";
import { ClosedResourceError, SystemError } from "../index.ts";
import { openFile, readDirectory, realPath } from "../fs.ts";
import { onEveryBackend } from "../testing.ts";
import { asNobody } from "../testing/as-nobody.test.kit.ts";
import { type RegisterTest, testIf } from "../testing/test-if.test.kit.ts";

const onHost = { skip: { backend: "simulator", reason: "files of this machine" } } as const;
const test: RegisterTest = (title, body) => onEveryBackend(nodeTest)(title, body, onHost);

const FOLDER = "/proc/self/fd";
const hasDescriptors = testIf(existsSync(FOLDER), `this system has no ${FOLDER}`);
const descriptorTest: RegisterTest = (title, body) =>
  onEveryBackend(hasDescriptors)(title, body, onHost);

const folder = realpathSync(mkdtempSync(join(tmpdir(), "arborio-directory-")));
after(() => rmSync(folder, { recursive: true, force: true }));

const hasCode = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SystemError, String(error));
  assert.equal(error.systemCode, code);
  assert.match(error.message, message);
  return true;
};

test("realPath: follows every link, and resolves . and ..", async () => {
  const inside = join(folder, "real", "in ä");
  mkdirSync(inside, { recursive: true });
  writeFileSync(join(inside, "file"), "");
  symlinkSync("real", join(folder, "link"));
  symlinkSync("../../link/in ä/file", join(inside, "away"));
  for (const path of [
    join(folder, "link", "in ä", "away"),
    `${folder}/./real/../link/in ä//file`,
    pathToFileURL(join(inside, "away")),
  ])
    assert.equal(await realPath(path), join(inside, "file"));
  assert.equal(await realPath(`${folder}/link/`), join(folder, "real"));
  assert.equal(await realPath("/"), "/");
});

test("File.realPath: of what is open, through links", async () => {
  const real = join(folder, "opened");
  writeFileSync(real, "");
  symlinkSync("opened", join(folder, "way"));
  using file = await openFile(join(folder, "way"));
  assert.equal(await file.realPath(), real);
  file.close();
  await assert.rejects(file.realPath(), ClosedResourceError);
});

descriptorTest(
  "File.realPath: it is that of what is open, whatever becomes of the path",
  async () => {
    const real = join(folder, "replaced");
    writeFileSync(real, "");
    symlinkSync("replaced", join(folder, "other way"));
    using file = await openFile(join(folder, "other way"));
    assert.equal(await file.realPath(), real);
    rmSync(join(folder, "other way"));
    symlinkSync("elsewhere", join(folder, "other way"));
    assert.equal(await file.realPath(), real);
    renameSync(real, join(folder, "moved"));
    assert.equal(await file.realPath(), join(folder, "moved"));
    rmSync(join(folder, "moved"));
    assert.notEqual(await file.realPath(), join(folder, "moved"));
  },
);

test("realPath, readDirectory: the system's refusals have the same codes everywhere", async () => {
  const loop = join(folder, "loop");
  symlinkSync(loop, loop);
  writeFileSync(join(folder, "plain"), "");
  for (const [code, path] of [
    ["ENOENT", join(folder, "missing")],
    ["ENOTDIR", join(folder, "plain", "below")],
    ["ENAMETOOLONG", join(folder, "a".repeat(300))],
    ["ELOOP", loop],
  ] as const) {
    await assert.rejects(realPath(path), hasCode(code, /^find the real path of /));
    await assert.rejects(readDirectory(path), hasCode(code, /^read the directory /));
  }
  await assert.rejects(readDirectory(join(folder, "plain")), hasCode("ENOTDIR", /plain/));
  await assert.rejects(realPath("a\0b"), RangeError);
  await assert.rejects(readDirectory("a\0b"), RangeError);
});

test("readDirectory: a directory that this process may not read is EACCES", async () => {
  const secret = join(folder, "secret");
  mkdirSync(secret);
  chmodSync(folder, 0o711);
  chmodSync(secret, 0);
  await asNobody(async () => {
    await assert.rejects(readDirectory(secret), hasCode("EACCES", /permission denied/));
    await assert.rejects(realPath(join(secret, "x")), hasCode("EACCES", /permission denied/));
  });
});

test("readDirectory: names and kinds, in the order of the names; of links not what they lead to", async () => {
  const path = join(folder, "list");
  mkdirSync(join(path, "folder"), { recursive: true });
  writeFileSync(join(path, "ä"), "");
  writeFileSync(join(path, ".hidden"), "");
  symlinkSync("folder", join(path, "link"));
  symlinkSync("nowhere", join(path, "dead"));
  execFileSync("mkfifo", [join(path, "queue")]);
  assert.deepEqual(await readDirectory(path), [
    { name: ".hidden", kind: "file" },
    { name: "dead", kind: "link" },
    { name: "folder", kind: "directory" },
    { name: "link", kind: "link" },
    { name: "queue", kind: "other" },
    { name: "ä", kind: "file" },
  ]);
  assert.deepEqual(await readDirectory(join(path, "folder")), []);
  assert.equal((await readDirectory(pathToFileURL(path))).length, 6);
});
