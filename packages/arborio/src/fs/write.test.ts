/** Writing to open files, on the host and in the simulator. What waiting and failing do in every order is in `write-waits.test.ts`. */
import assert from "node:assert/strict";
import {
  BusyResourceError,
  ClosedResourceError,
  EndOfStream,
  InvalidStateError,
  shielded,
  taskGroup,
} from "../index.ts";
import { copyStream } from "../streams.ts";
import { cancelEverywhere } from "../testing.ts";
import { type File, openFile, readFile, readTextFile, writeFile } from "../fs.ts";
import { filesTest as test, hasSystemCode, pattern, textOf } from "./files.test.kit.ts";

test("File.write: goes on where it was, a position does not move it, and reads share it", async (folder) => {
  await using file = await openFile(`${folder}/file`, { flags: "w+" });
  assert.equal(file.position, 0);
  assert.equal(await file.write("0123"), 4);
  assert.equal(await file.write(Uint8Array.of(52, 53)), 2);
  assert.equal(file.position, 6);
  assert.equal(await file.write("XY", 1), 2);
  assert.equal(await file.write("grün", 8), 5);
  assert.equal(file.position, 6);
  assert.equal(await file.write(""), 0);
  assert.equal(await file.write(new Uint8Array(0), 100), 0);
  assert.equal((await file.stat()).size, 13);
  // A read may give less, but never nothing.
  assert.equal(textOf(await file.read(1)), "\0");
  assert.equal(file.position, 7);
  file.seek(2);
  assert.equal(textOf(await file.read(1)), "Y");
  assert.equal(await readTextFile(`${folder}/file`), "0XY345\0\0grün");
});

test("File.write: all of many bytes", async (folder) => {
  const contents = pattern(3_500_001);
  await using file = await openFile(`${folder}/file`, { flags: "w" });
  assert.equal(await file.write(contents), contents.length);
  assert.equal(file.position, contents.length);
  assert.deepEqual(await readFile(`${folder}/file`), contents);
});

test("File.write: to append is to write at the end, wherever that is by then", async (folder) => {
  const path = `${folder}/log`;
  await using first = await openFile(path, { flags: "a+" });
  await using second = await openFile(path, { flags: "a" });
  await first.write("1");
  await second.write("2");
  await first.write("3");
  await first.setSize(2);
  await second.write("4");
  assert.equal(await readTextFile(path), "124");
  assert.deepEqual([first.position, second.position], [0, 0]);
  assert.equal(textOf(await first.read(1)), "1");
  await first.write("-");
  assert.equal(textOf(await first.read(1)), "2");
  await first.setSize(3);
  await assert.rejects(first.write("x", 0), InvalidStateError);
  await second.sendStream({ start: 1 }).send(Uint8Array.of(53));
  assert.equal(await readTextFile(path), "1245");
});

test("File: one task at the file's own position, any number at given ones", async (folder) => {
  await using file = await openFile(`${folder}/file`, { flags: "w+" });
  await taskGroup(async (group) => {
    for (let index = 0; index < 50; index++)
      group.startSoon(() => file.write(new Uint8Array(1000).fill(index + 1), index * 1000));
    const first = file.write("at the start", 0);
    const moving = file.write("a");
    await assert.rejects(file.write("b"), BusyResourceError);
    await assert.rejects(file.read(), BusyResourceError);
    await assert.rejects(file[Symbol.asyncIterator]().next(), BusyResourceError);
    assert.throws(() => file.seek(0), BusyResourceError);
    await Promise.all([first, moving]);
  });
  assert.equal(file.position, 1);
  for (let index = 1; index < 50; index++) {
    const part = await file.readRange(index * 1000, (index + 1) * 1000);
    assert.ok(
      part.every((byte) => byte === index + 1),
      `part ${index}`,
    );
  }
});

test("File.setSize: cuts off, and fills up with zeros", async (folder) => {
  await using file = await openFile(`${folder}/file`, { flags: "w+" });
  await file.write("0123456789");
  await file.setSize(4);
  assert.equal(textOf(await file.readRange(0, 10)), "0123");
  await file.setSize(6);
  assert.equal(textOf(await file.readRange(0, 10)), "0123\0\0");
  assert.equal(file.position, 10);
  await file.write("x");
  assert.equal((await file.stat()).size, 11);
  await file.setSize(0);
  assert.equal((await file.read(10, 0)).length, 0);
});

test("File.sync: of data alone, too, and of a file opened to read", async (folder) => {
  await using file = await openFile(`${folder}/file`, { flags: "w" });
  await file.write("x");
  await file.sync();
  await file.sync({ dataOnly: true });
  using reading = await openFile(`${folder}/file`);
  await reading.sync();
  await assert.rejects(file.sync({ dataOnly: 1 as never }), TypeError);
});

test("File.seek, write: wrong arguments", async (folder) => {
  await using file = await openFile(`${folder}/file`, { flags: "w+" });
  for (const wrong of [-1, 0.5, Number.NaN, Infinity]) {
    assert.throws(() => file.seek(wrong), RangeError);
    await assert.rejects(file.write("x", wrong), RangeError);
    await assert.rejects(file.setSize(wrong), RangeError);
    assert.throws(() => file.sendStream({ start: wrong }), RangeError);
  }
  assert.throws(() => file.seek("1" as never), TypeError);
  for (const wrong of [undefined, null, 1, new ArrayBuffer(1), [1]])
    await assert.rejects(file.write(wrong as never), TypeError);
  await assert.rejects(file.sendStream().send("text" as never), TypeError);
  assert.equal((await file.stat()).size, 0);
});

