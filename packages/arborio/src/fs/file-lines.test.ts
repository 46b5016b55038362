/** The lines of a file, on the host and in the simulator. */
import assert from "node:assert/strict";
import { BrokenResourceError, ClosedResourceError, moveOnAfter } from "../index.ts";
import { type FileLinesOptions, openFile, writeFile } from "../fs.ts";
import { DelimiterNotFoundError, TextDecodingError } from "../streams.ts";
import { cancelEverywhere } from "../testing.ts";
import { filesTest as test, hasSystemCode } from "./files.test.kit.ts";

async function linesOf(
  folder: string,
  contents: string | Uint8Array,
  options?: FileLinesOptions,
): Promise<string[]> {
  const path = `${folder}/lines`;
  await writeFile(path, contents);
  using file = await openFile(path);
  const lines: string[] = [];
  for await (const line of file.lines(options)) lines.push(line);
  assert.equal(file.position, 0);
  return lines;
}

test("File.lines: LF, CR LF, empty lines, a last line without end", async (folder) => {
  for (const [contents, expected] of [
    ["", []],
    ["\n", [""]],
    ["a", ["a"]],
    ["a\n", ["a"]],
    ["a\n\nb", ["a", "", "b"]],
    ["a\r\nb\rc\r\n\r\n", ["a", "b\rc", ""]],
    ["grün\nßß\n😀", ["grün", "ßß", "😀"]],
    ["\ufeffmark\n\ufeffstays\n", ["mark", "\ufeffstays"]],
    ["\ufeff\nx", ["", "x"]],
  ] as const)
    assert.deepEqual(await linesOf(folder, contents), expected, JSON.stringify(contents));
});

test("File.lines: characters and line ends that are split between chunks", async (folder) => {
  // No chunk's size is a multiple of 3, 4 or 11: every place within a line comes to lie at the end of some chunk.
  const line = "ä€😀x";
  const contents = `${line}\r\n`.repeat(40_000);
  const lines = await linesOf(folder, contents);
  assert.equal(lines.length, 40_000);
  assert.ok(lines.every((one) => one === line));
});

test("File.lines: a part of the file; a mark is one only at its start", async (folder) => {
  assert.deepEqual(await linesOf(folder, "one\ntwo\nthree\n", { start: 4 }), ["two", "three"]);
  assert.deepEqual(await linesOf(folder, "one\ntwo\nthree\n", { start: 1, end: 6 }), ["ne", "tw"]);
  assert.deepEqual(await linesOf(folder, "x\ufeffy\n", { start: 1 }), ["\ufeffy"]);
  assert.deepEqual(await linesOf(folder, "one\n", { start: 100 }), []);
});

test("File.lines: a line may be as long as maxBytes, its end not counted", async (folder) => {
  const long = "x".repeat(1024 * 1024);
  assert.deepEqual(await linesOf(folder, `${long}\r\n${long}`), [long, long]);
  await assert.rejects(linesOf(folder, `ok\n${long}y\n`), DelimiterNotFoundError);
  assert.deepEqual(await linesOf(folder, "12345\n", { maxBytes: 5 }), ["12345"]);
  await assert.rejects(linesOf(folder, "123456\n", { maxBytes: 5 }), /File\.lines: no line end/);
  assert.equal((await linesOf(folder, `${long}y`, { maxBytes: Infinity }))[0]?.length, 1_048_577);
});

test("File.lines: other encodings; what is no text in it", async (folder) => {
  const latin = Uint8Array.of(103, 114, 252, 110, 10, 0xff);
  assert.deepEqual(await linesOf(folder, latin, { encoding: "latin1" }), ["grün", "ÿ"]);
  await assert.rejects(linesOf(folder, latin), TextDecodingError);
  await assert.rejects(linesOf(folder, "x", { encoding: "utf-16le" }), RangeError);
  await assert.rejects(linesOf(folder, "x", { encoding: "klingon" }), RangeError);
});

test("File.lines: wrong options are refused at once", async (folder) => {
  await writeFile(`${folder}/lines`, "x");
  using file = await openFile(`${folder}/lines`);
  for (const wrong of [{ maxBytes: -1 }, { start: 2, end: 1 }, { start: -1 }, { maxBytes: 1.5 }])
    assert.throws(() => file.lines(wrong), RangeError, JSON.stringify(wrong));
  for (const wrong of [{ maxBytes: "1" }, { maxLength: 3 }, null, 3])
    assert.throws(() => file.lines(wrong as never), TypeError, JSON.stringify(wrong));
});

test("File.lines: leaving early closes nothing; two iterations do not share a place", async (folder) => {
  await writeFile(`${folder}/lines`, "one\ntwo\nthree\n");
  using file = await openFile(`${folder}/lines`);
  const lines = file.lines();
  for await (const line of lines) {
    assert.equal(line, "one");
    break;
  }
  for await (const line of file.lines()) {
    assert.equal(line, "one");
    break;
  }
  const rest: string[] = [];
  for await (const line of lines) rest.push(line);
  assert.deepEqual(rest, ["two", "three"]);
  file.close();
  await assert.rejects(file.lines().next(), ClosedResourceError);
});

test("File.lines: of a file opened only to write", async (folder) => {
  await using file = await openFile(`${folder}/lines`, { flags: "w" });
  await assert.rejects(file.lines().next(), (error) => {
    assert.ok(error instanceof BrokenResourceError);
    return hasSystemCode("EBADF")(error.cause);
  });
});

test("File.lines: cancelled at every checkpoint, no line is lost and none comes twice", async (folder) => {
  const path = `${folder}/lines`;
  await writeFile(path, "\ufeffone\ntwo\nthree");
  await cancelEverywhere(async (round) => {
    const file = await openFile(path);
    const lines = file.lines();
    const seen: string[] = [];
    round.after(() => {
      assert.deepEqual(seen, ["one", "two", "three"].slice(0, seen.length));
    });
    try {
      for await (const line of lines) seen.push(line);
    } finally {
      file.close();
    }
  });
  using file = await openFile(path);
  const lines = file.lines();
  await moveOnAfter(0, () => lines.next());
  const rest: string[] = [];
  for await (const line of lines) rest.push(line);
  assert.deepEqual(rest, ["one", "two", "three"]);
});
