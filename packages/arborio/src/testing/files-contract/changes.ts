import type { SystemError } from "../../core/errors.ts";
import { equal, ok } from "../conformance/assert.ts";
import { type FilesCheck, readAll, refused, write } from "./suite.ts";

/** Making, removing, copying; permissions, times, owners. */
export const changes: readonly FilesCheck[] = [
  {
    title: "Files.change, make-directory: with its permission bits, only where nothing is",
    async body(bench) {
      await bench.makeDirectory("made", 0o700);
      equal((await bench.stat("made")).kind, "directory");
      equal((await bench.stat("made")).mode, 0o700);
      await bench.makeDirectory("made/below/");
      await bench.write("file", "");
      await bench.symbolicLink("nowhere", "none");
      for (const name of ["made", "made/", ".", "made/..", "file", "nowhere"])
        await refused(bench.makeDirectory(name), "EEXIST");
      await refused(bench.makeDirectory("none/below"), "ENOENT");
      await refused(bench.makeDirectory("file/below"), "ENOTDIR");
      await refused(bench.makeDirectory("a".repeat(256)), "ENAMETOOLONG");
      equal(await bench.list(), "file made nowhere");
    },
  },
  {
    title: "Files.change, remove-file: a file or a link, not what it leads to; no directory",
    async body(bench) {
      await bench.write("file", "text");
      await bench.symbolicLink("link", "file");
      await bench.makeDirectory("directory");
      await bench.symbolicLink("toDirectory", "directory");
      await bench.symbolicLink("toNothing", "none");
      await bench.symbolicLink("circle", "circle");
      await bench.removeFile("link");
      equal(await bench.read("file"), "text");
      await refused(bench.removeFile("directory"), "EISDIR", "EPERM");
      await refused(bench.removeFile("directory/"), "EISDIR", "EPERM");
      for (const name of ["toDirectory/", "toDirectory//", "toNothing/", "circle/", "file/"])
        await refused(bench.removeFile(name), "ENOTDIR");
      for (const name of ["toDirectory", "toNothing", "circle", "file"])
        await bench.removeFile(name);
      await refused(bench.removeFile("file"), "ENOENT");
      await refused(bench.removeFile("none/file"), "ENOENT");
      equal(await bench.list(), "directory");
    },
  },
  {
    title: "Files.change, remove-directory: an empty one, nothing else",
    async body(bench) {
      await bench.makeDirectory("empty");
      await bench.makeDirectory("full");
      await bench.write("full/file", "");
      await bench.symbolicLink("link", "empty");
      await refused(bench.removeDirectory("full"), "ENOTEMPTY");
      await refused(bench.removeDirectory("full/file"), "ENOTDIR");
      await refused(bench.removeDirectory("link"), "ENOTDIR");
      await refused(bench.removeDirectory("link/"), "ENOTDIR");
      await refused(bench.removeDirectory("empty/."), "EINVAL");
      await refused(bench.removeDirectory("empty/.."), "ENOTEMPTY");
      await refused(bench.removeDirectory("none"), "ENOENT");
      await bench.removeDirectory("empty/");
      await refused(bench.removeDirectory("empty"), "ENOENT");
      equal(await bench.list(), "full link");
    },
  },
  {
    title: "Files.change, copy-file: the bytes and the permission bits, to another file",
    async body(bench) {
      const text = "0123456789".repeat(30_000);
      await bench.write("file", text);
      await bench.change({ kind: "mode", path: "file", mode: 0o604 });
      await bench.copyFile("file", "copy");
      equal(await bench.read("copy"), text);
      equal((await bench.stat("copy")).mode, 0o604);
      await bench.write("copy", "changed");
      equal(await bench.read("file"), text);
      await bench.write("empty", "");
      await bench.copyFile("empty", "copy", true);
      equal(await bench.read("copy"), "");
    },
  },
  {
    title: "Files.change, copy-file: replaces only if it may, and what it replaces keeps its names",
    async body(bench) {
      await bench.write("file", "new");
      await bench.change({ kind: "mode", path: "file", mode: 0o604 });
      await bench.write("old", "longer than new");
      await bench.hardLink("name", "old");
      await bench.symbolicLink("nowhere", "none");
      await refused(bench.copyFile("file", "old"), "EEXIST");
      await refused(bench.copyFile("file", "nowhere"), "EEXIST");
      equal(await bench.read("old"), "longer than new");
      await bench.copyFile("file", "old", true);
      equal(await bench.read("name"), "new");
      equal((await bench.stat("name")).mode, 0o604);
      equal((await bench.stat("name")).names, 2);
    },
  },
  {
    title: "Files.change, copy-file: follows links at both ends; a file onto itself stays as it is",
    async body(bench) {
      await bench.write("file", "text");
      await bench.write("other", "other");
      await bench.symbolicLink("link", "file");
      await bench.symbolicLink("toOther", "other");
      await bench.copyFile("link", "toOther", true);
      equal(await bench.read("other"), "text");
      equal((await bench.look("toOther")).kind, "link");
      await bench.hardLink("name", "file");
      for (const name of ["file", "link", "name"]) {
        // Some systems refuse it instead.
        await bench.copyFile("file", name, true).catch((error: SystemError) => {
          equal(error.systemCode, "EINVAL");
        });
        equal(await bench.read("file"), "text");
      }
    },
  },
  {
    title: "Files.change, copy-file: what cannot be copied leaves nothing behind",
    async body(bench) {
      await bench.makeDirectory("directory");
      await bench.write("file", "text");
      await refused(bench.copyFile("none", "copy"), "ENOENT");
      await refused(bench.copyFile("file", "none/copy"), "ENOENT");
      await refused(bench.copyFile("file", "directory", true), "EISDIR");
      await refused(bench.copyFile("file", "directory"), "EEXIST", "EISDIR");
      await refused(bench.copyFile("directory", "copy"), "EISDIR", "EINVAL", "ENOTSUP");
      equal(await bench.list(), "directory file");
    },
  },
  {
    title: "Files.change, mode: of what a path leads to, through links",
    async body(bench) {
      await bench.write("file", "");
      await bench.makeDirectory("directory");
      await bench.symbolicLink("link", "file");
      for (const mode of [0o600, 0o444, 0, 0o1777, 0o755]) {
        await bench.change({ kind: "mode", path: "link", mode });
        equal((await bench.stat("file")).mode, mode);
        await bench.change({ kind: "mode", path: "directory", mode: mode | 0o700 });
        equal((await bench.stat("directory")).mode, mode | 0o700);
      }
      await refused(bench.change({ kind: "mode", path: "none", mode: 0o600 }), "ENOENT");
    },
  },
  {
    title: "Files.change, times: to the millisecond, of what a path leads to",
    async body(bench) {
      await bench.write("file", "");
      await bench.makeDirectory("directory");
      await bench.symbolicLink("link", "file");
      for (const modifiedMs of [
        0,
        1,
        999,
        1_700_000_000_123,
        2 ** 32 * 1000 - 1,
        -1,
        -999,
        -1000,
        -86_400_001,
        -1_700_000_000_123,
      ]) {
        const accessedMs = modifiedMs + 86_400_000;
        for (const path of ["link", "directory"]) {
          await bench.change({ kind: "times", path, accessedMs, modifiedMs });
          const told = await bench.stat(path);
          equal(told.modifiedMs, modifiedMs);
          equal(told.accessedMs, accessedMs);
        }
      }
      const missing = { kind: "times", path: "none", accessedMs: 0, modifiedMs: 0 } as const;
      await refused(bench.change(missing), "ENOENT");
    },
  },
  {
    title: "Files.change, owner: to who owns it already is allowed",
    async body(bench) {
      await bench.write("file", "");
      const { user, group } = await bench.stat("file");
      await bench.symbolicLink("link", "file");
      await bench.change({ kind: "owner", path: "link", user, group });
      const told = await bench.stat("file");
      equal(told.user, user);
      equal(told.group, group);
      await refused(bench.change({ kind: "owner", path: "none", user, group }), "ENOENT");
    },
  },
  {
    title: "Files.change, sync-directory: a directory, and nothing else",
    async body(bench) {
      await bench.makeDirectory("directory");
      await bench.write("directory/file", "");
      await bench.change({ kind: "sync-directory", path: "directory" });
      await refused(bench.change({ kind: "sync-directory", path: "directory/file" }), "ENOTDIR");
      await refused(bench.change({ kind: "sync-directory", path: "none" }), "ENOENT");
    },
  },
  {
    title: "Files.change: a directory that vanished while files in it are open",
    async body(bench) {
      await bench.makeDirectory("directory");
      const target = { access: "read-write", create: "new" } as const;
      const handle = await bench.openFile("directory/file", target);
      await bench.removeFile("directory/file");
      await bench.removeDirectory("directory");
      ok((await write(handle, new Uint8Array(3), 0)) > 0);
      ok((await readAll(handle)).length > 0);
      await refused(bench.openFile("directory/file", target), "ENOENT");
    },
  },
  {
    title: "Files.change: of many that make the same name one succeeds",
    async body(bench) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, () => bench.makeDirectory("one")),
      );
      equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    },
  },
];
