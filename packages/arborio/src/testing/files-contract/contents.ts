import { equal, ok } from "../conformance/assert.ts";
import { settled } from "../network-contract/suite.ts";
import {
  type Bench,
  closed,
  type FilesCheck,
  read,
  readAll,
  refused,
  setSize,
  statOf,
  sync,
  write,
  writeAll,
} from "./suite.ts";

const UPDATING = { access: "read-write", create: "if-missing" } as const;

/** What is in files: reading, writing, sizes. */
export const contents: readonly FilesCheck[] = [
  {
    title:
      "FileHandle.read: from a position on, never nothing before the end, 0 at the end and behind it",
    async body(bench) {
      await bench.write("file", "0123456789");
      const handle = await bench.openFile("file");
      equal(await readAll(handle, 0, 4), "0123");
      equal(await readAll(handle, 7), "789");
      const view = new Uint8Array(4).fill(255);
      const count = await read(handle, view, 8);
      ok(count === 1 || count === 2);
      equal(view[0], 56);
      equal(view[count], 255);
      equal(await read(handle, view, 10), 0);
      equal(await read(handle, view, 1_000_000), 0);
      equal(await read(handle, view, 2 ** 40), 0);
      equal(await read(handle, new Uint8Array(0), 0), 0);
    },
  },
  {
    title: "FileHandle.read: into a part of an array, and nowhere else",
    async body(bench) {
      await bench.write("file", "abc");
      const handle = await bench.openFile("file");
      const array = new Uint8Array(9);
      for (let done = 0; done < 3;) done += await read(handle, array.subarray(3 + done, 6), done);
      equal(array.join(" "), "0 0 0 97 98 99 0 0 0");
    },
  },
  {
    title: "FileHandle: several reads and writes at once, each at its own position",
    async body(bench) {
      const handle = await bench.openFile("file", UPDATING);
      const parts = Array.from({ length: 20 }, (_, index) => String(index).padStart(4, "."));
      await Promise.all(parts.map((part, index) => writeAll(handle, part, index * 4)));
      const told = await Promise.all(parts.map((_, index) => readAll(handle, index * 4, 4)));
      equal(told.join("|"), parts.join("|"));
    },
  },
  {
    title:
      "FileHandle.write: over what is there, behind the end, and with a gap that reads as zeros",
    async body(bench) {
      const handle = await bench.openFile("file", UPDATING);
      await writeAll(handle, "abcdef", 0);
      await writeAll(handle, "CD", 2);
      await writeAll(handle, "g", 6);
      await writeAll(handle, "x", 10_000);
      equal(await readAll(handle, 0, 7), "abCDefg");
      equal((await statOf(handle)).size, 10_001);
      equal(await readAll(handle, 7), `${"\0".repeat(9993)}x`);
      equal(await write(handle, new Uint8Array(0), 20_000), 0);
      equal((await statOf(handle)).size, 10_001);
    },
  },
  {
    title: "FileHandle.write: far behind the end, in a file that takes little room",
    async body(bench) {
      const handle = await bench.openFile("file", UPDATING);
      const far = 2 ** 35 + 1;
      await writeAll(handle, "end", far);
      equal((await statOf(handle)).size, far + 3);
      equal(await readAll(handle, far - 1), "\0end");
      equal(await readAll(handle, 2 ** 32, 2), "\0\0");
    },
  },
  {
    title: "FileHandle.write: with append, always to the end, whoever wrote there",
    async body(bench) {
      await bench.write("file", "start ");
      const target = { access: "write", create: "if-missing", append: true } as const;
      const [one, two] = [
        await bench.openFile("file", target),
        await bench.openFile("file", target),
      ];
      await writeAll(one, "1", 0);
      await writeAll(two, "2", 0);
      await writeAll(one, "3", 3);
      equal(await bench.read("file"), "start 123");
      await setSize(one, 5);
      await writeAll(two, "4", 100);
      equal(await bench.read("file"), "start4");
    },
  },
  {
    title: "FileHandle: what it was not opened for is refused",
    async body(bench) {
      await bench.write("file", "text");
      const reading = await bench.openFile("file");
      await refused(write(reading, new Uint8Array(1), 0), "EBADF");
      await refused(setSize(reading, 0), "EINVAL");
      const writing = await bench.openFile("file", { access: "write" });
      await refused(read(writing, new Uint8Array(1), 0), "EBADF");
      equal(await bench.read("file"), "text");
    },
  },
  {
    title: "FileHandle.setSize: cuts off, and fills up with zeros, not with what was there",
    async body(bench) {
      const handle = await bench.openFile("file", UPDATING);
      await writeAll(handle, "x".repeat(10_000), 0);
      await setSize(handle, 5000);
      await setSize(handle, 9000);
      equal(await readAll(handle), "x".repeat(5000) + "\0".repeat(4000));
      await setSize(handle, 0);
      equal((await statOf(handle)).size, 0);
      await writeAll(handle, "y", 2);
      equal(await readAll(handle), "\0\0y");
      await setSize(handle, 2 ** 33);
      equal((await statOf(handle)).size, 2 ** 33);
    },
  },
  {
    title: "FileHandle.sync: data only, and all; of a file opened to read as well",
    async body(bench) {
      const handle = await bench.openFile("file", UPDATING);
      await writeAll(handle, "text", 0);
      await sync(handle, true);
      await sync(handle, false);
      await sync(await bench.openFile("file"), false);
      equal(await bench.read("file"), "text");
    },
  },
  {
    title: "FileHandle: a file that is removed or replaced lives on for who has it open",
    async body(bench) {
      await bench.write("file", "old");
      await bench.write("new", "new");
      const handle = await bench.openFile("file", { access: "read-write" });
      await bench.rename("new", "file");
      equal(await bench.read("file"), "new");
      await writeAll(handle, "OLD!", 0);
      equal(await readAll(handle), "OLD!");
      equal((await statOf(handle)).names, 0);
      const other = await bench.openFile("file");
      await bench.removeFile("file");
      equal(await readAll(other), "new");
      equal(await bench.list(), "");
    },
  },
  {
    title: "FileHandle.stat: of the file that is open, wherever it is by now",
    async body(bench) {
      await bench.write("file", "text");
      const { inode, device } = await bench.stat("file");
      const handle = await bench.openFile("file");
      await bench.rename("file", "other");
      await bench.write("file", "");
      const told = await statOf(handle);
      equal(told.kind, "file");
      equal(told.size, 4);
      equal(told.inode, inode);
      equal(told.device, device);
      equal((await bench.stat("other")).inode, inode);
      ok((await bench.stat("file")).inode !== inode);
    },
  },
  {
    title:
      "FileHandle.realPath: without links, and where the file is by now if the system can tell",
    async body(bench) {
      await bench.makeDirectory("directory");
      await bench.write("directory/file", "");
      await bench.symbolicLink("link", "directory");
      const handle = await bench.openFile("link/file");
      const realPath = (): Promise<string> => settled("realPath", (done) => handle.realPath(done));
      equal(await realPath(), bench.at("directory/file"));
      await bench.rename("directory/file", "moved");
      const told = await realPathOrCode(realPath());
      ok([bench.at("moved"), "ENOENT"].includes(told), told);
      await bench.removeFile("moved");
      ok((await realPathOrCode(realPath())) !== bench.at("moved"));
    },
  },
  {
    title: "FileHandle.write: changes the time of the last change",
    async body(bench) {
      await bench.write("file", "text");
      const times = { kind: "times", path: "file", accessedMs: 1000, modifiedMs: 2000 } as const;
      await bench.change(times);
      const handle = await bench.openFile("file", { access: "read-write" });
      equal((await statOf(handle)).modifiedMs, 2000);
      await writeAll(handle, "T", 0);
      ok((await statOf(handle)).modifiedMs > 2000);
      await bench.change(times);
      await setSize(handle, 2);
      ok((await bench.stat("file")).modifiedMs > 2000);
    },
  },
  {
    title: "FileHandle.close: waits for what runs, and tells once; a second time is nothing",
    body: closesWhenIdle,
  },
  {
    title: "FileHandle.read: withdrawn, it tells nothing, and the file can be closed",
    async body(bench) {
      await bench.write("file", "text");
      const handle = await bench.openFile("file");
      for (let round = 0; round < 10; round++) {
        handle.read(new Uint8Array(100), 0, bench.never)();
        handle.stat(bench.never)();
      }
      equal(await readAll(handle), "text");
      equal(await closed(handle), null);
    },
  },
];

async function realPathOrCode(promise: Promise<string>): Promise<string> {
  try {
    return await promise;
  } catch (error) {
    return (error as { systemCode?: string }).systemCode ?? String(error);
  }
}

async function closesWhenIdle(bench: Bench): Promise<void> {
  const handle = await bench.openFile("file", UPDATING);
  const log: string[] = [];
  handle.write(new Uint8Array(100), 0, {
    succeed: (count) => void log.push(`wrote ${count > 0}`),
    fail: (error) => void log.push(String(error)),
  });
  handle.close((error) => void log.push(`closed ${error}`));
  equal(log.length, 0, "told before the operation has ended");
  handle.close(() => void log.push("closed twice"));
  await bench.until("it is closed", () => log.length >= 2);
  equal(log.sort().join(", "), "closed null, wrote true");
  ok((await bench.stat("file")).size > 0);
}
