import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FieldScanner } from "./field-scanner.ts";
import { QUOTED_PATTERN, quoted, splitOutsideQuotes, unquoted } from "./quoted.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# quoted: seed ${seed}`);
const parameters = { seed, numRuns: 500 };

/** What a quoted string can say. */
const content = fc
  .array(
    fc.oneof(
      fc.constantFrom(9, 34, 92, 44, 59, 61),
      fc.integer({ min: 32, max: 126 }),
      fc.integer({ min: 128, max: 255 }),
    ),
  )
  .map((codes) => String.fromCharCode(...codes));

test("quoted: what is written is one quoted string, and says what was meant", () => {
  const whole = new RegExp(`^${QUOTED_PATTERN}$`);
  const property = fc.property(content, content, (text, behind) => {
    const written = quoted(text);
    assert.match(written, whole);
    assert.equal(unquoted(written), text);
    // Nothing in it ends it early.
    const scanner = new FieldScanner(`${written}${behind.replaceAll('"', "")}`);
    assert.equal(scanner.quoted(), text);
    assert.deepEqual([...splitOutsideQuotes(`${written},${written}`, ",")], [written, written]);
  });
  fc.assert(property, parameters);
});

test("quoted: control characters and what is beyond ISO 8859-1 are refused, and the text is not shown", () => {
  for (const bad of ["\r", "\n", "\0", "\x1f", "\x7f", "\u0100", "€", "\ud83d\ude00"]) {
    const refused = (error: unknown): boolean =>
      error instanceof TypeError &&
      /character 0x[0-9A-F]+ at 6:/.test(error.message) &&
      !error.message.includes("secret");
    assert.throws(() => quoted(`secret${bad}more`), refused, JSON.stringify(bad));
  }
});

test("unquoted: what is no quoted string stays as it is", () => {
  for (const text of ["", "a", '"', '"a', 'a"', '"a"b"', '"a\\"', '"\n"', '"\\']) {
    assert.equal(unquoted(text), text, JSON.stringify(text));
  }
  assert.equal(unquoted('""'), "");
  assert.equal(unquoted('"\\a\\\\\\""'), 'a\\"');
});

test("splitOutsideQuotes: separators in quotes separate nothing, and an open quote hides the rest", () => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ["", [""]],
    ["a,,b", ["a", "", "b"]],
    ['a="1,2",b', ['a="1,2"', "b"]],
    ['a="1\\",2",b', ['a="1\\",2"', "b"]],
    ['a="1\\\\",b', ['a="1\\\\"', "b"]],
    ['a="1,b', ['a="1,b']],
    ["a\\,b", ["a\\", "b"]],
  ];
  for (const [text, expected] of table) {
    assert.deepEqual([...splitOutsideQuotes(text, ",")], expected, text);
  }
});

test("FieldScanner: what is not there is not taken", () => {
  const scanner = new FieldScanner(' \ta="x\\"y" ,, b');
  assert.equal(scanner.token(), null);
  assert.equal(scanner.skipSpace(), true);
  assert.equal(scanner.skipSpace(), false);
  assert.equal(scanner.quoted(), null);
  assert.equal(scanner.token(), "a");
  assert.equal(scanner.take(","), false);
  assert.equal(scanner.take("="), true);
  assert.equal(scanner.quoted(), 'x"y');
  scanner.skipCommas();
  assert.equal(scanner.isAtEnd, false);
  assert.equal(scanner.token(), "b");
  assert.equal(scanner.isAtEnd, true);
  assert.equal(scanner.token(), null);
  assert.equal(scanner.take(","), false);
});

test("FieldScanner: hostile values take linear time", () => {
  const LENGTH = 200_000;
  const hostile = ['"', '"\\', '"a\\"', "\\", " \t", "a", ",", ", ", '""'].map((piece) =>
    piece.repeat(LENGTH / piece.length),
  );
  const start = performance.now();
  for (const text of [...hostile, ...hostile.map((one) => `"${one}\0`)]) {
    const scanner = new FieldScanner(text);
    scanner.skipCommas();
    scanner.quoted();
    scanner.token();
    unquoted(text);
    assert.ok([...splitOutsideQuotes(text, ",")].length > 0);
  }
  // Linear time is well below a second.
  assert.ok(performance.now() - start < 20_000);
});
