/** What tests of files share: an empty folder on the host and in the simulator, and how to look at what happened. */
import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { test as nodeTest } from "node:test";
import { shielded, sleep, SystemError } from "../index.ts";
import { randomBytes } from "../lowlevel.ts";
import { currentBackend, requireCapability } from "../platform/capabilities.ts";
import type { DirectoryEntry, FileStat, PathChange } from "../platform/files.ts";
import { hostOperation } from "../platform/host-operation.ts";
import { asNobody } from "../testing/as-nobody.test.kit.ts";
import { type EveryBackendOptions, onEveryBackend } from "../testing.ts";

const everyBackend = onEveryBackend(nodeTest);

/** Runs a test on the host and in the simulator, each with an empty folder of its own, which is removed with all that is in it. */
export function filesTest(
  title: string,
  body: (folder: string) => unknown,
  options: EveryBackendOptions = {},
): void {
  everyBackend(title, () => inFolder(body), options);
}

/** `filesTest` for a user who may do nothing special, whoever runs the tests: so do all programs in the simulator. */
export function nobodysFilesTest(title: string, body: (folder: string) => unknown): void {
  everyBackend(title, () => asNobody(() => inFolder(body)));
}

async function inFolder(body: (folder: string) => unknown): Promise<void> {
  const { temporaryDirectory } = requireCapability(currentBackend(), "files", "filesTest");
  const digits = Array.from(randomBytes(8), (byte) => byte.toString(16)).join("");
  // A blank and a letter beyond ASCII: no path may need quoting.
  const folder = `${temporaryDirectory}/arborio ä ${digits}`;
  await change({ kind: "make-directory", path: folder, mode: 0o755 });
  try {
    await body(folder);
  } finally {
    await shielded(() => removeAll(folder));
  }
}

/** `filesTest` only on the host, for what no simulator has. */
export function hostFilesTest(
  title: string,
  body: (folder: string) => unknown,
  reason: string,
): void {
  filesTest(title, body, { skip: { backend: "simulator", reason } });
}

async function removeAll(folder: string): Promise<void> {
  const entries = await hostOperation<readonly DirectoryEntry[]>({
    name: "list",
    resource: folder,
    begin: (backend, done) =>
      requireCapability(backend, "files", "filesTest").readDirectory(folder, done),
  });
  for (const { name, kind } of entries) {
    const path = `${folder}/${name}`;
    if (kind === "directory") await removeAll(path);
    else await change({ kind: "remove-file", path });
  }
  await change({ kind: "remove-directory", path: folder });
}

/** Changes what paths lead to, through the contract. */
export function change(wanted: PathChange): Promise<void> {
  return hostOperation<void>({
    name: wanted.kind,
    resource: wanted.path,
    mustEnd: true,
    begin: (backend, done) => requireCapability(backend, "files", "filesTest").change(wanted, done),
  });
}

/** What is known about a path, through the contract; of a link itself. */
export function look(path: string): Promise<FileStat> {
  return hostOperation<FileStat>({
    name: "stat",
    resource: path,
    begin: (backend, done) =>
      requireCapability(backend, "files", "filesTest").stat(path, false, done),
  });
}

/** Whether an error is the system's of this code, with a message that matches. */
export function hasSystemCode(code: string, message: RegExp = /^/): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SystemError, String(error));
    assert.equal(error.systemCode, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Numbers that tell where in the file they are. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 255);
}

/** How many descriptors of this process lead to such paths. */
function countDescriptors(counts: (link: string) => boolean): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return counts(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  }).length;
}

/** Waits until no descriptor of this process leads to `path`. */
export function untilClosed(path: string): Promise<void> {
  return untilNone((link) => link === path);
}

/** Waits until no descriptor of this process leads to what is or was below `folder`. */
export function untilAllClosed(folder: string): Promise<void> {
  return untilNone((link) => link.startsWith(`${folder}/`));
}

async function untilNone(counts: (link: string) => boolean): Promise<void> {
  for (let attempt = 0; countDescriptors(counts) > 0; attempt++) {
    assert.ok(attempt < 400, "a descriptor was left open");
    await sleep(5);
  }
}
