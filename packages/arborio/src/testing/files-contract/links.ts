import { equal } from "../conformance/assert.ts";
import { type FilesCheck, refused } from "./suite.ts";

/** Links of both kinds. */
export const links: readonly FilesCheck[] = [
  {
    title: "Files.change, symbolic-link: says whatever it is told, only where nothing is",
    async body(bench) {
      await bench.symbolicLink("link", "file");
      await bench.write("link", "text");
      equal(await bench.read("file"), "text");
      for (const name of ["link", "file", "."])
        await refused(bench.symbolicLink(name, "x"), "EEXIST");
      await refused(bench.symbolicLink("none/link", "x"), "ENOENT");
      await refused(bench.symbolicLink("file/link", "x"), "ENOTDIR");
      await refused(bench.symbolicLink("new/", "x"), "ENOENT");
      await refused(bench.symbolicLink("new", "a".repeat(5000)), "ENAMETOOLONG");
      equal(await bench.list(), "file link");
    },
  },
  {
    title: "Files.change, symbolic-link: in the middle of a path it leads on from where it is",
    async body(bench) {
      await bench.makeDirectory("a");
      await bench.makeDirectory("a/b");
      await bench.write("a/file", "text");
      await bench.symbolicLink("a/b/up", "..");
      await bench.symbolicLink("way", "a/b/up/");
      equal(await bench.read("way/file"), "text");
      equal(await bench.list("way/b/up"), "b file");
      await bench.makeDirectory("way/made");
      equal(await bench.list("a"), "b file made");
      await bench.symbolicLink("absolute", bench.at("a"));
      await bench.removeFile("absolute/file");
      equal(await bench.list("a"), "b made");
    },
  },
  {
    title: "Files.change, symbolic-link: a slash at its end asks for a directory",
    async body(bench) {
      await bench.write("file", "text");
      await bench.makeDirectory("directory");
      await bench.symbolicLink("toFile", "file/");
      await bench.symbolicLink("toDirectory", "directory//");
      await bench.symbolicLink("nowhere", "none/");
      await refused(bench.stat("toFile"), "ENOTDIR");
      await refused(bench.openFile("toFile"), "ENOTDIR");
      equal((await bench.look("toFile")).kind, "link");
      equal(await bench.list("toDirectory"), "");
      const creating = { access: "write", create: "if-missing" } as const;
      await refused(bench.openFile("nowhere", creating), "EISDIR");
      await refused(bench.openFile("toFile", creating), "EISDIR");
    },
  },
  {
    title: "Files.change, hard-link: another name of the same file",
    async body(bench) {
      await bench.write("a", "text");
      await bench.hardLink("b", "a");
      const [one, two] = [await bench.stat("a"), await bench.stat("b")];
      equal(one.inode, two.inode);
      equal(two.names, 2);
      await bench.write("b", "changed");
      equal(await bench.read("a"), "changed");
      await bench.change({ kind: "mode", path: "a", mode: 0o600 });
      equal((await bench.stat("b")).mode, 0o600);
      await bench.removeFile("a");
      equal((await bench.stat("b")).names, 1);
      equal(await bench.read("b"), "changed");
    },
  },
  {
    title: "Files.change, hard-link: of a symbolic link it is another name of the link",
    async body(bench) {
      await bench.symbolicLink("link", "none");
      await bench.hardLink("name", "link");
      equal(await bench.readLink("name"), "none");
      equal((await bench.look("link")).names, 2);
    },
  },
  {
    title: "Files.change, hard-link: only where nothing is, of no directory",
    async body(bench) {
      await bench.write("a", "text");
      await bench.makeDirectory("directory");
      await bench.symbolicLink("nowhere", "none");
      for (const name of ["a", "directory", "nowhere"])
        await refused(bench.hardLink(name, "a"), "EEXIST");
      await refused(bench.hardLink("new", "directory"), "EPERM");
      await refused(bench.hardLink("new", "none"), "ENOENT");
      await refused(bench.hardLink("none/new", "a"), "ENOENT");
      await refused(bench.hardLink("new/", "a"), "ENOENT");
      await refused(bench.hardLink("new", "a/"), "ENOTDIR");
      equal(await bench.list(), "a directory nowhere");
    },
  },
];
