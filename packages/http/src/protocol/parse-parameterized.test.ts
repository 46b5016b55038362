import assert from "node:assert/strict";
import { test } from "node:test";
import { parseParameterized } from "./parse-parameterized.ts";

const plain = (text: string): string | null => {
  const parsed = parseParameterized(text);
  if (parsed === null) return null;
  const { value, parameters } = parsed;
  return [value, ...[...parameters].map(([name, given]) => `${name}=<${given}>`)].join(" ");
};

test("parseParameterized: values with parameters, and what breaks the grammar", () => {
  const table: readonly (readonly [string, string | null])[] = [
    ["Text/HTML; Charset=UTF-8", "text/html charset=<UTF-8>"],
    ["\t a/b \t", "a/b"],
    ["a ;; b=c ; ;", "a b=<c>"],
    ['a; b="c;d\\"e\\\\f"', 'a b=<c;d"e\\f>'],
    // File names of Windows.
    ['a; b="C:\\dir\\x"', "a b=<C:\\dir\\x>"],
    ["a; b= c", null],
    ["a; b =c", null],
    ["a; b=; c=d", "a b=<> c=<d>"],
    ["a; b=c; B=d", "a b=<c>"],
    ['a; b="日本"', "a b=<日本>"],
    ["", ""],
    ["a; b", null],
    ["a; =b", null],
    ['a; b="c', null],
    ['a; b="c"d', null],
    ['a; b=c"d"', null],
    ["a; b=c d", null],
    ["a; b c=d", null],
  ];
  for (const [text, expected] of table) assert.equal(plain(text), expected, text);
});

test("parseParameterized: white space around = where it is asked for", () => {
  const parsed = parseParameterized('a; b = c; d=\t"e" ;f=', "spaced");
  assert.deepEqual(
    [...(parsed?.parameters ?? [])],
    [
      ["b", "c"],
      ["d", "e"],
      ["f", ""],
    ],
  );
  assert.equal(parseParameterized("a; b = c d", "spaced"), null);
});

test("parseParameterized: a backslash that means itself, where it is asked for", () => {
  const parsed = parseParameterized('a; b="\\"; c="d\\\\e\\"', "unescaped");
  assert.deepEqual(
    [...(parsed?.parameters ?? [])],
    [
      ["b", "\\"],
      ["c", "d\\\\e\\"],
    ],
  );
  assert.equal(parseParameterized('a; b="c\\"d"', "unescaped"), null);
});

test("parseParameterized: hostile values take linear time", () => {
  const LENGTH = 200_000;
  const start = performance.now();
  for (const piece of ["\\", '"', '\\"', ";", "; ", " ", "a", "a=", "; a=b", "=", " = "]) {
    const text = piece.repeat(LENGTH / piece.length);
    for (const value of [text, `a; b="${text}`, `a; b${text}`, `a; b=${text}\0`]) {
      for (const grammar of ["strict", "spaced", "unescaped"] as const) {
        parseParameterized(value, grammar);
      }
    }
  }
  // Linear time is well below a second.
  assert.ok(performance.now() - start < 20_000);
});
