/** Files of the host. What waiting and cancelling do in every order is in `file-waits.test.ts`. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test as nodeTest } from "node:test";
import { pathToFileURL } from "node:url";
import {
  BrokenResourceError,
  checkpoint,
  ClosedResourceError,
  EndOfStream,
  moveOnAfter,
  sleep,
  SystemError,
  taskGroup,
} from "../index.ts";
import { openFile, readFile, readTextFile, stat } from "../fs.ts";
import { TextDecodingError } from "../streams/errors.ts";
import { asNobody } from "../testing/as-nobody.test.kit.ts";
import { onEveryBackend } from "../testing.ts";

const everyBackend = onEveryBackend(nodeTest);
const test: typeof everyBackend = (title, body) =>
  everyBackend(title, body, { skip: { backend: "simulator", reason: "files of this machine" } });

const folder = mkdtempSync(join(tmpdir(), "arborio-fs-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;

function make(contents: string | Uint8Array): string {
  const path = join(folder, `file ${made++} ä`);
  writeFileSync(path, contents);
  return path;
}

/** Numbers that tell where in the file they are. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 255);
}

/** How many descriptors of this process lead to `path`. */
function openDescriptors(path: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  }).length;
}

const hasSystemCode =
  (code: string, message: RegExp = /^/) =>
  (error: unknown) => {
    assert.ok(error instanceof SystemError, String(error));
    assert.equal(error.systemCode, code);
    assert.match(error.message, message);
    return true;
  };

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test("openFile, stat: the system's refusals have the same codes everywhere", async () => {
  const path = make("x");
  const missing = join(folder, "missing");
  const loop = join(folder, "loop");
  symlinkSync(loop, loop);
  for (const [code, wrong] of [
    ["ENOENT", missing],
    ["ENOENT", ""],
    ["ENOTDIR", join(path, "below")],
    ["ENAMETOOLONG", join(folder, "a".repeat(300))],
    ["ELOOP", loop],
  ] as const) {
    await assert.rejects(openFile(wrong), hasSystemCode(code, /^open /));
    await assert.rejects(readFile(wrong), hasSystemCode(code));
    await assert.rejects(stat(wrong), hasSystemCode(code, /^stat /));
  }
  await assert.rejects(openFile(folder), hasSystemCode("EISDIR", /^open .*it is a directory/));
  assert.equal(openDescriptors(folder), 0);
  assert.equal((await stat(folder)).kind, "directory");
});

test("openFile: a file that this process may not read is EACCES", async () => {
  const path = make("secret");
  chmodSync(folder, 0o711);
  chmodSync(path, 0);
  await asNobody(() =>
    assert.rejects(openFile(path), hasSystemCode("EACCES", /permission denied/)),
  );
});

test("openFile: takes paths and file: URLs, nothing else", async () => {
  const path = make("here");
  const url = pathToFileURL(path);
  assert.equal(text(await readFile(url)), "here");
  assert.equal((await stat(new URL(url.href))).size, 4);
  const file = await openFile(url);
  assert.equal(file.path, path);
  file.close();
  for (const wrong of [
    "a\0b",
    new URL("http://localhost/etc/passwd"),
    new URL("file://elsewhere/etc/passwd"),
    new URL("file:///tmp/a%2fb"),
    new URL("file:///tmp/%ff"),
    new URL("file:///tmp/%00"),
  ])
    await assert.rejects(openFile(wrong), RangeError);
  for (const wrong of [undefined, null, 3, new Uint8Array(1), { href: "file:///x" }])
    for (const operation of [openFile, readFile, readTextFile, stat])
      await assert.rejects(operation(wrong as never), TypeError);
});

test("File.read: goes on where it was, a position does not move it, and the end gives no bytes", async () => {
  const path = make("0123456789");
  using file = await openFile(path);
  assert.equal(text(await file.read(4)), "0123");
  assert.equal(text(await file.read(3, 7)), "789");
  assert.equal(text(await file.read(undefined, 8)), "89");
  assert.equal(text(await file.read(100)), "456789");
  assert.equal((await file.read()).length, 0);
  assert.equal((await file.read(5, 1000)).length, 0);
  appendFileSync(path, "more");
  assert.equal(text(await file.read()), "more");
  for (const wrong of [0, -1, 1.5, Number.NaN]) await assert.rejects(file.read(wrong), RangeError);
  for (const wrong of [-1, 0.5, Infinity]) await assert.rejects(file.read(1, wrong), RangeError);
  await assert.rejects(file.read("1" as never), TypeError);
});

test("File.read: few bytes in a large buffer do not keep it alive", async () => {
  using file = await openFile(make("tiny"));
  assert.ok((await file.read()).buffer.byteLength < 1000);
});

