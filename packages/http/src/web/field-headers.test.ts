import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { FieldHeaders } from "./field-headers.ts";
import { fieldsFrom } from "./fields-from.ts";

type Step = (headers: Headers) => unknown;

/** Done to the platform's headers and to ours: both must give and throw the same. */
const STEPS: Record<string, Step> = {
  "get, has: in any case": (headers) => [
    headers.get("A"),
    headers.get("a"),
    headers.has("B"),
    headers.has("x"),
  ],
  "get: several joined": (headers) => headers.get("multi"),
  "get: none is null": (headers) => headers.get("none"),
  "get: an empty value": (headers) => [headers.get("empty"), headers.has("empty")],
  "get: no name": (headers) => headers.get("a b"),
  "has: no name": (headers) => headers.has("é"),
  "delete: no name": (headers) => headers.delete(""),
  "Set-Cookie is kept apart": (headers) => [
    headers.getSetCookie(),
    headers.get("set-cookie"),
    [...headers],
  ],
  append: (headers) => headers.append("NEW", " x\t"),
  "append to one that is there": (headers) => headers.append("Multi", "3"),
  "append Set-Cookie": (headers) => headers.append("Set-Cookie", "c=3"),
  "append Latin-1": (headers) => headers.append("l", "é"),
  "append beyond Latin-1": (headers) => headers.append("l", "€"),
  "append a number": (headers) => headers.append("n", 5 as never),
  "append nothing": (headers) => headers.append("n", undefined as never),
  "append a line end within": (headers) => headers.append("n", "a\r\nb: c"),
  "append NUL": (headers) => headers.append("n", "a\0b"),
  "append line ends around": (headers) => headers.append("n", "\r\n a \r\n"),
  "append a bad name": (headers) => headers.append("a:b", "1"),
  set: (headers) => headers.set("Multi", "4"),
  "set a new one": (headers) => headers.set("zz", "4"),
  "set Set-Cookie": (headers) => headers.set("set-cookie", "d=4"),
  delete: (headers) => headers.delete("MULTI"),
  "delete Set-Cookie": (headers) => headers.delete("set-cookie"),
  "delete none": (headers) => headers.delete("none"),
  keys: (headers) => [...headers.keys()],
  values: (headers) => [...headers.values()],
  entries: (headers) => [...headers.entries()],
  forEach: (headers) => {
    const seen: unknown[] = [];
    headers.forEach(function (this: unknown, value, name, parent) {
      seen.push(name, value, parent === headers, this);
    }, "this");
    return seen;
  },
  "forEach without a function": (headers) => headers.forEach(5 as never),
  "what is appended while iterating is seen": (headers) => {
    const seen: string[] = [];
    for (const [name] of headers) {
      if (seen.length === 0) headers.append("zzz", "1");
      seen.push(name);
    }
    return seen;
  },
  "an iterator is an iterable": (headers) => {
    const iterator = headers.entries();
    return [iterator.next(), [...iterator].length, iterator.next()];
  },
  "its class": (headers) => [Object.prototype.toString.call(headers), headers instanceof Headers],
  "nothing to enumerate": (headers) => Object.keys(headers),
  "given to the platform's Headers": (headers) => [...new Headers(headers)],
  "given to the platform's Response": (headers) =>
    new Response(null, { headers }).headers.get("multi"),
  "given to the platform's Request": (headers) =>
    new Request("http://h/", { headers }).headers.get("multi"),
};

const GIVEN: [string, string][] = [
  ["B", "2"],
  ["a", "1"],
  ["Multi", "1"],
  ["multi", "2"],
  ["Set-Cookie", "a=1"],
  ["set-cookie", "b=2; Path=/"],
  ["empty", ""],
];

/** What a step does, to compare. Bun gives Set-Cookie last, so that the order needs a test of its own. */
function outcome(headers: Headers, step: Step): unknown {
  const after = () => [...headers].map(String).sort();
  try {
    const result = step(headers);
    return { result: Array.isArray(result) ? result.map(String).sort() : result, after: after() };
  } catch (error) {
    return { error: (error as Error).constructor.name, after: after() };
  }
}

