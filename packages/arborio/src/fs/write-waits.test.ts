/** What waiting, cancelling, closing and failing do to writes, on files that are as slow and as full as a test needs them. */
import assert from "node:assert/strict";
import {
  BrokenResourceError,
  BusyResourceError,
  CancelScope,
  checkpoint,
  ClosedResourceError,
  InvalidStateError,
  moveOnAfter,
  shielded,
  sleep,
  SystemError,
  taskGroup,
  waitAllTasksBlocked,
  WouldBlock,
} from "../index.ts";
import { appendFile, type File, openFile, PartialWriteError, writeFile } from "../fs.ts";
import { assertCheckpoints, cancelEverywhere } from "../testing.ts";
import { hasSystemCode, textOf } from "./files.test.kit.ts";
import { SLOW_MS, slowTest } from "./slow-files.test.kit.ts";

const MIB = 1024 * 1024;

function openToWrite(): Promise<File> {
  return openFile("a", { flags: "r+" });
}

slowTest("fs: every operation that writes is a checkpoint", async () => {
  await using file = await openToWrite();
  const operations: (() => Promise<unknown>)[] = [
    () => file.write("x"),
    () => file.write(""),
    () => file.write("x", 1),
    () => file.setSize(3),
    () => file.sync(),
    () => file.sendStream().send(new Uint8Array(1)),
    () => file.sendStream().send(new Uint8Array(0)),
    () => file.lock().then((lease) => lease.release()),
    () => file.lines()[Symbol.asyncIterator]().next(),
    () => openFile("a", { flags: "w" }).then((other) => other.close()),
    () => writeFile("a", "text"),
    () => writeFile("a", ""),
    () => appendFile("a", "text"),
  ];
  for (const operation of operations) await assertCheckpoints(operation);
});

slowTest("File.write: cancelled before it began, it wrote nothing; later, all", async (files) => {
  files.takenBytesMax = 2;
  await cancelEverywhere(async (round) => {
    files.contents = new Uint8Array(0);
    files.log.length = 0;
    await using file = await shielded(openToWrite);
    let told = 0;
    round.after(() => {
      const written = textOf(files.contents);
      assert.ok(["", "abcde", "abcdefgh"].includes(written), written);
      assert.equal(told, written.length, `cancelled at ${round.moment}`);
      assert.ok(!files.log.includes("write withdrawn"));
      assert.equal(file.position, written.length);
    });
    told += await file.write("abcde");
    told += await file.write("fgh");
  });
});

slowTest(
  "File.write, setSize, sync: waited for although cancelled; the next checkpoint throws",
  async (files) => {
    await using file = await openToWrite();
    for (const operation of [
      () => file.write("xy"),
      () => file.setSize(5),
      () => file.sync(),
      () => file.sendStream().send(new Uint8Array(1)),
      async () => (await openFile("a", { flags: "w" })).close(),
    ]) {
      let hasEnded = false;
      const scope = new CancelScope();
      const before = files.running;
      await scope.run(async () => {
        const work = operation();
        scope.cancel();
        await work;
        hasEnded = true;
        await checkpoint();
        assert.fail("not cancelled");
      });
      assert.ok(hasEnded && scope.cancelledCaught);
      assert.equal(files.running, before);
    }
  },
);

slowTest(
  "File.write: what the system does not take at once is written in pieces",
  async (files) => {
    files.takenBytesMax = 3;
    files.contents = new Uint8Array(0);
    await using file = await openToWrite();
    assert.equal(await file.write("0123456789"), 10);
    assert.deepEqual(files.log, ["write 10 at 0", "write 7 at 3", "write 4 at 6", "write 1 at 9"]);
    assert.equal(textOf(files.contents), "0123456789");
    files.takenBytesMax = Infinity;
    files.log.length = 0;
    await file.write(new Uint8Array(2 * MIB + 1), 5);
    assert.deepEqual(files.log, [
      `write ${MIB} at 5`,
      `write ${MIB} at ${MIB + 5}`,
      `write 1 at ${2 * MIB + 5}`,
    ]);
  },
);

