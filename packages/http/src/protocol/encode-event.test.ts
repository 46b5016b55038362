import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeEvent, type ServerSentEvent } from "./encode-event.ts";
import { readEventStream } from "./event-stream.test.kit.ts";

test("encodeEvent: each field a line, the empty line at the end", () => {
  assert.equal(encodeEvent({ data: "hello" }), "data: hello\n\n");
  assert.equal(
    encodeEvent({ comment: "c", event: "tick", id: "7", retryMs: 0, data: "x" }),
    ": c\nevent: tick\nid: 7\nretry: 0\ndata: x\n\n",
  );
  assert.equal(encodeEvent({ data: "" }), "data: \n\n");
  assert.equal(encodeEvent({ id: "" }), "id: \n\n");
});

test("encodeEvent: no line end in data or a comment ends its field", () => {
  assert.equal(
    encodeEvent({ data: "a\nevent: b\r\rid: 1\r\n\ndata: c\n" }),
    "data: a\ndata: event: b\ndata: \ndata: id: 1\ndata: \ndata: data: c\ndata: \n\n",
  );
  assert.equal(encodeEvent({ comment: "a\ndata: b\r\n" }), ": a\n: data: b\n: \n\n");
});

test("encodeEvent: what would end an event's name or id is refused, and said where", () => {
  for (const bad of ["a\nb", "a\rb", "a\r\ndata: b", "\n"]) {
    assert.throws(() => encodeEvent({ event: bad }), {
      name: "TypeError",
      message: /encodeEvent\(\{ event \}\): got U\+000[AD] at index [01], needs one line$/,
    });
    assert.throws(() => encodeEvent({ id: bad }), { name: "TypeError", message: /\{ id \}/ });
  }
  assert.throws(() => encodeEvent({ id: "a\0" }), /got U\+0000 at index 1, needs .* without NUL/);
  assert.equal(encodeEvent({ event: "\0" }), "event: \0\n\n");
});

test("encodeEvent: wrong values get an error that says what was needed", () => {
  for (const bad of [-1, 1.5, Number.NaN, Infinity, 2 ** 53, "5" as never])
    assert.throws(() => encodeEvent({ retryMs: bad }), { name: "RangeError", message: /retryMs/ });
  assert.throws(() => encodeEvent({ data: { a: 1 } as never }), /got object, needs a string/);
  assert.throws(() => encodeEvent({ data: null as never }), /got null/);
  assert.throws(() => encodeEvent({ event: 5 as never }), /event.*got number/);
  assert.throws(() => encodeEvent({}), /without content/);
});

test("encodeEvent: what a browser reads is what was given, whatever the strings", () => {
  const pieces = ["data", "id", "event", ":", "x", " ", "\r", "\n", "\0", "\uFEFF", "é", "😀"];
  const text = fc
    .array(fc.constantFrom(...pieces), { maxLength: 12 })
    .map((parts) => parts.join(""));
  const oneLine = text.map((value) => value.replaceAll(/[\r\n\0]/g, ""));
  const optional = { requiredKeys: [] as [] };
  const event = fc.record(
    { data: text, comment: text, event: oneLine, id: oneLine, retryMs: fc.nat() },
    optional,
  );
  const given = (value: ServerSentEvent): boolean => Object.keys(value).length > 0;
  fc.assert(
    fc.property(fc.array(event.filter(given), { maxLength: 5 }), (sent) => {
      const seen = readEventStream(sent.map(encodeEvent).join(""));
      const lines = (value: string) => value.replaceAll(/\r\n|\r/g, "\n");
      let lastEventId = "";
      const expected = [];
      for (const { data, event: type, id } of sent) {
        lastEventId = id ?? lastEventId;
        if (data !== undefined)
          expected.push({ type: type || "message", data: lines(data), lastEventId });
      }
      assert.deepEqual(seen.events, expected);
      assert.equal(seen.lastEventId, lastEventId);
      assert.equal(seen.retryMs, sent.findLast((one) => one.retryMs !== undefined)?.retryMs);
      const comments = sent.flatMap((one) =>
        one.comment === undefined ? [] : lines(one.comment).split("\n"),
      );
      assert.deepEqual(
        seen.comments,
        comments.map((comment) => ` ${comment}`),
      );
    }),
  );
});
