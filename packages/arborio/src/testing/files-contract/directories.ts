import type { DirectoryHandle, FileStat, PathChange } from "../../platform/files.ts";
import { equal, ok } from "../conformance/assert.ts";
import { settled } from "../network-contract/suite.ts";
import { type Bench, type FilesCheck, refused } from "./suite.ts";

/** Opens a directory; it is closed when the test has ended. */
function open(bench: Bench, path: string): Promise<DirectoryHandle> {
  return settled<DirectoryHandle>("openDirectory", (done) => {
    ok(bench.files.openDirectory, "needed a way to open directories");
    return bench.files.openDirectory(path, {
      ...done,
      succeed(handle) {
        bench.owns(handle);
        done.succeed(handle);
      },
    });
  });
}

function names(bench: Bench, path: string): Promise<string> {
  return settled<string>("readDirectory", (done) =>
    bench.files.readDirectory(path, {
      ...done,
      succeed: (entries) =>
        done.succeed(
          entries
            .map(({ name }) => name)
            .sort()
            .join(" "),
        ),
    }),
  );
}

function stat(bench: Bench, path: string): Promise<FileStat> {
  return settled<FileStat>("stat", (done) => bench.files.stat(path, true, done));
}

function change(bench: Bench, wanted: PathChange): Promise<void> {
  return settled<void>(wanted.kind, (done) => bench.files.change(wanted, done));
}

/** Directories that are open. */
export const directories: readonly FilesCheck[] = [
  {
    title:
      "Files.openDirectory: its path leads to it wherever it is, and whatever is at its old one",
    async body(bench) {
      await bench.makeDirectory("a");
      await bench.makeDirectory("a/b");
      await bench.write("a/file", "text");
      await bench.makeDirectory("other");
      await bench.write("other/kept", "");
      const { path } = await open(bench, bench.at("a"));
      await bench.rename("a", "other/moved");
      await bench.symbolicLink("a", "other");
      equal(await names(bench, path), "b file");
      const inside = await stat(bench, `${path}/file`);
      equal(inside.inode, (await bench.stat("other/moved/file")).inode);
      const own = await stat(bench, path);
      equal(own.inode, (await bench.stat("other/moved")).inode);
      equal(await names(bench, `${path}/..`), "kept moved");
      await change(bench, { kind: "remove-file", path: `${path}/file` });
      await change(bench, { kind: "rename", path: `${path}/b`, target: `${path}/c` });
      await change(bench, { kind: "mode", path, mode: 0o700 });
      equal((await bench.stat("other/moved")).mode, 0o700);
      await change(bench, { kind: "remove-directory", path: `${path}/c` });
      equal(await bench.list("other/moved"), "");
    },
  },
  {
    title: "Files.openDirectory: directories, and no links to them",
    async body(bench) {
      await bench.makeDirectory("a");
      await bench.write("a/file", "");
      await bench.makeDirectory("a/b");
      await bench.symbolicLink("a/link", "b");
      await bench.symbolicLink("way", "a");
      const { path } = await open(bench, bench.at("way/b/.."));
      equal(await names(bench, path), "b file link");
      for (const place of [bench.at("a"), path]) {
        await refused(open(bench, `${place}/link`), "ENOTDIR", "ELOOP");
        await refused(open(bench, `${place}/file`), "ENOTDIR");
        await refused(open(bench, `${place}/none`), "ENOENT");
      }
      equal(await names(bench, (await open(bench, `${path}/b`)).path), "");
    },
  },
  {
    title: "Files.openDirectory: needs no permission for the directory itself",
    async body(bench) {
      await bench.makeDirectory("a");
      await bench.write("a/file", "");
      await bench.change({ kind: "mode", path: "a", mode: 0 });
      const { path } = await open(bench, bench.at("a"));
      await change(bench, { kind: "mode", path, mode: 0o500 });
      equal(await names(bench, path), "file");
    },
  },
  {
    title: "Files.openDirectory: of one that was removed nothing can be named",
    async body(bench) {
      await bench.makeDirectory("a");
      const { path } = await open(bench, bench.at("a"));
      await bench.removeDirectory("a");
      await bench.makeDirectory("a");
      await bench.write("a/file", "");
      await refused(stat(bench, `${path}/file`), "ENOENT");
      const making = { kind: "make-directory", path: `${path}/b`, mode: 0o700 } as const;
      await refused(change(bench, making), "ENOENT");
    },
  },
  {
    title: "DirectoryHandle.close: its path leads there no more; withdrawn, it is not opened",
    async body(bench) {
      await bench.makeDirectory("a");
      await bench.write("a/file", "");
      const handle = await open(bench, bench.at("a"));
      const { path } = handle;
      handle.close();
      handle.close();
      await refused(stat(bench, `${path}/file`), "ENOENT", "ENOTDIR");
      bench.files.openDirectory?.(bench.at("a"), bench.never)();
      equal(await bench.list("a"), "file");
    },
  },
];
