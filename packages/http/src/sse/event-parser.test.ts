/** Bytes to events, beside the HTML Standard's algorithm written down word by word: in whatever pieces they come. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readEventStream } from "../protocol/event-stream.test.kit.ts";
import { EventParser, type ReceivedEvent } from "./event-parser.ts";

const encoder = new TextEncoder();

/** All events of these pieces. */
function parsed(parser: EventParser, pieces: readonly Uint8Array[]): ReceivedEvent[] {
  const events: ReceivedEvent[] = [];
  for (const piece of pieces) {
    parser.push(piece);
    for (let event = parser.next(); event !== undefined; event = parser.next()) events.push(event);
  }
  return events;
}

/** Numbers below `max`, the same for the same seed. */
function numbers(seed: number): (max: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (max) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * max);
  };
}

/** What streams are made of: all that the standard tells apart, and all that is nearly so. */
const PARTS: readonly string[] = [
  ..."\n \r \r\n \n\n \r\r \r\n\r\n".split(" "),
  ..."data data: data:: data:x event event: event:tick id id: id:7 retry:15 retry:1x retry:- retry: :".split(
    " ",
  ),
  ..." \u0000 \uFEFF é 😀 x : Data: dat data\u0000 DATA:x  data: data".split(" "),
  "id:a\0b",
  "data: two words",
  "retry:٣",
  "retry: +5",
  " ",
];

test("EventParser: as the standard has it, in whatever pieces the bytes come", () => {
  for (let seed = 0; seed < 3000; seed++) {
    const below = numbers(seed);
    let text = below(4) === 0 ? "\uFEFF" : "";
    for (let count = below(30); count > 0; count--) text += PARTS[below(PARTS.length)];
    const bytes = encoder.encode(text);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + (seed % 3 === 0 ? 1 : below(9));
      pieces.push(bytes.subarray(at, end));
      at = end;
    }
    const parser = new EventParser(1_000_000, "");
    const expected = readEventStream(text);
    assert.deepEqual(parsed(parser, pieces), expected.events, JSON.stringify(text));
    assert.equal(parser.lastEventId, expected.lastEventId, JSON.stringify(text));
    assert.equal(parser.retryMs, expected.retryMs, JSON.stringify(text));
  }
});

test("EventParser: an event is as large as its data, wherever it is cut; those before it are given", () => {
  for (const [data, isTaken] of [
    ["data: 12345\n", true],
    ["data:12345\n", true],
    ["data: 123456\n", false],
    ["data: 12\ndata: 45\n", true],
    ["data: 12\r\ndata:456\r\n", false],
    [`: ${"x".repeat(1000)}\ndata: 12345\n`, true],
    ["data: 1\n\ndata: 12345\n\ndata: 1\n", true],
  ] as const) {
    const bytes = encoder.encode(`data: a\n\n${data}\ndata: b\n\n`);
    for (let cut = 0; cut < bytes.length; cut++) {
      const parser = new EventParser(5, "");
      const read = (): string[] =>
        parsed(parser, [bytes.subarray(0, cut), bytes.subarray(cut)]).map((event) => event.data);
      if (isTaken) assert.equal(read().at(-1), "b", `${data} cut at ${cut}`);
      else {
        assert.throws(read, { name: "EventStreamError", reason: "too-large" });
        assert.throws(() => parser.next(), /more than 5 characters/);
      }
    }
  }
  const parser = new EventParser(5, "");
  parser.push(encoder.encode("data: a\n\ndata: 123456\n\ndata: b\n\n"));
  assert.equal(parser.next()?.data, "a");
  assert.throws(() => parser.next(), /too-large|more than 5/);
});

test("EventParser: a line that never ends is not kept without end", () => {
  for (const begin of ["data:", "id:", "event:", "retry:", "data: 1\nid:"]) {
    const parser = new EventParser(1000, "");
    parser.push(encoder.encode(begin));
    assert.throws(() => {
      for (let count = 0; count < 20; count++) {
        parser.push(new Uint8Array(100).fill(120));
        parser.next();
      }
    }, /more than 1000 characters/);
  }
  const parser = new EventParser(1000, "");
  for (const begin of [":", "other:", "\n:"]) {
    parser.push(encoder.encode(begin));
    for (let count = 0; count < 100; count++) parser.push(new Uint8Array(100).fill(120));
  }
  parser.push(encoder.encode("\ndata: behind\n\n"));
  assert.equal(parser.next()?.data, "behind");
});

test("EventParser: a new connection begins with nothing but the last id, and what was asked for", () => {
  const parser = new EventParser(1000, "0");
  parser.push(encoder.encode("id: 1\nretry: 5\ndata: a\n\nid: 2\nevent: x\ndata: cut"));
  assert.equal(parser.next()?.lastEventId, "1");
  // Half of a character, too.
  parser.push(Uint8Array.of(0xc3));
  parser.restart();
  parser.push(encoder.encode("\uFEFFdata: b\n\n"));
  assert.deepEqual(parser.next(), { type: "message", data: "b", lastEventId: "1" });
  assert.equal(parser.retryMs, 5);
  parser.push(encoder.encode("id\ndata: c\n\n"));
  assert.equal(parser.next()?.lastEventId, "");
});
