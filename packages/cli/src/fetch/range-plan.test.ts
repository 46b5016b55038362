import assert from "node:assert/strict";
import { test } from "node:test";
import { decideRange, type Part, rangeFields, strongValidator } from "./range-plan.ts";

const DATE = "Sat, 21 Nov 2026 23:00:00 GMT";
const BEFORE = "Sat, 21 Nov 2026 22:59:59 GMT";

const part = (validator: string | null, sizeBytes = 10, totalBytes: number | null = 100): Part => ({
  version: { validator, totalBytes },
  sizeBytes,
});

function answer(
  status: number,
  fields: Record<string, string>,
): Pick<Response, "status" | "headers"> {
  return { status, headers: new Headers(fields) };
}

test("rangeFields: the rest of a part, on condition that it is the same version", () => {
  assert.deepEqual(rangeFields(part('"a"')), { range: "bytes=10-", "if-range": '"a"' });
  assert.deepEqual(rangeFields(part(BEFORE)), { range: "bytes=10-", "if-range": BEFORE });
  for (const none of [null, part(null), part('"a"', 0)]) assert.deepEqual(rangeFields(none), {});
});

test("strongValidator: a strong entity tag, or a date that is old enough", () => {
  const of = (fields: Record<string, string>): string | null =>
    strongValidator(new Headers(fields));
  assert.equal(of({ etag: '"a"', "last-modified": BEFORE, date: DATE }), '"a"');
  assert.equal(of({ etag: 'W/"a"' }), null);
  assert.equal(of({ etag: "a" }), null);
  assert.equal(of({ etag: 'W/"a"', "last-modified": BEFORE, date: DATE }), BEFORE);
  assert.equal(of({ "last-modified": DATE, date: DATE }), null);
  assert.equal(of({ "last-modified": BEFORE }), null);
  assert.equal(of({ "last-modified": "yesterday", date: DATE }), null);
});

const version = { validator: '"a"', totalBytes: 100 };
const rest = { "content-range": "bytes 10-99/100", etag: '"a"', "content-length": "90" };

for (const [title, had, response, decision] of [
  [
    "the whole, with nothing there",
    null,
    answer(200, { etag: '"a"', "content-length": "100" }),
    { kind: "whole", version },
  ],
  [
    "the whole, since it has changed",
    part('"b"'),
    answer(200, { etag: '"a"', "content-length": "100" }),
    { kind: "whole", version },
  ],
  [
    "the whole, of unknown length",
    null,
    answer(200, {}),
    { kind: "whole", version: { validator: null, totalBytes: null } },
  ],
  ["the rest", part('"a"'), answer(206, rest), { kind: "append", offsetBytes: 10, version }],
  [
    "the rest, without the entity tag that it has to have",
    part('"a"'),
    answer(206, { "content-range": "bytes 10-99/100" }),
    { kind: "again" },
  ],
  [
    "the rest, without the date, which may be left out",
    part(BEFORE),
    answer(206, { "content-range": "bytes 10-99/100" }),
    { kind: "append", offsetBytes: 10, version: { validator: BEFORE, totalBytes: 100 } },
  ],
  [
    "the rest, with neither date nor length",
    part(BEFORE),
    answer(206, { "content-range": "bytes 10-99/*" }),
    { kind: "again" },
  ],
  [
    "the rest of a whole of unknown length",
    part('"a"'),
    answer(206, { "content-range": "bytes 10-99/*", etag: '"a"' }),
    { kind: "append", offsetBytes: 10, version },
  ],
  [
    "the length, known only now",
    part('"a"', 10, null),
    answer(206, rest),
    { kind: "append", offsetBytes: 10, version },
  ],
  ["the rest of another version", part('"b"'), answer(206, rest), { kind: "again" }],
  [
    "the rest of another version, by its date",
    part(BEFORE),
    answer(206, { ...rest, "last-modified": DATE }),
    { kind: "again" },
  ],
  ["the rest of a whole that has grown", part('"a"', 10, 50), answer(206, rest), { kind: "again" }],
  ["another range", part('"a"', 11), answer(206, rest), { kind: "again" }],
  [
    "several ranges",
    part('"a"'),
    answer(206, { "content-type": "multipart/byteranges" }),
    { kind: "again" },
  ],
  [
    "a range in other units",
    part('"a"'),
    answer(206, { "content-range": "lines 10-99/100" }),
    { kind: "again" },
  ],
  ["a part that nobody asked for", null, answer(206, rest), { kind: "refused", status: 206 }],
  [
    "no rest: it is complete",
    part('"a"', 100),
    answer(416, { "content-range": "bytes */100", etag: '"a"' }),
    { kind: "complete" },
  ],
  [
    "no rest: it is too long",
    part('"a"', 101),
    answer(416, { "content-range": "bytes */100" }),
    { kind: "again" },
  ],
  [
    "no rest: another version of that length",
    part('"b"', 100),
    answer(416, { "content-range": "bytes */100", etag: '"a"' }),
    { kind: "again" },
  ],
  ["no rest, without a length", part('"a"', 100), answer(416, {}), { kind: "again" }],
  [
    "no range was asked for",
    null,
    answer(416, { "content-range": "bytes */100" }),
    { kind: "refused", status: 416 },
  ],
  ["no", part('"a"'), answer(404, {}), { kind: "refused", status: 404 }],
  ["nothing new", part('"a"'), answer(304, {}), { kind: "refused", status: 304 }],
] as const) {
  test(`decideRange: ${title}`, () => {
    assert.deepEqual(decideRange(had, response), decision);
  });
}
