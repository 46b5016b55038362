import { equal } from "../conformance/assert.ts";
import { closed, type FilesCheck, readAll, refused, writeAll } from "./suite.ts";

/** Finding and making what is to be opened. */
export const opening: readonly FilesCheck[] = [
  {
    title: "Files.open: never makes a file where nothing is",
    async body(bench) {
      for (const access of ["read", "write", "read-write"] as const)
        await refused(bench.openFile("none", { access }), "ENOENT");
      await refused(bench.openPath(""), "ENOENT");
      equal(await bench.list(), "");
    },
  },
  {
    title:
      "Files.open: makes a file if nothing is there, with its permission bits, else leaves it as it is",
    async body(bench) {
      const target = { access: "write", create: "if-missing", mode: 0o600 } as const;
      const handle = await bench.openFile("new", target);
      await writeAll(handle, "text", 0);
      equal((await bench.stat("new")).mode, 0o600);
      await bench.openFile("new", { ...target, mode: 0o644 });
      equal((await bench.stat("new")).mode, 0o600);
      equal(await bench.read("new"), "text");
    },
  },
  {
    title: "Files.open: what is made may be written though its bits allow nobody to",
    async body(bench) {
      const handle = await bench.openFile("new", { access: "write", create: "new", mode: 0o400 });
      await writeAll(handle, "text", 0);
      equal(await bench.read("new"), "text");
    },
  },
  {
    title: "Files.open: new makes a file only where nothing is, no link and no directory either",
    async body(bench) {
      await bench.write("file", "text");
      await bench.makeDirectory("directory");
      await bench.symbolicLink("nowhere", "missing");
      await bench.symbolicLink("link", "file");
      for (const name of ["file", "directory", "nowhere", "link", "."])
        await refused(bench.openFile(name, { access: "write", create: "new" }), "EEXIST");
      const target = { access: "read-write", create: "new" } as const;
      const handle = await bench.openFile("new", target);
      await writeAll(handle, "1", 0);
      equal(await readAll(handle), "1");
      await refused(bench.openFile("new", target), "EEXIST");
      equal(await bench.list(), "directory file link new nowhere");
    },
  },
  {
    title: "Files.open: truncate throws away what is there; without it writing leaves the rest",
    async body(bench) {
      await bench.write("file", "longer text");
      const kept = await bench.openFile("file", { access: "write", create: "if-missing" });
      await writeAll(kept, "L", 0);
      equal(await bench.read("file"), "Longer text");
      const target = { access: "write", create: "if-missing", truncate: true } as const;
      const handle = await bench.openFile("file", target);
      equal((await bench.stat("file")).size, 0);
      await writeAll(handle, "new", 0);
      equal(await bench.read("file"), "new");
      await bench.openFile("file", { access: "write", truncate: true });
      equal(await bench.read("file"), "");
      await refused(bench.openFile("none", { access: "write", truncate: true }), "ENOENT");
    },
  },
  {
    title: "Files.open: a directory is EISDIR, whatever it is opened for",
    async body(bench) {
      await bench.makeDirectory("directory");
      await bench.symbolicLink("link", "directory");
      for (const name of ["directory", "directory/", "link", "link/", ".", "directory/.."]) {
        await refused(bench.openFile(name), "EISDIR");
        await refused(bench.openFile(name, { access: "write" }), "EISDIR");
        await refused(bench.openFile(name, { access: "read-write" }), "EISDIR");
        await refused(bench.openFile(name, { access: "write", create: "if-missing" }), "EISDIR");
      }
    },
  },
  {
    title: "Files.open: a slash at the end asks for a directory",
    async body(bench) {
      await bench.write("file", "text");
      await refused(bench.openFile("file/"), "ENOTDIR");
      await refused(bench.openFile("none/"), "ENOENT");
      await refused(bench.openFile("none/", { access: "write", create: "if-missing" }), "EISDIR");
      await refused(bench.openFile("file/", { access: "write", create: "if-missing" }), "EISDIR");
      equal(await bench.list(), "file");
    },
  },
  {
    title: "Files.open: what is in the way of a path",
    async body(bench) {
      await bench.write("file", "text");
      await bench.symbolicLink("circle", "circle");
      await bench.symbolicLink("nowhere", "none");
      const creating = { access: "write", create: "if-missing" } as const;
      for (const target of [{}, creating]) {
        await refused(bench.openFile("file/below", target), "ENOTDIR");
        await refused(bench.openFile("file/../file", target), "ENOTDIR");
        await refused(bench.openFile("none/below", target), "ENOENT");
        await refused(bench.openFile("nowhere/below", target), "ENOENT");
        await refused(bench.openFile("circle", target), "ELOOP");
        await refused(bench.openFile("circle/below", target), "ELOOP");
        await refused(bench.openFile("a".repeat(256), target), "ENAMETOOLONG");
        await refused(bench.openFile("./".repeat(2100) + "file", target), "ENAMETOOLONG");
      }
    },
  },
  {
    title: "Files.open: links are followed, one that leads nowhere to what is made",
    async body(bench) {
      await bench.write("file", "text");
      await bench.symbolicLink("link", "file");
      await bench.symbolicLink("other", "link");
      equal(await bench.read("other"), "text");
      await bench.symbolicLink("nowhere", "made");
      await refused(bench.openFile("nowhere"), "ENOENT");
      await bench.write("nowhere", "1");
      equal(await bench.read("made"), "1");
      equal((await bench.look("nowhere")).kind, "link");
    },
  },
  {
    title: "Files.open: names may have any bytes but / and NUL, up to 255 of them",
    async body(bench) {
      const names = [
        "new\nline",
        "-dash",
        " ",
        "quote\"'",
        "back\\slash",
        "*?[a]",
        "%41",
        "#?",
        "ü",
        "u\u0308",
        "🌳",
        "...",
        "a".repeat(255),
        "🌳".repeat(63),
      ];
      for (const name of names) await bench.write(name, name);
      for (const name of names) equal(await bench.read(name), name);
      const told = (await bench.entries("")).map(({ name }) => name);
      equal(told.sort().join("|"), names.sort().join("|"));
    },
  },
  {
    title: "Files.open: withdrawn, it tells nothing, and the file can be removed and made again",
    async body(bench) {
      const withdraw = bench.files.open(
        {
          path: bench.at("file"),
          access: "write",
          create: "new",
          truncate: false,
          append: false,
          mode: 0o644,
        },
        bench.never,
      );
      withdraw();
      // It has begun, so it happens.
      await bench.until("the file is made", async () => (await bench.list()) === "file");
      await bench.removeFile("file");
      await bench.write("file", "again");
    },
  },
  {
    title: "Files.open: the same file may be open many times, each with its own handle",
    async body(bench) {
      await bench.write("file", "text");
      const handles = await Promise.all(Array.from({ length: 20 }, () => bench.openFile("file")));
      equal(await closed(handles[0] as (typeof handles)[0]), null);
      for (const handle of handles.slice(1)) equal(await readAll(handle), "text");
    },
  },
];