test("File.readInto: fills from the start of the view, and tells how much", async () => {
  using file = await openFile(make("0123456789"));
  const view = new Uint8Array(8).fill(46);
  assert.equal(await file.readInto(view.subarray(2, 6)), 4);
  assert.equal(text(view), "..0123..");
  assert.equal(await file.readInto(view), 6);
  assert.equal(text(view), "456789..");
  assert.equal(await file.readInto(view), 0);
  assert.equal(await file.readInto(view, 9), 1);
  assert.equal(await file.readInto(view, 10), 0);
  await assert.rejects(file.readInto(new Uint8Array(0)), RangeError);
  await assert.rejects(file.readInto("view" as never), TypeError);
  const large = new Uint8Array(3 * 1024 * 1024);
  assert.equal(await file.readInto(large, 0), 10);
});

test("File.readRange, readFile: give all that was asked for, however many reads it takes", async () => {
  const contents = pattern(2_500_000);
  const path = make(contents);
  using file = await openFile(path);
  assert.deepEqual(await file.readRange(0, Infinity), contents);
  assert.deepEqual(
    await file.readRange(1_000_001, 2_400_000),
    contents.slice(1_000_001, 2_400_000),
  );
  assert.deepEqual(await file.readRange(2_499_990, 3_000_000), contents.slice(2_499_990));
  assert.equal((await file.readRange(5, 5)).length, 0);
  assert.equal((await file.readRange(9_000_000, 9_000_001)).length, 0);
  assert.deepEqual(await readFile(path), contents);
  await assert.rejects(file.readRange(5, 4), RangeError);
  await assert.rejects(file.readRange(-1, 4), RangeError);
  await assert.rejects(file.readRange(0, undefined as never), TypeError);
});

test("File.stream: ranges end with EndOfStream, each has its own position, closing one leaves the file open", async () => {
  const contents = pattern(300_000);
  using file = await openFile(make(contents));
  const middle = file.stream({ start: 100, end: 250_000 });
  const rest = file.stream({ start: 299_000 });
  assert.deepEqual(await middle.receive(10), contents.slice(100, 110));
  assert.deepEqual(await rest.receive(), contents.slice(299_000));
  const view = new Uint8Array(5);
  assert.equal(await middle.receiveInto(view), 5);
  assert.deepEqual(view, contents.slice(110, 115));
  let at = 115;
  for await (const chunk of middle) {
    assert.deepEqual(chunk, contents.slice(at, at + chunk.length));
    at += chunk.length;
  }
  assert.equal(at, 250_000);
  await assert.rejects(middle.receive(), EndOfStream);
  await assert.rejects(rest.receive(), EndOfStream);
  await assert.rejects(file.stream({ start: 7, end: 7 }).receive(), EndOfStream);
  assert.equal((await file.stream().receive(1_000_000)).length, 300_000);
  middle.close();
  await assert.rejects(middle.receive(), ClosedResourceError);
  assert.deepEqual(await file.read(1, 0), contents.slice(0, 1));
  assert.throws(() => file.stream({ start: 2, end: 1 }), RangeError);
  assert.throws(() => file.stream({ start: "2" as never }), TypeError);
});

test("File.stream: a stream that has ended stays so, though the file grows", async () => {
  const path = make("a");
  using file = await openFile(path);
  const stream = file.stream();
  assert.equal(text(await stream.receive()), "a");
  await assert.rejects(stream.receive(), EndOfStream);
  appendFileSync(path, "b");
  await assert.rejects(stream.receive(), EndOfStream);
  for await (const chunk of stream) assert.fail(text(chunk));
  assert.equal(text(await file.stream().receive()), "ab");
});

test("File: many reads at once each get their own place", async () => {
  const contents = pattern(200_000);
  using file = await openFile(make(contents));
  await taskGroup((group) => {
    for (let index = 0; index < 200; index++) {
      const start = (index * 7919) % 199_000;
      group.startSoon(async () => {
        const wanted = contents.slice(start, start + 500);
        assert.deepEqual(await file.read(500, start), wanted);
        assert.deepEqual(await file.stream({ start, end: start + 500 }).receive(), wanted);
      });
    }
  });
});

test("File: for await gives the rest of it in chunks", async () => {
  const contents = pattern(200_000);
  using file = await openFile(make(contents));
  await file.read(7);
  let at = 7;
  for await (const chunk of file) {
    assert.deepEqual(chunk, contents.slice(at, at + chunk.length));
    at += chunk.length;
  }
  assert.equal(at, contents.length);
});

test("stat, File.stat: what the system says, in whole milliseconds", async () => {
  const path = make("12345");
  const expected = statSync(path);
  using file = await openFile(path);
  for (const found of [await stat(path), await file.stat()])
    assert.deepEqual(found, {
      kind: "file",
      size: 5,
      modifiedMs: Math.floor(expected.mtimeMs),
      accessedMs: Math.floor(expected.atimeMs),
      mode: expected.mode & 0o7777,
      user: expected.uid,
      group: expected.gid,
      names: 1,
      inode: expected.ino,
      device: expected.dev,
    });
  appendFileSync(path, "6");
  assert.equal((await file.stat()).size, 6);
});