test("FieldHeaders: iterates in the order of the standard, names in lower case, Set-Cookie apart", () => {
  const headers = new FieldHeaders([...GIVEN.flat(), "Zz", "1"], false);
  assert.deepEqual(
    [...headers],
    [
      ["a", "1"],
      ["b", "2"],
      ["empty", ""],
      ["multi", "1, 2"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2; Path=/"],
      ["zz", "1"],
    ],
  );
});

for (const [name, step] of Object.entries(STEPS)) {
  test(`FieldHeaders as the platform's Headers: ${name}`, () => {
    const ours = new FieldHeaders(GIVEN.flat(), false);
    assert.deepEqual(outcome(ours, step), outcome(new Headers(GIVEN), step));
  });
}

test("FieldHeaders: has all that the platform's Headers has", () => {
  // Bun's own, of no standard.
  const others = new Set(["constructor", "getAll", "count"]);
  for (const name of Object.getOwnPropertyNames(Headers.prototype)) {
    if (others.has(name)) continue;
    assert.ok(Object.hasOwn(FieldHeaders.prototype, name), name);
  }
});

test("FieldHeaders: control characters that the web lets pass are refused (RFC 9110 §5.5)", () => {
  const headers = new FieldHeaders([], false);
  for (let code = 0; code < 256; code += 1) {
    const value = `a${String.fromCharCode(code)}b`;
    if (code === 9 || (code >= 32 && code !== 127)) headers.set("x", value);
    else assert.throws(() => headers.set("x", value), TypeError, `character ${code}`);
  }
  assert.throws(() => headers.set("x", "\x00".repeat(10_000)), { message: /^.{1,800}$/ });
});

test("FieldHeaders: those of a request cannot be changed", () => {
  const fields = ["A", "1"];
  const headers = new FieldHeaders(fields, true);
  for (const step of [
    () => headers.set("a", "2"),
    () => headers.append("b", "2"),
    () => headers.delete("a"),
  ]) {
    assert.throws(step, TypeError);
  }
  assert.deepEqual(fields, ["A", "1"]);
});

test("FieldHeaders: keeps order and case of what is sent", () => {
  const headers = new FieldHeaders([], false);
  headers.append("X-B", "1");
  headers.append("X-A", "2");
  headers.append("x-b", "3");
  headers.set("X-C", "4");
  headers.set("X-b", "5");
  assert.deepEqual(headers.fields, ["X-B", "5", "X-A", "2", "X-C", "4"]);
  assert.equal(headers.first("x-a"), "2");
  assert.equal(headers.first("none"), null);
});

test("FieldHeaders: can be looked at", () => {
  const headers = new FieldHeaders(["A", "1"], true);
  assert.match(inspect(headers), /a.*1/);
  assert.equal(JSON.stringify(headers), '{"a":"1"}');
});

test("fieldsFrom: takes what Headers takes, and refuses what it refuses", () => {
  const cases: unknown[] = [
    {},
    { a: "1", B: 2 },
    { a: undefined },
    [],
    [
      ["a", "1"],
      ["a", "2"],
    ],
    new Map([["a", "1"]]),
    new Headers({ a: "1" }),
    [["a"]],
    [["a", "1", "2"]],
    { "a b": "1" },
    { a: "€" },
    "text",
    5,
    null,
  ];
  for (const given of cases) {
    const ours = outcome(new Headers(), () => {
      const fields = fieldsFrom("here", given as HeadersInit);
      return [...new FieldHeaders(fields, false)];
    });
    const theirs = outcome(new Headers(), () => [...new Headers(given as HeadersInit)]);
    assert.deepEqual(ours, theirs, inspect(given));
  }
  assert.deepEqual(fieldsFrom("here", new FieldHeaders(["A", "1", "A", "2"], true)), [
    "A",
    "1",
    "A",
    "2",
  ]);
});
