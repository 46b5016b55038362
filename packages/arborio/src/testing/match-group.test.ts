import assert from "node:assert/strict";
import { test } from "node:test";
import { ExceptionGroup } from "../index.ts";
import { assertExceptionGroup, matchesExceptionGroup } from "./match-group.ts";

const group = new ExceptionGroup([
  new TypeError("one"),
  new ExceptionGroup([new RangeError("two"), new RangeError("three")]),
]);

test("matchesExceptionGroup: classes, predicates, messages and nested lists, in any order", () => {
  assert.ok(matchesExceptionGroup(group, [TypeError, [RangeError, RangeError]]));
  assert.ok(matchesExceptionGroup(group, [[/^three$/, /^two$/], /^one$/]));
  assert.ok(
    matchesExceptionGroup(group, [(error) => error instanceof TypeError, [Error, RangeError]]),
  );
});

test("matchesExceptionGroup: exactly these, no more and no fewer, nested as given", () => {
  for (const patterns of [
    [TypeError],
    [TypeError, RangeError, RangeError],
    [TypeError, [RangeError]],
    [TypeError, [RangeError, RangeError], TypeError],
    [[TypeError], [RangeError, RangeError]],
    [/two/, [RangeError, RangeError]],
  ])
    assert.equal(matchesExceptionGroup(group, patterns), false);
  assert.equal(matchesExceptionGroup(new TypeError("one"), [TypeError]), false);
  assert.equal(matchesExceptionGroup(undefined, []), false);
});

test("matchesExceptionGroup: finds the pairing where a pattern fits several errors", () => {
  const errors = new ExceptionGroup([new TypeError("a"), new RangeError("b"), new Error("c")]);
  assert.ok(matchesExceptionGroup(errors, [Error, RangeError, /^a$/]));
  assert.ok(matchesExceptionGroup(errors, [Error, /^[ac]$/, TypeError]));
  assert.equal(matchesExceptionGroup(errors, [Error, /^a$/, TypeError]), false);
});

test("matchesExceptionGroup: takes no time for many errors of one class", () => {
  const errors = Array.from({ length: 40 }, (_, index) => new RangeError(String(index)));
  const many = new ExceptionGroup([...errors, new TypeError("odd one out")]);
  assert.equal(
    matchesExceptionGroup(
      many,
      Array.from({ length: 41 }, () => RangeError),
    ),
    false,
  );
  assert.ok(
    matchesExceptionGroup(
      many,
      Array.from({ length: 41 }, () => Error),
    ),
  );
});

test("assertExceptionGroup: its error shows both sides, and keeps what it got as the cause", () => {
  assertExceptionGroup(group, [TypeError, [RangeError, RangeError]]);
  const wrong = new TypeError("not a group");
  try {
    assertExceptionGroup(wrong, [RangeError, [/x/]]);
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.match(error.message, /got TypeError: not a group/);
    assert.match(error.message, /\[RangeError, \[\/x\/\]\]/);
    assert.equal(error.cause, wrong);
    return;
  }
  assert.fail("needed a throw");
});
