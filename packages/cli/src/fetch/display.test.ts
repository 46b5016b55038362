import assert from "node:assert/strict";
import { test } from "node:test";
import type { LiveArea } from "../host/live-area.ts";
import { BarsDisplay } from "./bars-display.ts";
import { duration, type Display, printable } from "./display.ts";
import { DownloadProgress } from "./download-progress.ts";
import { JsonDisplay } from "./json-display.ts";
import { LinesDisplay } from "./lines-display.ts";

/** The life of three downloads, shown; `tick` is called where time has passed. */
function show(display: Display): void {
  const changed = (progress: DownloadProgress): void => display.changed(progress);
  const of = (name: string): DownloadProgress =>
    new DownloadProgress({ name, url: `http://h/${name}`, path: `/d/${name}` }, changed);
  const [big, odd, here] = [of("big.iso"), of("odd"), of("here")];
  here.ended("existing", 0);
  big.connecting(0);
  odd.connecting(0);
  display.tick(0);
  big.receiving(250_000, 1_000_000, 100);
  odd.receiving(0, null, 100);
  big.received(250_000, 1_100);
  odd.received(5, 1_100);
  display.tick(1_100);
  odd.pausing("it broke\x1b[2J\n");
  odd.ended("failed", 1_200, "it broke for good");
  big.verifying();
  big.ended("done", 2_100);
  display.tick(3_100);
  display.end([big, odd, here]);
}

test("LinesDisplay: says what happened, and now and then how far it is", () => {
  const lines: string[] = [];
  show(
    new LinesDisplay({ say: (line) => lines.push(line), warn: (line) => lines.push(`! ${line}`) }),
  );
  assert.deepEqual(lines, [
    "here: is there already",
    "big.iso: goes on behind 250 kB",
    "big.iso: 500 kB of 1 MB, 250 kB/s, 2.0 s left",
    "odd: 5 B, 5 B/s",
    "! arborio: odd: it broke [2J; it is tried again",
    "! arborio: odd: it broke for good",
    "big.iso: 500 kB, of which 250 kB now in 2.1 s",
    "1 of 3 downloaded, 1 there already, 1 failed",
  ]);
});

test("LinesDisplay, BarsDisplay: what a server says is harmless for a terminal", () => {
  const lines: string[] = [];
  const area: LiveArea = {
    columns: 80,
    draw: (text) => lines.push(text),
    persist: (line) => lines.push(line),
    close: () => {},
  };
  for (const display of [
    new LinesDisplay({ say: (line) => lines.push(line), warn: (line) => lines.push(line) }),
    new BarsDisplay(
      area,
      (_, text) => text,
      () => 0,
    ),
  ]) {
    const changed = (progress: DownloadProgress): void => display.changed(progress);
    const progress = new DownloadProgress({ name: "a", url: "http://h/a", path: "a" }, changed);
    progress.pausing("\x1b]0;title\x07");
    display.tick(0);
    progress.ended("failed", 0, "\x1b[2Jgone\u009b1m");
  }
  assert.ok(lines.length > 3);
  for (const character of ["\x07", "\x1b", "\u009b"])
    assert.ok(!lines.some((line) => line.includes(character)), JSON.stringify(lines));
});

test("JsonDisplay: a line for each change of phase, one each second, and the end", () => {
  const events: Record<string, unknown>[] = [];
  show(new JsonDisplay((line) => events.push(JSON.parse(line) as Record<string, unknown>)));
  assert.deepEqual(
    events.map(({ event, name }) => [event, name].join(" ").trim()),
    [
      "existing here",
      "connecting big.iso",
      "connecting odd",
      "receiving big.iso",
      "receiving odd",
      "progress big.iso",
      "progress odd",
      "pausing odd",
      "failed odd",
      "verifying big.iso",
      "done big.iso",
      "end",
    ],
  );
  const of = { name: "big.iso", url: "http://h/big.iso", path: "/d/big.iso" };
  const bytes = { receivedBytes: 500_000, totalBytes: 1_000_000, resumedBytes: 250_000 };
  assert.deepEqual(events[5], { event: "progress", ...of, ...bytes, bytesPerSecond: 250_000 });
  assert.deepEqual(events[10], { event: "done", ...of, ...bytes, elapsedMs: 2_100 });
  assert.equal(events[8]?.["reason"], "it broke for good");
  assert.deepEqual(events[11], { event: "end", done: 1, existing: 1, failed: 1, unfinished: 0 });
});

/** What stands in a terminal: lines that stay, and those that were drawn last. */
class FakeArea implements LiveArea {
  readonly columns: number;
  readonly kept: string[] = [];
  readonly drawn: string[] = [];
  isClosed = false;

  constructor(columns: number) {
    this.columns = columns;
  }

  draw(text: string): void {
    this.drawn.push(text);
  }

  persist(line: string): void {
    this.kept.push(line);
  }

  close(): void {
    this.isClosed = true;
  }
}

test("BarsDisplay: a bar for each that goes on, a line for each that is over", () => {
  const area = new FakeArea(80);
  show(
    new BarsDisplay(
      area,
      (style, text) => `<${style}>${text}</>`,
      () => 1_300,
    ),
  );
  assert.deepEqual(area.drawn.slice(0, 3), [
    "",
    "  big.iso  connecting\n  odd      connecting",
    `  big.iso  <green>${"━".repeat(15)}</><dim>${"─".repeat(15)}</>  500 kB of 1 MB, 250 kB/s, 2.0 s left\n  odd      5 B, 5 B/s`,
  ]);
  assert.deepEqual(area.kept, [
    "<dim>=</> here: is there already",
    "<red>✗</> odd: it broke for good",
    "<green>✓</> big.iso: 500 kB, of which 250 kB now in 2.1 s",
    "1 of 3 downloaded, 1 there already, 1 failed",
  ]);
  assert.ok(area.isClosed);
});

test("BarsDisplay: no line is longer than the terminal", () => {
  for (let columns = 10; columns < 120; columns += 7) {
    const area = new FakeArea(columns);
    show(
      new BarsDisplay(
        area,
        (_style, text) => text,
        () => 1_300,
      ),
    );
    for (const line of area.drawn.flatMap((text) => text.split("\n")))
      assert.ok(line.length < columns, `${columns}: ${line}`);
  }
});

test("DownloadProgress: speed is that of the last seconds", () => {
  const progress = new DownloadProgress({ name: "a", url: "", path: null }, () => {});
  assert.equal(progress.bytesPerSecond(0), null);
  progress.receiving(0, 100_000, 0);
  assert.equal(progress.bytesPerSecond(100), null);
  for (let second = 1; second <= 10; second++) progress.received(1_000, second * 1_000);
  assert.equal(progress.bytesPerSecond(10_000), 1_000);
  for (let second = 11; second <= 20; second++) progress.received(3_000, second * 1_000);
  assert.equal(progress.bytesPerSecond(20_000), 3_000);
  assert.equal(progress.remainingMs(20_000), 20_000);
});

test("duration, printable: for people", () => {
  const texts = [0, 950, 59_940, 60_000, 3_599_000, 3_600_000, 90_061_000].map(duration);
  assert.deepEqual(texts, [
    "0.0 s",
    "0.9 s",
    "59.9 s",
    "1:00 min",
    "59:59 min",
    "1:00:00 h",
    "25:01:01 h",
  ]);
  assert.equal(printable("a\r\n\x1b[31mb\u202ec\u0085"), "a [31mb c");
});