slowTest(
  "File.write: a full disk tells how much was written, and the position is behind it",
  async (files) => {
    files.roomBytes = 6;
    files.takenBytesMax = 4;
    await using file = await openToWrite();
    await assert.rejects(file.write("abcdefghij"), (error) => {
      assert.ok(error instanceof PartialWriteError && error instanceof SystemError);
      assert.equal(error.writtenBytes, 6);
      assert.match(error.message, /6 of 10 bytes were written/);
      return hasSystemCode("ENOSPC")(error);
    });
    assert.equal(file.position, 6);
    await assert.rejects(file.write("x"), (error) => !(error instanceof PartialWriteError));
    await assert.rejects(file.write("xyz", 5), (error) => {
      assert.equal((error as PartialWriteError).writtenBytes, 1);
      return true;
    });
    files.roomBytes = Infinity;
    assert.equal(await file.write("ghij"), 4);
    assert.equal(textOf(files.contents), "abcdexghij");
  },
);

slowTest("File.sendStream: a failure breaks it, and nothing else", async (files) => {
  files.roomBytes = 4;
  await using file = await openToWrite();
  const stream = file.sendStream();
  await assert.rejects(stream.send(new Uint8Array(6)), (error) => {
    assert.ok(error instanceof BrokenResourceError);
    assert.equal((error.cause as PartialWriteError).writtenBytes, 4);
    return true;
  });
  files.roomBytes = Infinity;
  await assert.rejects(stream.send(new Uint8Array(1)), BrokenResourceError);
  await file.sendStream().send(new Uint8Array(1));
});

slowTest("writeFile, appendFile: a full disk tells how much was written of all", async (files) => {
  files.roomBytes = 5;
  async function* pieces(): AsyncGenerator<string> {
    yield "abc";
    yield "def";
  }
  await assert.rejects(writeFile("a", pieces()), (error) => {
    assert.equal((error as PartialWriteError).writtenBytes, 5);
    assert.match((error as Error).message, /full \(ENOSPC\); 5 bytes were written/);
    return hasSystemCode("ENOSPC")(error);
  });
  files.roomBytes = MIB + 7;
  await assert.rejects(writeFile("a", new Uint8Array(3 * MIB)), (error) => {
    assert.equal((error as PartialWriteError).writtenBytes, MIB + 7);
    return true;
  });
});

slowTest("writeFile: many bytes can be cancelled after each piece", async (files) => {
  files.contents = new Uint8Array(0);
  await moveOnAfter(3.5 * SLOW_MS, () => writeFile("a", new Uint8Array(10 * MIB)));
  assert.equal(files.contents.length, 3 * MIB);
});

slowTest("File.close: a write that runs says what became of it", async (files) => {
  files.takenBytesMax = 4;
  files.contents = new Uint8Array(0);
  for (const [bytes, written] of [
    [4, null],
    [9, 4],
  ] as const) {
    const file = await openToWrite();
    const stream = file.sendStream({ start: 100 });
    await taskGroup(async (group) => {
      const telling = (write: () => Promise<unknown>): void => {
        group.startSoon(async () => {
          if (written === null) await write();
          else await assert.rejects(write(), wasClosed(bytes));
        });
      };
      telling(() => file.write(new Uint8Array(bytes)));
      telling(() => file.write(new Uint8Array(bytes), 50));
      telling(() => stream.send(new Uint8Array(bytes)));
      group.startSoon(() => file.sync());
      group.startSoon(() => assert.rejects(file.read(1, 0), ClosedResourceError));
      await waitAllTasksBlocked();
      file.close();
      assert.equal(files.running, 5);
    });
    await file[Symbol.asyncDispose]();
    assert.equal(file.position, 4);
  }
});

function wasClosed(wanted: number): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ClosedResourceError, String(error));
    assert.match(error.message, new RegExp(`closed while it was written; 4 of ${wanted} bytes`));
    return true;
  };
}

