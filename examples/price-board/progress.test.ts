import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import type { WriteStream } from "node:tty";
import { stripVTControlCharacters } from "node:util";
import { Board } from "./board.ts";
import { LiveProgress, PlainProgress } from "./progress.ts";

function terminal(columns: number, rows: number): { stream: WriteStream; written: () => string } {
  let text = "";
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  Object.assign(stream, { columns, rows, isTTY: true });
  const written = (): string => {
    const all = text;
    text = "";
    return all;
  };
  return { stream: stream as WriteStream, written };
}

function busyBoard(): Board {
  const names = Array.from({ length: 30 }, (_, at) => `a source with quite a long name ${at}`);
  const board = new Board(names.map((name) => ({ name, url: "http://example.com/" })));
  for (const entry of board.entries.slice(0, 20)) {
    entry.state = "asking";
    entry.tries = 2;
    entry.doing = "no answer";
  }
  return board;
}

test("LiveProgress: draws within the terminal, and over what it drew before", () => {
  const { stream, written } = terminal(40, 10);
  const progress = new LiveProgress(stream, 3000);
  progress.draw(busyBoard());
  const lines = stripVTControlCharacters(written()).split("\n");
  assert.equal(lines.pop(), "");
  assert.ok(lines.length < 10, `${lines.length} lines`);
  for (const line of lines) assert.ok(line.length < 40, line);
  assert.match(lines.at(-1) ?? "", /and 14 more/);
  progress.draw(busyBoard());
  // Up as many lines as were drawn, then all below is erased.
  assert.ok(written().includes(`\u001B[${lines.length}A`));
  progress.end();
  assert.ok(written().endsWith("\u001B[0J"));
});

test("PlainProgress: a line per settled source, without escape codes", () => {
  const lines: string[] = [];
  const progress = new PlainProgress(
    (line) => lines.push(line),
    () => {},
  );
  const [priced, failed] = busyBoard().entries;
  assert.ok(priced !== undefined && failed !== undefined);
  Object.assign(priced, { price: { amount: 1234.5, currency: "EUR" }, beganMs: 10, endedMs: 52 });
  Object.assign(failed, { state: "failed", why: "HTTP 404", tries: 1, endedMs: 1500 });
  progress.settled(priced);
  progress.settled(failed);
  assert.match(lines[0] ?? "", / 1,234\.50 EUR \(42 ms, try 2\)$/);
  assert.match(lines[1] ?? "", / failed: HTTP 404 \(1\.5 s\)$/);
});