test("File: what was opened only to read is not written, and the other way round", async (folder) => {
  await writeFile(`${folder}/file`, "old");
  await using reading = await openFile(`${folder}/file`);
  await using writing = await openFile(`${folder}/file`, { flags: "a" });
  const toWrite = /opened only to read, needs openFile with flags such as "r\+", "w" or "a"/;
  await assert.rejects(reading.write("x"), hasSystemCode("EBADF", toWrite));
  await assert.rejects(reading.setSize(0), hasSystemCode("EBADF", toWrite));
  const toRead = /opened only to write, needs openFile with flags such as "r", "r\+" or "w\+"/;
  await assert.rejects(writing.read(), hasSystemCode("EBADF", toRead));
  await assert.rejects(writing.readInto(new Uint8Array(1), 0), hasSystemCode("EBADF", toRead));
  await assert.rejects(writing[Symbol.asyncIterator]().next(), hasSystemCode("EBADF", toRead));
  assert.equal(await readTextFile(`${folder}/file`), "old");
});

test("File.sendStream: writes from its start on; copyStream works both ways", async (folder) => {
  const contents = pattern(200_000);
  await writeFile(`${folder}/from`, contents);
  await using from = await openFile(`${folder}/from`);
  await using to = await openFile(`${folder}/to`, { flags: "w+" });
  const stream = to.sendStream({ start: 5 });
  assert.equal(await copyStream(from.stream(), stream), contents.length);
  const sending = stream.send(Uint8Array.of(1, 2));
  await assert.rejects(stream.send(Uint8Array.of(3)), BusyResourceError);
  await sending;
  stream.close();
  await assert.rejects(stream.send(Uint8Array.of(3)), ClosedResourceError);
  assert.deepEqual(await to.readRange(5, 200_005), contents);
  assert.deepEqual(await to.readRange(0, 5), new Uint8Array(5));
  assert.deepEqual(await to.readRange(200_005, Infinity), Uint8Array.of(1, 2));
  const end = to.sendStream({ start: 1 });
  assert.equal(await copyStream(to.stream({ end: 1 }), end, { end: true }), 1);
  await assert.rejects(end.send(new Uint8Array(1)), ClosedResourceError);
  assert.equal(to.position, 0);
});

test("File: what it writes itself, its streams and iterators see, though they read ahead", async (folder) => {
  await using file = await openFile(`${folder}/file`, { flags: "w+" });
  const size = 1_000_000;
  await file.setSize(size);
  const stream = file.stream();
  let streamed = 0;
  for (let value = 0; value < 5; value++) {
    const chunk = await stream.receive(65_536);
    streamed += chunk.length;
    const [next] = await nextOf(file);
    assert.deepEqual([chunk[0], chunk.at(-1), next], [value, value, value]);
    await file.write(new Uint8Array(size).fill(value + 1), 0);
  }
  await file.setSize(streamed + 1);
  assert.equal((await stream.receive()).length, 1);
  await assert.rejects(stream.receive(), EndOfStream);
  file.seek(streamed);
  assert.equal((await nextOf(file)).length, 1);
});

const iterators: WeakMap<File, AsyncIterator<Uint8Array>> = new WeakMap();

/** The next chunk of the same iteration. */
async function nextOf(file: File): Promise<Uint8Array> {
  const chunks = iterators.get(file) ?? file[Symbol.asyncIterator]();
  iterators.set(file, chunks);
  const { value } = await chunks.next();
  return value as Uint8Array;
}

test("File: closed, it does nothing any more", async (folder) => {
  const file = await openFile(`${folder}/file`, { flags: "w+" });
  const stream = file.sendStream();
  await file[Symbol.asyncDispose]();
  await file[Symbol.asyncDispose]();
  file.close();
  for (const operation of [
    () => file.write("x"),
    () => file.write("x", 3),
    () => file.setSize(1),
    () => file.sync(),
    () => stream.send(new Uint8Array(1)),
    () => file.lock(),
    () => file.lines()[Symbol.asyncIterator]().next(),
  ])
    await assert.rejects(operation, ClosedResourceError);
});

test("File: cancelled at every checkpoint, what it says is what is there, and it can be used on", async (folder) => {
  const path = `${folder}/file`;
  const { rounds } = await cancelEverywhere(async () => {
    let expected = "";
    try {
      await using file = await openFile(path, { flags: "w+" });
      for (const text of ["one\n", "two\n"]) {
        const position = file.position;
        await file.write(text);
        expected += text;
        assert.equal(file.position, position + text.length);
      }
      await file.write("T", 4);
      expected = "one\nTwo\n";
      await file.sync({ dataOnly: true });
      await file.stat();
      await file.sendStream({ start: 8 }).send(Uint8Array.of(51));
      expected += "3";
      await file.setSize(8);
      expected = "one\nTwo\n";
      assert.equal(textOf(await file.readRange(0, 100)), expected);
      for await (const line of file.lines()) assert.match(line, /^one$|^Two$/);
      file.seek(0);
      for await (const chunk of file) assert.ok(chunk.length > 0);
      assert.equal(file.position, 8);
      assert.ok((await file.realPath()).endsWith("/file"));
    } finally {
      const there = await shielded(() => readTextFile(path).catch(() => ""));
      assert.equal(there, expected);
      await shielded(() => writeFile(path, ""));
    }
  });
  assert.ok(rounds.entry >= 15 && rounds.waiting >= 15, JSON.stringify(rounds));
});