slowTest(
  "File: what the system says to closing is told by await using, not hidden, and hides nothing",
  async (files) => {
    const lost = new SystemError("close a: lost (EIO)", "EIO");
    files.closeError = lost;
    const isLost = (error: unknown): boolean => error === lost;
    await assert.rejects(async () => {
      await using _file = await openToWrite();
    }, isLost);
    await assert.rejects(writeFile("a", "text"), isLost);
    const file = await openToWrite();
    file.close();
    await assert.rejects(file[Symbol.asyncDispose](), isLost);
    const mine = new Error("mine");
    const failing = async function* (): AsyncGenerator<string> {
      yield "x";
      throw mine;
    };
    await assert.rejects(writeFile("a", failing()), (error) => error === mine);
  },
);

slowTest("File: await using waits until what runs has ended", async (files) => {
  let hasEnded = false;
  await taskGroup(async (group) => {
    const file = await openToWrite();
    group.startSoon(async () => {
      await file.sync();
      hasEnded = true;
    });
    await waitAllTasksBlocked();
    await file[Symbol.asyncDispose]();
    assert.equal(files.running, 0);
  });
  assert.ok(hasEnded);
});

slowTest(
  "openFile: with flags that make or empty it, it is not cancelled once it has begun",
  async (files) => {
    for (const flags of ["w", "a", "wx", "r+", "r"] as const) {
      let opened = false;
      const scope = new CancelScope();
      await scope.run(async () => {
        const opening = openFile("a", { flags });
        scope.cancel();
        (await opening).close();
        opened = true;
      });
      assert.equal(opened, !flags.startsWith("r"), flags);
    }
    await sleep(2 * SLOW_MS);
    assert.equal(files.open_, 0);
  },
);

slowTest(
  "File.lock: cancelled or closed while waiting, it is withdrawn; given up, it can be taken again",
  async (files) => {
    const file = await openToWrite();
    await moveOnAfter(SLOW_MS / 2, () => file.lock());
    {
      using _lease = await file.lock({ shared: true });
      await assert.rejects(file.lock(), InvalidStateError);
    }
    const waiting = file.lock();
    await assert.rejects(file.lock(), BusyResourceError);
    const lease = await waiting;
    lease.release();
    assert.throws(() => lease.release(), InvalidStateError);
    files.isLocked = true;
    await assert.rejects(file.lock({ wait: false }), WouldBlock);
    files.isLocked = false;
    await taskGroup(async (group) => {
      group.startSoon(() => assert.rejects(file.lock(), ClosedResourceError));
      await waitAllTasksBlocked();
      file.close();
    });
    assert.deepEqual(files.log, [
      "lock exclusive",
      "lock withdrawn",
      "lock shared",
      "lock none",
      "lock exclusive",
      "lock none",
      "lock exclusive now",
      "lock exclusive",
      "lock withdrawn",
    ]);
  },
);

slowTest(
  "File.lock: closing gives it up, a lease released after it does nothing",
  async (files) => {
    const file = await openToWrite();
    const lease = await file.lock();
    file.close();
    files.log.length = 0;
    lease.release();
    assert.deepEqual(files.log, []);
    await using other = await openToWrite();
    for (const wrong of [{ shared: 1 }, { wait: "no" }, { exclusive: true }])
      await assert.rejects(other.lock(wrong as never), TypeError);
  },
);

slowTest(
  "File.lock: cancelled at every checkpoint, it is held or not, as it says",
  async (files) => {
    await cancelEverywhere(async (round) => {
      files.log.length = 0;
      await using file = await shielded(openToWrite);
      let held = false;
      round.after(() => {
        const last = files.log.filter((line) => line.startsWith("lock")).at(-1);
        assert.equal(last === "lock exclusive", false, files.log.join());
        assert.equal(held, false);
      });
      using _lease = await file.lock();
      held = true;
      try {
        await sleep(1);
      } finally {
        held = false;
      }
    });
  },
);
