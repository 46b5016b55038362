import { equal } from "../conformance/assert.ts";
import { type Bench, type FilesCheck, refused } from "./suite.ts";

function mode(bench: Bench, path: string, bits: number): Promise<void> {
  return bench.change({ kind: "mode", path, mode: bits });
}

/** What permission bits refuse to the owner, who is not root. */
export const permissions: readonly FilesCheck[] = [
  {
    title: "Files.open: asks for the bits that it needs",
    async body(bench) {
      await bench.write("file", "text");
      await mode(bench, "file", 0o200);
      await refused(bench.openFile("file"), "EACCES");
      await refused(bench.openFile("file", { access: "read-write" }), "EACCES");
      await bench.openFile("file", { access: "write" });
      await mode(bench, "file", 0o400);
      await refused(bench.openFile("file", { access: "write" }), "EACCES");
      const held = await bench.openFile("file");
      await mode(bench, "file", 0);
      equal((await bench.stat("file")).size, 4);
      held.close(() => {});
    },
  },
  {
    title: "Files: in a directory that may not be searched nothing is found",
    async body(bench) {
      await bench.makeDirectory("directory");
      await bench.write("directory/file", "");
      await bench.makeDirectory("directory/below");
      await mode(bench, "directory", 0o600);
      for (const attempt of [
        () => bench.stat("directory/file"),
        () => bench.stat("directory/none"),
        () => bench.stat("directory/.."),
        () => bench.realPath("directory/file"),
        () => bench.openFile("directory/file"),
        () => bench.entries("directory/below"),
        () => bench.removeFile("directory/file"),
        () => bench.rename("directory/file", "file"),
      ])
        await refused(attempt(), "EACCES");
      equal(await bench.list("directory"), "below file");
      await mode(bench, "directory", 0o700);
    },
  },
  {
    title: "Files.readDirectory, watch: ask for the bit to read",
    async body(bench) {
      await bench.makeDirectory("directory");
      await bench.write("directory/file", "text");
      await mode(bench, "directory", 0o300);
      await refused(bench.entries("directory"), "EACCES");
      await refused(bench.watch("directory", []), "EACCES");
      await refused(bench.change({ kind: "sync-directory", path: "directory" }), "EACCES");
      equal(await bench.read("directory/file"), "text");
    },
  },
  {
    title: "Files.change: names are made and taken away only where the directory may be written",
    async body(bench) {
      await bench.makeDirectory("directory");
      await bench.write("directory/file", "text");
      await bench.makeDirectory("directory/below");
      await bench.write("file", "");
      await mode(bench, "directory", 0o500);
      for (const attempt of [
        () => bench.openFile("directory/new", { access: "write", create: "if-missing" }),
        () => bench.makeDirectory("directory/new"),
        () => bench.symbolicLink("directory/new", "x"),
        () => bench.hardLink("directory/new", "file"),
        () => bench.rename("file", "directory/new"),
        () => bench.rename("file", "directory/file"),
        () => bench.rename("directory/file", "new"),
        () => bench.removeFile("directory/file"),
        () => bench.removeDirectory("directory/below"),
        () => bench.copyFile("file", "directory/new"),
      ])
        await refused(attempt(), "EACCES");
      await refused(bench.makeDirectory("directory/file"), "EEXIST");
      await refused(bench.removeFile("directory/none"), "ENOENT");
      await bench.write("directory/file", "may be written all the same");
      equal(await bench.list("directory"), "below file");
    },
  },
  {
    title: "Files.change, rename: a directory that may not be written stays where it is",
    async body(bench) {
      await bench.makeDirectory("a");
      await bench.makeDirectory("b");
      await mode(bench, "a", 0o500);
      await refused(bench.rename("a", "b/a"), "EACCES");
      await bench.rename("a", "c");
      equal(await bench.list(), "b c");
    },
  },
  {
    title: "Files.change, owner: nobody gives a file away",
    async body(bench) {
      await bench.write("file", "");
      const { user, group } = await bench.stat("file");
      await refused(bench.change({ kind: "owner", path: "file", user: user + 1, group }), "EPERM");
    },
  },
];
