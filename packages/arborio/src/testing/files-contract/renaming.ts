import { equal } from "../conformance/assert.ts";
import { type FilesCheck, readAll, refused } from "./suite.ts";

/** Names that change. */
export const renaming: readonly FilesCheck[] = [
  {
    title: "Files.change, rename: a file, in place of another, from one directory to another",
    async body(bench) {
      await bench.write("a", "text");
      await bench.write("b", "replaced");
      const { inode } = await bench.stat("a");
      await bench.rename("a", "b");
      equal(await bench.read("b"), "text");
      equal((await bench.stat("b")).inode, inode);
      await bench.makeDirectory("directory");
      await bench.rename("b", "directory/c");
      equal(await bench.read("directory/c"), "text");
      equal(await bench.list(), "directory");
    },
  },
  {
    title:
      "Files.change, rename: onto its own name, or another name of the same file, nothing happens",
    async body(bench) {
      await bench.write("a", "text");
      await bench.hardLink("b", "a");
      await bench.rename("a", "a");
      await bench.rename("a", "b");
      equal(await bench.list(), "a b");
      equal((await bench.stat("a")).names, 2);
      await bench.makeDirectory("directory");
      await bench.rename("directory", "directory/");
      equal(await bench.list(), "a b directory");
    },
  },
  {
    title: "Files.change, rename: a directory with what is in it; open files know",
    async body(bench) {
      await bench.makeDirectory("old");
      await bench.makeDirectory("old/below");
      await bench.write("old/below/file", "text");
      const handle = await bench.openFile("old/below/file");
      await bench.makeDirectory("to");
      await bench.rename("old", "to/new/");
      equal(await bench.read("to/new/below/file"), "text");
      equal(await readAll(handle), "text");
      equal(await bench.realPath("to/new/below/../.."), bench.at("to"));
      await refused(bench.stat("old"), "ENOENT");
    },
  },
  {
    title: "Files.change, rename: a directory only in place of an empty directory",
    async body(bench) {
      await bench.makeDirectory("a");
      await bench.write("a/file", "");
      await bench.makeDirectory("empty");
      await bench.makeDirectory("full");
      await bench.write("full/file", "");
      await bench.write("file", "");
      await bench.symbolicLink("link", "empty");
      await refused(bench.rename("a", "full"), "ENOTEMPTY", "EEXIST");
      await refused(bench.rename("a", "file"), "ENOTDIR");
      await refused(bench.rename("a", "link"), "ENOTDIR");
      await refused(bench.rename("file", "empty"), "EISDIR");
      await refused(bench.rename("link", "empty"), "EISDIR");
      await bench.rename("a", "empty");
      equal(await bench.list("empty"), "file");
      equal(await bench.list(), "empty file full link");
    },
  },
  {
    title: "Files.change, rename: no directory into itself, nor over one that it is in",
    async body(bench) {
      await bench.makeDirectory("a");
      await bench.makeDirectory("a/b");
      await bench.write("a/b/file", "");
      await refused(bench.rename("a", "a/c"), "EINVAL");
      await refused(bench.rename("a", "a/b"), "EINVAL");
      await refused(bench.rename("a", "a/b/c"), "EINVAL");
      await refused(bench.rename("a/b", "a"), "ENOTEMPTY");
      await refused(bench.rename("a/b/file", "a"), "ENOTEMPTY");
      await refused(bench.rename(".", "b"), "EBUSY");
      await refused(bench.rename("a/b/..", "b"), "EBUSY");
      await refused(bench.rename("a/b", "."), "EBUSY");
      equal(await bench.list("a/b"), "file");
    },
  },
  {
    title: "Files.change, rename: links are renamed and replaced themselves",
    async body(bench) {
      await bench.write("file", "text");
      await bench.write("other", "other");
      await bench.symbolicLink("link", "file");
      await bench.rename("link", "moved");
      equal(await bench.readLink("moved"), "file");
      await bench.rename("other", "moved");
      equal((await bench.look("moved")).kind, "file");
      equal(await bench.read("file"), "text");
    },
  },
  {
    title: "Files.change, rename: what is in the way",
    async body(bench) {
      await bench.write("file", "");
      await bench.makeDirectory("directory");
      await refused(bench.rename("none", "b"), "ENOENT");
      await refused(bench.rename("none", "file"), "ENOENT");
      await refused(bench.rename("file", "none/b"), "ENOENT");
      await refused(bench.rename("file", "file/b"), "ENOTDIR");
      await refused(bench.rename("file/", "b"), "ENOTDIR");
      await refused(bench.rename("file", "b/"), "ENOTDIR");
      await refused(bench.rename("file", "a".repeat(256)), "ENAMETOOLONG");
      await refused(bench.rename("a".repeat(256), "b"), "ENAMETOOLONG");
      await refused(bench.rename("a".repeat(256), "none/b"), "ENOENT");
      equal(await bench.list(), "directory file");
    },
  },
];
