/**
 * What waiting, cancelling and closing do to files, on a simulator whose files are written here: so that the system can be as
 * slow as a test needs it, and scribble into memory that it was given.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BusyResourceError,
  ClosedResourceError,
  moveOnAfter,
  NotSupportedError,
  run,
  shielded,
  sleep,
  taskGroup,
  waitAllTasksBlocked,
} from "../index.ts";
import { openFile, readDirectory, readFile, readTextFile, realPath, stat } from "../fs.ts";
import { simulator } from "../sim.ts";
import { assertCheckpoints, cancelEverywhere } from "../testing.ts";
import { SLOW_MS, slowTest } from "./slow-files.test.kit.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

slowTest("fs: every operation is a checkpoint", async () => {
  const operations: (() => Promise<unknown>)[] = [
    () => openFile("a").then((file) => file.close()),
    () => stat("a"),
    () => realPath("a"),
    () => readDirectory("a"),
    () => readFile("a"),
    () => readTextFile("a"),
  ];
  using file = await openFile("a");
  operations.push(
    () => file.read(),
    () => file.read(1, 1),
    () => file.readInto(new Uint8Array(1)),
    () => file.readRange(1, 2),
    () => file.readRange(1, 1),
    () => file.stat(),
    () => file.realPath(),
    () => file.stream().receive(),
    () => file.stream().receiveInto(new Uint8Array(1)),
    () => file.stream()[Symbol.asyncIterator]().next(),
    () => file[Symbol.asyncIterator]().next(),
  );
  for (const operation of operations) await assertCheckpoints(operation);
});

slowTest("fs: cancelled at every checkpoint, nothing stays open", async (files) => {
  const { rounds } = await cancelEverywhere(async (round) => {
    round.after(() => assert.ok(files.open_ <= files.running, "a file was left open"));
    assert.equal(text(await readFile("a")), "0123456789");
    assert.equal(await readTextFile("a"), "0123456789");
    assert.equal((await stat("a")).size, 10);
    assert.equal(await realPath("a"), "/a");
    assert.equal((await readDirectory("a")).length, 1);
    using file = await openFile("a");
    assert.equal(text(await file.readRange(2, 4)), "23");
    assert.equal(await file.realPath(), "/a");
  });
  assert.ok(rounds.entry >= 8 && rounds.waiting >= 8 && rounds.woken >= 8, JSON.stringify(rounds));
  await sleep(SLOW_MS + 1);
  assert.deepEqual([files.open_, files.running], [0, 0]);
});

slowTest("File.read, readInto: cancelled, they lost no bytes and wrote nowhere", async (files) => {
  await cancelEverywhere(async (round) => {
    using file = await shielded(() => openFile("a"));
    const view = new Uint8Array(4).fill(46);
    const got: string[] = [];
    // What was received and what is still to come are the whole file, whenever the cancellation came.
    const rest = async (): Promise<void> => {
      const before = text(view);
      await sleep(2 * SLOW_MS);
      assert.equal(text(view), before, "an abandoned read wrote into the view");
      const whole = got.join("") + text(await file.read());
      assert.equal(whole, "0123456789".slice(0, whole.length));
      assert.ok(whole.length === 10, `got ${whole} when cancelled at ${round.moment}`);
    };
    try {
      got.push(text(await file.read(3)));
      const count = await file.readInto(view);
      got.push(text(view.subarray(0, count)));
      got.push(text(await file.read(2)));
    } finally {
      await shielded(rest);
    }
  });
  assert.ok(files.abandoned.length > 0);
});

slowTest(
  "File.readInto: memory of a read that was abandoned is never used again",
  async (files) => {
    using file = await openFile("a");
    const view = new Uint8Array(2);
    for (let round = 0; round < 5; round++) {
      await file.readInto(view, 4);
      await moveOnAfter(1, () => file.readInto(view, 6));
      const reading = file.readInto(view, 8);
      // The system writes into what was abandoned while the next read waits, and after it.
      for (const memory of files.abandoned) memory.fill(33);
      await reading;
      for (const memory of files.abandoned) memory.fill(33);
      assert.equal(text(view), "89");
    }
    assert.equal(new Set(files.abandoned.map((memory) => memory.buffer)).size, 5);
  },
);

slowTest("File.stream: cancelled, it lost no bytes", async () => {
  await cancelEverywhere(async () => {
    using file = await shielded(() => openFile("a"));
    const stream = file.stream({ start: 1, end: 9 });
    const got: string[] = [];
    try {
      got.push(text(await stream.receive(3)));
      const view = new Uint8Array(2);
      await stream.receiveInto(view);
      got.push(text(view));
      for await (const chunk of stream) got.push(text(chunk));
    } finally {
      await shielded(async () => {
        for await (const chunk of stream) got.push(text(chunk));
        assert.equal(got.join(""), "12345678");
      });
    }
  });
});

slowTest("File: one task at the file's own position, any number at given ones", async () => {
  using file = await openFile("a");
  const [first, second, there] = await Promise.allSettled([
    file.read(2),
    file.read(2),
    file.read(2, 6),
  ]);
  assert.equal(first.status, "fulfilled");
  assert.ok(second.status === "rejected" && second.reason instanceof BusyResourceError);
  assert.ok(there.status === "fulfilled" && text(there.value) === "67");
  await moveOnAfter(1, () => file.read(2));
  assert.equal(text(await file.read(2)), "23");
});

slowTest(
  "PullStream.receive: one task at a time; cancelled, it makes room for the next",
  async () => {
    using file = await openFile("a");
    const stream = file.stream();
    const receiving = stream.receive(1);
    await assert.rejects(stream.receive(), BusyResourceError);
    await assert.rejects(stream[Symbol.asyncIterator]().next(), BusyResourceError);
    assert.equal(text(await receiving), "0");
    await moveOnAfter(1, () => stream.receive());
    assert.equal(text(await stream.receive(2)), "12");
    for (const wrong of [0, 1.5, Number.NaN])
      await assert.rejects(stream.receive(wrong), RangeError);
    await assert.rejects(stream.receiveInto(new Uint8Array(0)), RangeError);
  },
);

slowTest("File.close, stream.close: who waits gets ClosedResourceError at once", async (files) => {
  const file = await openFile("a");
  const stream = file.stream();
  const other = file.stream();
  await taskGroup(async (group) => {
    for (const operation of [
      () => file.read(),
      () => file.read(1, 5),
      () => file.stat(),
      () => file.realPath(),
      () => file.readRange(0, 5),
      () => stream.receive(),
      () => other.receive(),
    ])
      group.startSoon(() => assert.rejects(operation, ClosedResourceError));
    await waitAllTasksBlocked();
    other.close();
    assert.equal(files.open_, 1);
    file.close();
  });
  await assert.rejects(stream.receive(), ClosedResourceError);
});

slowTest(
  "File.close, stream.close: nothing is written into the memory of those who waited",
  async () => {
    using file = await openFile("a");
    using closed = await openFile("a");
    const stream = file.stream();
    const view = new Uint8Array(20);
    const waits = [
      closed.readInto(view.subarray(0, 10)),
      stream.receiveInto(view.subarray(10, 20)),
    ].map((wait) => assert.rejects(wait, ClosedResourceError));
    stream.close();
    closed.close();
    await Promise.all(waits);
    await sleep(2 * SLOW_MS);
    assert.deepEqual(view, new Uint8Array(20));
  },
);

test("fs: on a backend without files every function says so", async () => {
  const { files: _, ...backend } = simulator().createBackend();
  await run(
    async () => {
      for (const operation of [openFile, stat, realPath, readDirectory, readFile, readTextFile])
        await assert.rejects(operation("a"), NotSupportedError);
    },
    { backend },
  );
});

slowTest("readFile: of a file that becomes shorter meanwhile what is there", async (files) => {
  await taskGroup(async (group) => {
    group.startSoon(async () => {
      // It was opened, and its size asked for.
      await sleep(2.5 * SLOW_MS);
      files.contents = files.contents.subarray(0, 4);
    });
    assert.equal(text(await readFile("a")), "0123");
  });
});
