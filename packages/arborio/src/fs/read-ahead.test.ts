/** Reading ahead: what is given is what is there, in order, and no more is read than is allowed. */
import assert from "node:assert/strict";
import { ClosedResourceError, EndOfStream, moveOnAfter, now, shielded, sleep } from "../index.ts";
import { openFile } from "../fs.ts";
import { cancelEverywhere } from "../testing.ts";
import { pattern } from "./files.test.kit.ts";
import { SECRET, SLOW_MS, slowTest } from "./slow-files.test.kit.ts";

const CHUNK = 65_536;

slowTest(
  "File.stream, for await: several reads at a time, once the first came whole",
  async (files) => {
    files.contents = pattern(20 * CHUNK);
    using file = await openFile("a");
    for (const source of [file.stream(), file]) {
      const begun = now();
      let at = 0;
      for await (const chunk of source) {
        assert.deepEqual(chunk, files.contents.subarray(at, at + chunk.length));
        at += chunk.length;
      }
      assert.equal(at, 20 * CHUNK);
      // One after the other it would be 21 operations long.
      const spans = (now() - begun) / SLOW_MS;
      assert.ok(spans <= 9, `${spans} operations long`);
    }
  },
);

slowTest(
  "File.stream: no more is read ahead than 256 KiB, or one chunk, and never beyond its end",
  async (files) => {
    files.contents = pattern(20 * CHUNK);
    using file = await openFile("a");
    for (const [maxBytes, end, readings] of [
      [CHUNK, Infinity, 3],
      [4 * CHUNK, Infinity, 1],
      [8 * CHUNK, Infinity, 1],
      [100, Infinity, 0],
      [CHUNK, CHUNK, 0],
      [CHUNK, 2 * CHUNK + 1, 2],
    ] as const) {
      const stream = file.stream({ end });
      await stream.receive(maxBytes);
      assert.equal(files.running, readings, `${maxBytes} of ${end}`);
      stream.close();
      await sleep(2 * SLOW_MS);
    }
  },
);

slowTest("File.stream: a small file is read once, and its end looked for once", async (files) => {
  using file = await openFile("a");
  const begun = now();
  for await (const chunk of file.stream()) assert.equal(chunk.length, 10);
  assert.equal((now() - begun) / SLOW_MS, 2);
  assert.equal(files.running, 0);
});

slowTest("File.stream: requests of all sizes get the bytes in order", async (files) => {
  files.contents = pattern(10 * CHUNK + 17);
  using file = await openFile("a");
  const stream = file.stream();
  let at = 0;
  try {
    for (let round = 0; ; round++) {
      const chunk = await stream.receive([CHUNK, 7, CHUNK, 100_000, 1, 20_000][round % 6]);
      assert.deepEqual(chunk, files.contents.subarray(at, at + chunk.length));
      // They are the receiver's, with their memory.
      assert.ok(chunk.buffer.byteLength <= 2 * chunk.length, `${chunk.buffer.byteLength}`);
      at += chunk.length;
      structuredClone(chunk.buffer, { transfer: [chunk.buffer as ArrayBuffer] });
    }
  } catch (error) {
    if (!(error instanceof EndOfStream)) throw error;
  }
  assert.equal(at, files.contents.length);
});

slowTest(
  "File.stream, for await: reads that come short leave no gap, and show nothing of other memory",
  async (files) => {
    files.contents = new Uint8Array(4 * CHUNK).map((_, index) => index % SECRET);
    using file = await openFile("a");
    for (const source of [file.stream(), file]) {
      let at = 0;
      for await (const chunk of source) {
        assert.deepEqual(chunk, files.contents.subarray(at, at + chunk.length));
        assert.ok(!new Uint8Array(chunk.buffer).includes(SECRET));
        at += chunk.length;
        // Whole, then those that run already come short, in the middle of the file.
        files.givenBytesMax = at === CHUNK ? CHUNK - 1000 : Infinity;
      }
      assert.equal(at, files.contents.length);
    }
  },
);

slowTest("File.stream: the end is as old as the question for it", async (files) => {
  files.contents = pattern(2 * CHUNK);
  using file = await openFile("a");
  const stream = file.stream();
  await stream.receive();
  await stream.receive();
  // By now the read ahead has found the end there.
  await sleep(5 * SLOW_MS);
  files.setSize(2 * CHUNK + 3);
  assert.equal((await stream.receive()).length, 3);
  await assert.rejects(stream.receive(), EndOfStream);
});

slowTest(
  "File.stream, for await: cancelled at every checkpoint, they lost no bytes",
  async (files) => {
    files.contents = pattern(5 * CHUNK + 1);
    await cancelEverywhere(async () => {
      using file = await shielded(() => openFile("a"));
      const stream = file.stream();
      let [streamed, iterated] = [0, 0];
      const check = (chunk: Uint8Array, at: number): number => {
        assert.deepEqual(chunk, files.contents.subarray(at, at + chunk.length));
        return at + chunk.length;
      };
      const readAll = async (): Promise<void> => {
        for await (const chunk of stream) streamed = check(chunk, streamed);
        for await (const chunk of file) iterated = check(chunk, iterated);
      };
      try {
        await readAll();
      } finally {
        await shielded(readAll);
        assert.deepEqual([streamed, iterated], [files.contents.length, files.contents.length]);
      }
    });
  },
);

slowTest(
  "File: closed, what was read ahead is not given any more; a closed stream asks for nothing",
  async (files) => {
    files.contents = pattern(10 * CHUNK);
    const file = await openFile("a");
    const stream = file.stream();
    const chunks = file[Symbol.asyncIterator]();
    await stream.receive();
    await chunks.next();
    await sleep(3 * SLOW_MS);
    const other = file.stream();
    await other.receive();
    other.close();
    await sleep(3 * SLOW_MS);
    assert.equal(files.running, 0);
    file.close();
    await assert.rejects(stream.receive(), ClosedResourceError);
    await assert.rejects(chunks.next(), ClosedResourceError);
  },
);

slowTest("File: for await shares the file's own position with read and seek", async (files) => {
  files.contents = pattern(10 * CHUNK);
  using file = await openFile("a");
  const chunks = file[Symbol.asyncIterator]();
  const first = async (): Promise<number> => {
    const { value } = await chunks.next();
    assert.deepEqual(value, files.contents.subarray(file.position - CHUNK, file.position));
    return file.position;
  };
  assert.equal(await first(), CHUNK);
  assert.equal(await first(), 2 * CHUNK);
  await file.read(5);
  assert.equal(await first(), 3 * CHUNK + 5);
  file.seek(1);
  assert.equal(await first(), CHUNK + 1);
  await moveOnAfter(1, () => chunks.next());
  assert.equal(file.position, CHUNK + 1);
  assert.equal(await first(), 2 * CHUNK + 1);
});
