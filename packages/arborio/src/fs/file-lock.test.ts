/** Advisory locks between open files, and between programs. What waiting does in every order is in `write-waits.test.ts`. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import {
  CancelScope,
  ClosedResourceError,
  moveOnAfter,
  NotSupportedError,
  run,
  shielded,
  sleep,
  taskGroup,
  waitAllTasksBlocked,
  WouldBlock,
} from "../index.ts";
import { type File, openFile } from "../fs.ts";
import { cancelEverywhere } from "../testing.ts";
import { type RegisterTest, testIf } from "../testing/test-if.test.kit.ts";
import { filesTest } from "./files.test.kit.ts";

const hasFlock = spawnSync("flock", ["--version"]).error === undefined;
const needsFlock = "needs the program flock";
const hostOnly: RegisterTest = testIf(hasFlock, needsFlock);

/** On both, or only in the simulator where the host has no such locks. */
const lockTest: typeof filesTest = (title, body) =>
  filesTest(title, body, hasFlock ? {} : { skip: { backend: "host", reason: needsFlock } });

/** So many open files of one path. */
async function openAll<Count extends number>(path: string, count: Count): Promise<File[]> {
  const files: File[] = [];
  while (files.length < count) files.push(await openFile(path, { flags: "a+" }));
  return files;
}

lockTest("File.lock: one exclusive lock, or any number of shared ones", async (folder) => {
  const [a, b, c] = (await openAll(`${folder}/lock`, 3)) as [File, File, File];
  {
    using _lease = await a.lock();
    await assert.rejects(b.lock({ wait: false }), WouldBlock);
    await assert.rejects(b.lock({ wait: false, shared: true }), /holds an exclusive lock/);
  }
  {
    using _first = await a.lock({ shared: true });
    using _second = await b.lock({ shared: true, wait: false });
    await assert.rejects(c.lock({ wait: false }), WouldBlock);
  }
  using _lease = await c.lock({ wait: false });
  for (const file of [a, b, c]) file.close();
});

lockTest("File.lock: waits until nobody is in the way; closing gives it up too", async (folder) => {
  const [a, b, c] = (await openAll(`${folder}/lock`, 3)) as [File, File, File];
  const order: string[] = [];
  await taskGroup(async (group) => {
    const first = await a.lock({ shared: true });
    await b.lock({ shared: true });
    group.startSoon(async () => {
      using _lease = await c.lock();
      order.push("taken");
    });
    await waitAllTasksBlocked();
    await sleep(20);
    order.push("release");
    first.release();
    await sleep(20);
    order.push("close");
    b.close();
  });
  assert.deepEqual(order, ["release", "close", "taken"]);
  a.close();
  c.close();
});

lockTest("File.lock: many that want it have it one after the other", async (folder) => {
  let inside = 0;
  let turns = 0;
  await taskGroup((group) => {
    for (let index = 0; index < 8; index++) {
      group.startSoon(async () => {
        await using file = await openFile(`${folder}/lock`, { flags: "a" });
        using _lease = await file.lock();
        inside += 1;
        assert.equal(inside, 1);
        await sleep(2);
        inside -= 1;
        turns += 1;
      });
    }
  });
  assert.equal(turns, 8);
});

lockTest("File.lock: cancelled at every checkpoint, nobody holds it afterwards", async (folder) => {
  const path = `${folder}/lock`;
  await cancelEverywhere(async () => {
    try {
      await using file = await openFile(path, { flags: "a" });
      using _lease = await file.lock();
      await file.write("x");
    } finally {
      await shielded(() => takeAndGiveBack(path));
    }
  });
});

/** Waits for nothing but the end of a program that was killed. */
async function takeAndGiveBack(path: string): Promise<void> {
  await using file = await openFile(path, { flags: "a" });
  using _lease = await file.lock();
}

lockTest(
  "File.lock: a wait that is cancelled takes no lock, though it gets free just then",
  async (folder) => {
    const path = `${folder}/lock`;
    const [holder, waiting] = (await openAll(path, 2)) as [File, File];
    for (let round = 0; round < 10; round++) {
      const lease = await holder.lock();
      const scope = new CancelScope();
      let taken = false;
      await scope.run(async () => {
        await taskGroup((group) => {
          group.startSoon(async () => {
            (await waiting.lock()).release();
            taken = true;
          });
          group.startSoon(async () => {
            await sleep(round);
            lease.release();
            if (round % 2 === 0) await sleep(round / 2);
            scope.cancel();
          });
        });
      });
      if (taken) assert.ok(!scope.cancelledCaught || round % 2 === 0);
      await takeAndGiveBack(path);
    }
    holder.close();
    waiting.close();
  },
);

