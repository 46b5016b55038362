import { equal } from "../conformance/assert.ts";
import { type Bench, beginLock, closed, type FilesCheck, lock } from "./suite.ts";
import type { FileHandle } from "../../platform/files.ts";
import { sleep } from "../../sync/timeouts.ts";

const SHARED = { kind: "shared", wait: false } as const;
const EXCLUSIVE = { kind: "exclusive", wait: false } as const;
const NONE = { kind: "none", wait: false } as const;

async function handles(bench: Bench, count: number): Promise<FileHandle[]> {
  await bench.write("file", "");
  const opened: FileHandle[] = [];
  for (let index = 0; index < count; index++)
    opened.push(await bench.openFile("file", { access: "read-write" }));
  return opened;
}

/** Advisory locks. */
export const locks: readonly FilesCheck[] = [
  {
    title:
      "FileHandle.lock: one exclusive, or any number of shared, of handles in the same process too",
    async body(bench) {
      const [one, two, three] = (await handles(bench, 3)) as [FileHandle, FileHandle, FileHandle];
      equal(await lock(one, EXCLUSIVE), true);
      equal(await lock(two, EXCLUSIVE), false);
      equal(await lock(two, SHARED), false);
      await lock(one, NONE);
      equal(await lock(two, SHARED), true);
      equal(await lock(three, SHARED), true);
      equal(await lock(one, EXCLUSIVE), false);
      equal(await lock(one, SHARED), true);
    },
  },
  {
    title: "FileHandle.lock: closing gives it up, and a lock is of the file, not of its name",
    async body(bench) {
      const [one, two] = (await handles(bench, 2)) as [FileHandle, FileHandle];
      await bench.rename("file", "other");
      await bench.write("file", "");
      const another = await bench.openFile("file", { access: "read-write" });
      equal(await lock(one, EXCLUSIVE), true);
      equal(await lock(another, EXCLUSIVE), true);
      equal(await lock(two, EXCLUSIVE), false);
      await closed(one);
      equal(await lock(two, EXCLUSIVE), true);
    },
  },
  {
    title: "FileHandle.lock: waits until nobody is in the way",
    async body(bench) {
      const [one, two] = (await handles(bench, 2)) as [FileHandle, FileHandle];
      equal(await lock(one, SHARED), true);
      const log: string[] = [];
      beginLock(two, { kind: "exclusive", wait: true })({
        succeed: (taken) => void log.push(`taken ${taken}`),
        fail: (error) => void log.push(String(error)),
      });
      await lock(one, NONE);
      await bench.until("the lock is taken", () => log.length > 0);
      equal(log.join(", "), "taken true");
      equal(await lock(one, SHARED), false);
    },
  },
  {
    title: "FileHandle.lock: withdrawn, it holds none, and is in nobody's way",
    async body(bench) {
      const [one, two, three] = (await handles(bench, 3)) as [FileHandle, FileHandle, FileHandle];
      equal(await lock(one, EXCLUSIVE), true);
      const wait = beginLock(two, { kind: "exclusive", wait: true });
      const withdraw = wait(bench.never);
      equal(await lock(three, EXCLUSIVE), false);
      withdraw();
      await lock(one, NONE);
      // A program that is killed in the moment in which it gets the lock has it until it is gone.
      await bench.until("nobody is in the way", () => lock(three, EXCLUSIVE));
      equal(await lock(two, EXCLUSIVE), false);
      await lock(three, NONE);
      beginLock(two, { kind: "exclusive", wait: true })(bench.never)();
      await bench.until("nobody holds it", async () => {
        const isTaken = await lock(three, EXCLUSIVE);
        await lock(three, NONE);
        return isTaken;
      });
    },
  },
  {
    title: "FileHandle.close: a lock that is waited for is not taken any more",
    async body(bench) {
      const [one, two, three] = (await handles(bench, 3)) as [FileHandle, FileHandle, FileHandle];
      equal(await lock(one, EXCLUSIVE), true);
      const ignored = { succeed: () => {}, fail: () => {} };
      beginLock(two, { kind: "exclusive", wait: true })(ignored);
      await sleep(20);
      await closed(two);
      await lock(one, NONE);
      await bench.until("nobody is in the way", () => lock(three, EXCLUSIVE));
      await closed(one);
      await closed(three);
    },
  },
];
