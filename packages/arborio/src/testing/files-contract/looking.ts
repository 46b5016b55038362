import { equal, ok } from "../conformance/assert.ts";
import { type FilesCheck, refused } from "./suite.ts";

/** What is known about paths. */
export const looking: readonly FilesCheck[] = [
  {
    title: "Files.stat: kind, size, permission bits, owner and names of a file",
    async body(bench) {
      await bench.write("file", "grün");
      await bench.change({ kind: "mode", path: "file", mode: 0o640 });
      const told = await bench.stat("file");
      equal(told.kind, "file");
      equal(told.size, 5);
      equal(told.mode, 0o640);
      equal(told.names, 1);
      const directory = await bench.stat("");
      equal(directory.kind, "directory");
      equal(directory.device, told.device);
      equal(directory.user, told.user);
      ok(directory.inode !== told.inode);
      ok(Number.isInteger(told.modifiedMs) && Number.isInteger(told.accessedMs));
    },
  },
  {
    title: "Files.stat: a link is followed, or told about itself; a slash behind it follows it too",
    async body(bench) {
      await bench.write("file", "text");
      await bench.makeDirectory("directory");
      await bench.symbolicLink("toFile", "file");
      await bench.symbolicLink("toDirectory", "directory");
      await bench.symbolicLink("nowhere", "none");
      equal((await bench.stat("toFile")).inode, (await bench.stat("file")).inode);
      const link = await bench.look("toFile");
      equal(link.kind, "link");
      equal(link.size, 4);
      equal((await bench.stat("toDirectory")).kind, "directory");
      equal((await bench.look("toDirectory/")).kind, "directory");
      equal((await bench.look("toDirectory/.")).kind, "directory");
      equal((await bench.look("nowhere")).kind, "link");
      await refused(bench.stat("nowhere"), "ENOENT");
      await refused(bench.look("nowhere/"), "ENOENT");
    },
  },
  {
    title: "Files.stat, realPath, readLink, readDirectory: what is in the way of a path",
    async body(bench) {
      await bench.write("file", "text");
      await bench.symbolicLink("circle", "other");
      await bench.symbolicLink("other", "./circle");
      await bench.symbolicLink("nowhere", "none/below");
      const asking = [
        (name: string) => bench.stat(name),
        (name: string) => bench.look(name),
        (name: string) => bench.realPath(name),
        (name: string) => bench.readLink(name),
        (name: string) => bench.entries(name),
      ];
      for (const ask of asking) {
        await refused(ask("none"), "ENOENT");
        await refused(ask("none/../file"), "ENOENT");
        await refused(ask("nowhere/below"), "ENOENT");
        await refused(ask("file/"), "ENOTDIR");
        await refused(ask("file/."), "ENOTDIR");
        await refused(ask("file/below"), "ENOTDIR");
        await refused(ask("file/.."), "ENOTDIR");
        await refused(ask("circle/"), "ELOOP");
        await refused(ask("circle/below"), "ELOOP");
        await refused(ask("a".repeat(256)), "ENAMETOOLONG");
        await refused(ask("none/" + "a".repeat(256)), "ENOENT");
      }
      const long = "./".repeat(2100);
      await refused(bench.stat(long), "ENAMETOOLONG");
      await refused(bench.readLink(long), "ENAMETOOLONG");
      await refused(bench.entries(long), "ENAMETOOLONG");
    },
  },
  {
    title: "Files.stat, realPath: forty links lead on, and no more",
    async body(bench) {
      await bench.write("file", "text");
      await bench.symbolicLink("1", "file");
      for (let number = 2; number <= 41; number++)
        await bench.symbolicLink(String(number), String(number - 1));
      equal((await bench.stat("40")).size, 4);
      await refused(bench.stat("41"), "ELOOP");
      equal((await bench.look("41")).kind, "link");
    },
  },
  {
    title: "Files.realPath: absolute, without dots, slashes and links, each followed where it is",
    async body(bench) {
      await bench.makeDirectory("a");
      await bench.makeDirectory("a/b");
      await bench.write("a/file", "");
      await bench.symbolicLink("link", "a/b");
      await bench.symbolicLink("a/up", "..");
      await bench.symbolicLink("a/b/absolute", bench.at("a"));
      for (const [name, real] of [
        ["", ""],
        [".", ""],
        ["a//b/./", "a/b"],
        ["link", "a/b"],
        ["link/..", "a"],
        ["link/../file", "a/file"],
        ["link/absolute/up/a/up/link/", "a/b"],
        ["a/b/../../a/file", "a/file"],
      ] as const)
        equal(await bench.realPath(name), bench.at(real), name);
    },
  },
  {
    title: "Files.readLink: where a link leads, as it was written; of what is none EINVAL",
    async body(bench) {
      const targets = ["file", "../x", "/", "none/./../a//b/", " ", "ü🌳\n", "a".repeat(1000)];
      for (const [index, target] of targets.entries()) {
        await bench.symbolicLink(String(index), target);
        equal(await bench.readLink(String(index)), target);
      }
      await bench.write("file", "");
      await bench.makeDirectory("directory");
      await bench.symbolicLink("link", "directory");
      await refused(bench.readLink("file"), "EINVAL");
      await refused(bench.readLink("directory"), "EINVAL");
      await refused(bench.readLink("link/"), "EINVAL");
    },
  },
  {
    title: "Files.readDirectory: what is in it, without dots, each with what it is itself",
    async body(bench) {
      await bench.write("file", "");
      await bench.makeDirectory("directory");
      await bench.write("directory/below", "");
      await bench.symbolicLink("link", "directory");
      await bench.symbolicLink("nowhere", "none");
      const told = (await bench.entries("")).map(({ name, kind }) => `${name} ${kind}`).sort();
      equal(told.join(", "), "directory directory, file file, link link, nowhere link");
      equal(await bench.list("link"), "below");
      equal(await bench.list("directory/../link/"), "below");
      await bench.makeDirectory("empty");
      equal(await bench.list("empty"), "");
      await refused(bench.entries("file"), "ENOTDIR");
      await refused(bench.entries("nowhere"), "ENOENT");
    },
  },
  {
    title: "Files.readDirectory: of many entries each comes once",
    async body(bench) {
      const names = Array.from({ length: 500 }, (_, index) => `file ${String(index)}`).sort();
      await Promise.all(names.map((name) => bench.symbolicLink(name, "x")));
      equal(await bench.list(), names.join(" "));
    },
  },
  {
    title: "Files.stat, realPath, readLink, readDirectory: withdrawn, they tell nothing",
    async body(bench) {
      await bench.write("file", "");
      const { files, never } = bench;
      files.stat(bench.at("file"), true, never)();
      files.realPath(bench.at("file"), never)();
      files.readLink(bench.at("file"), never)();
      files.readDirectory(bench.directory, never)();
      files.stat(bench.at("none"), true, never)();
      equal((await bench.stat("file")).size, 0);
    },
  },
];