lockTest("File.lock: of a file that is closed it is not waited for any more", async (folder) => {
  const path = `${folder}/file`;
  using holder = await openFile(path, { flags: "w" });
  using _lease = await holder.lock();
  for (const waitMs of [0, 1, 20]) {
    const file = await openFile(path);
    await taskGroup(async (group) => {
      group.startSoon(() => assert.rejects(file.lock(), ClosedResourceError));
      await sleep(waitMs);
      file.close();
    });
    await assert.rejects(file.lock(), ClosedResourceError);
  }
});

/** Runs a test on the host, with the path of a file to lock. */
function programTest(title: string, body: (path: string) => Promise<void>): void {
  hostOnly(title, async () => {
    const folder = mkdtempSync(join(tmpdir(), "arborio-lock-"));
    try {
      await run(() => body(join(folder, "lock ä")), { signals: [] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

/** Whether another program can take the lock now. */
function canLock(path: string, ...options: string[]): boolean {
  return spawnSync("flock", ["-n", ...options, path, "true"]).status === 0;
}

/** A program that holds the lock until it ends. */
async function startHolder(path: string, ...options: string[]): Promise<ChildProcess> {
  const holder = spawn("flock", [...options, "--no-fork", path, "sleep", "1000"]);
  while (canLock(path)) await sleep(5);
  return holder;
}

programTest("File.lock: other programs see it, and it sees theirs", async (path) => {
  await using file = await openFile(path, { flags: "w" });
  {
    using _lease = await file.lock();
    assert.equal(canLock(path), false);
    assert.equal(canLock(path, "-s"), false);
  }
  assert.equal(canLock(path), true);
  {
    using _lease = await file.lock({ shared: true });
    assert.equal(canLock(path), false);
    assert.equal(canLock(path, "-s"), true);
  }
  const holder = await startHolder(path, "-s");
  await assert.rejects(file.lock({ wait: false }), WouldBlock);
  (await file.lock({ shared: true, wait: false })).release();
  let taken = false;
  await taskGroup(async (group) => {
    group.startSoon(async () => {
      using _lease = await file.lock();
      taken = true;
    });
    await sleep(30);
    assert.equal(taken, false);
    // Who holds it may die in any way.
    holder.kill("SIGKILL");
  });
  assert.ok(taken);
});

programTest(
  "File.lock: it is the open file's: a new name, or none, changes nothing",
  async (path) => {
    await using file = await openFile(path, { flags: "w" });
    renameSync(path, `${path} moved`);
    using _lease = await file.lock();
    assert.equal(canLock(`${path} moved`), false);
    await using other = await openFile(path, { flags: "w" });
    (await other.lock({ wait: false })).release();
    rmSync(path);
    await other.lock({ wait: false });
  },
);

programTest("File.lock: a file that nobody may open again", async (path) => {
  await using file = await openFile(path, { flags: "wx", mode: 0 });
  using _lease = await file.lock();
});

programTest("File.lock: cancelled or closed while waiting, no program is left", async (path) => {
  const holder = await startHolder(path);
  const file = await openFile(path);
  await moveOnAfter(30, () => file.lock());
  await taskGroup(async (group) => {
    group.startSoon(async () => {
      await assert.rejects(file.lock(), /closed while it was used/);
    });
    await sleep(30);
    file.close();
  });
  for (let attempt = 0; childrenNamed("flock").length > 0; attempt++) {
    assert.ok(attempt < 400, `left: ${childrenNamed("flock").join()}`);
    await sleep(5);
  }
  holder.kill("SIGKILL");
  assert.ok(holder.pid !== undefined);
  await takeAndGiveBack(path);
});

/** Numbers of this process's children that run this program and wait on a descriptor, not those that lock a path. */
function childrenNamed(name: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      const [, state, parent] =
        / \((?:.*)\) (\S) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return (
        Number(parent) === process.pid &&
        state !== "Z" &&
        command[0] === name &&
        command.at(-2) === "0"
      );
    } catch {
      return false;
    }
  });
}

test("File.lock: without the program flock it is NotSupportedError, and says so", async () => {
  const { PATH } = process.env;
  const folder = mkdtempSync(join(tmpdir(), "arborio-lock-"));
  process.env["PATH"] = folder;
  try {
    await run(
      async () => {
        await using file = await openFile(join(folder, "lock"), { flags: "w" });
        for (const wait of [true, false])
          await assert.rejects(file.lock({ wait }), (error) => {
            assert.ok(error instanceof NotSupportedError, String(error));
            assert.match(error.message, /needs the program flock \(of util-linux\)/);
            return true;
          });
      },
      { signals: [] },
    );
  } finally {
    process.env["PATH"] = PATH;
    rmSync(folder, { recursive: true });
  }
});