test("File: special files do not hang, and say what they are", async () => {
  const fifo = join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  assert.equal((await stat(fifo)).kind, "fifo");
  using file = await openFile(fifo);
  assert.equal((await file.stat()).kind, "fifo");
  await assert.rejects(file.read(), hasSystemCode("ESPIPE"));
  await assert.rejects(file.stream().receive(), (error) => {
    assert.ok(error instanceof BrokenResourceError);
    return hasSystemCode("ESPIPE")(error.cause);
  });
  using zero = await openFile("/dev/zero");
  assert.equal((await zero.stat()).kind, "device");
  assert.deepEqual(await zero.read(3), new Uint8Array(3));
  assert.deepEqual(await readFile("/dev/null"), new Uint8Array(0));
  assert.match(await readTextFile("/proc/self/status"), /^Name:/);
});

test("readFile: more than maxBytes is EFBIG, also where the size is not known before", async () => {
  const path = make(pattern(1000));
  assert.equal((await readFile(path, { maxBytes: 1000 })).length, 1000);
  await assert.rejects(
    readFile(path, { maxBytes: 999 }),
    hasSystemCode("EFBIG", /999 are allowed/),
  );
  await assert.rejects(readFile("/dev/zero", { maxBytes: 100_000 }), hasSystemCode("EFBIG"));
  await assert.rejects(readFile(path, { maxBytes: -1 }), RangeError);
  assert.equal(openDescriptors(path) + openDescriptors("/dev/zero"), 0);
});

test("readTextFile: decodes strictly, without the byte order mark", async () => {
  assert.equal(await readTextFile(make("\ufeffgrün")), "grün");
  const latin = make(Uint8Array.of(103, 114, 252, 110));
  assert.equal(await readTextFile(latin, { encoding: "latin1" }), "grün");
  await assert.rejects(readTextFile(latin), (error) => {
    assert.ok(error instanceof TextDecodingError);
    assert.equal(error.encoding, "utf-8");
    return true;
  });
  await assert.rejects(readTextFile(latin, { encoding: "klingon" }), RangeError);
  await assert.rejects(readTextFile(latin, { maxBytes: 3 }), hasSystemCode("EFBIG"));
});

test("readFile, readTextFile, File: what is no option is refused, as a name or in its place", async () => {
  const path = make("x");
  using file = await openFile(path, { flags: "r+" });
  const none = /there is no such option/;
  await assert.rejects(readFile(path, "utf-8" as never), TypeError);
  await assert.rejects(readTextFile(path, "latin1" as never), TypeError);
  await assert.rejects(readFile(path, { encoding: "utf-8" } as never), /use readTextFile/);
  await assert.rejects(readTextFile(path, { charset: "latin1" } as never), none);
  await assert.rejects(readTextFile(path, { maxBytes: "1" as never }), /readTextFile.*maxBytes/);
  await assert.rejects(file.sync({ data: true } as never), none);
  await assert.rejects(file.sync(true as never), TypeError);
  for (const wrong of [{ from: 1 }, { maxBytes: 1 }]) {
    assert.throws(() => file.stream(wrong as never), none);
    assert.throws(() => file.sendStream(wrong as never), none);
  }
  assert.throws(() => file.sendStream({ end: 1 } as never), none);
  for (const wrong of [null, 5]) {
    assert.throws(() => file.stream(wrong as never), TypeError);
    assert.throws(() => file.sendStream(wrong as never), TypeError);
  }
});

test("File.close: the descriptor is given back when the read that runs has ended, not before", async () => {
  const path = make(pattern(1000));
  const file = await openFile(path);
  const reading = assert.rejects(file.read(), ClosedResourceError);
  file.close();
  file.close();
  // The read's end has not been told yet, whatever the system has done: nothing ran since. (Deno may have doubled it for the read.)
  assert.ok(openDescriptors(path) >= 1);
  await reading;
  await untilClosed(path);
  for (const operation of [
    () => file.read(),
    () => file.readInto(new Uint8Array(1), 0),
    () => file.readRange(0, 1),
    () => file.stat(),
    () => file.stream().receive(),
  ])
    await assert.rejects(operation, ClosedResourceError);
});

test("openFile, readFile: cancelled at any moment, nothing stays open", async () => {
  const path = make(pattern(200_000));
  for (let round = 0; round < 200; round++) {
    await moveOnAfter((round % 20) / 10, async () => {
      if (round % 2 === 0) await readFile(path);
      else (await openFile(path)).close();
    });
    if (round % 3 === 0) await checkpoint();
  }
  await untilClosed(path);
});

async function untilClosed(path: string): Promise<void> {
  for (let attempt = 0; openDescriptors(path) > 0; attempt++) {
    assert.ok(attempt < 400, "a descriptor was left open");
    await sleep(5);
  }
}
