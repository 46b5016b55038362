import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { ExceptionGroup } from "./exception-group.ts";

const type = new TypeError("a type");
const range = new RangeError("a range");
const plain = new Error("plain");
const nested = new ExceptionGroup([range, plain], "inner", { cause: "why" });
const group = new ExceptionGroup([type, nested], "outer");

test("ExceptionGroup: an AggregateError with a name, a code and a title (§4.5)", () => {
  assert.ok(group instanceof AggregateError);
  assert.ok(group instanceof ExceptionGroup);
  assert.equal(group.name, "ExceptionGroup");
  assert.equal(group.code, "ARBORIO_EXCEPTION_GROUP");
  assert.equal(group.title, "outer");
  assert.equal(nested.cause, "why");
  assert.equal("cause" in group, false);
  assert.throws(() => new ExceptionGroup([]), /got no errors/);
});

test("ExceptionGroup.leaves: all errors that are no groups, depth first, in order (§4.5)", () => {
  assert.deepEqual(group.leaves(), [type, range, plain]);
  const aggregate = new AggregateError([plain]);
  assert.deepEqual(new ExceptionGroup([aggregate, "text"]).leaves(), [aggregate, "text"]);
});

test("ExceptionGroup.split: by class, both parts keep the nesting, title and cause (§4.5)", () => {
  const [matched, rest] = group.split(RangeError);
  assert.deepEqual(matched?.leaves(), [range]);
  assert.equal(matched?.title, "outer");
  const inner = matched?.errors[0] as ExceptionGroup;
  assert.equal(inner.title, "inner");
  assert.equal(inner.cause, "why");
  assert.deepEqual(rest?.leaves(), [type, plain]);
  assert.deepEqual((rest?.errors[1] as ExceptionGroup | undefined)?.errors, [plain]);
});

test("ExceptionGroup.split: an empty part is undefined, a whole one is the same object (§4.5)", () => {
  assert.deepEqual(group.split(SyntaxError), [undefined, group]);
  assert.deepEqual(group.split(Error), [group, undefined]);
  assert.equal(group.split(() => false)[1], group);
  const [matched] = group.split((error) => error === nested);
  assert.equal(matched?.errors[0], nested, "a group may be taken as a whole");
});

test("ExceptionGroup.split: by predicate, also of what is no Error; other matchers are a TypeError (§4.5)", () => {
  const mixed = new ExceptionGroup(["text", plain]);
  assert.deepEqual(mixed.split((error) => typeof error === "string")[0]?.errors, ["text"]);
  assert.throws(() => mixed.split("text" as never), TypeError);
});

test("ExceptionGroup.subgroup: the matching part (§4.5)", () => {
  assert.deepEqual(group.subgroup(TypeError)?.errors, [type]);
  assert.equal(group.subgroup(SyntaxError), undefined);
});

test("ExceptionGroup.message: a tree of title, counts and errors (§4.5)", () => {
  assert.equal(
    group.message,
    [
      "outer (2 errors)",
      "  ├─ TypeError: a type",
      "  └─ inner (2 errors)",
      "     ├─ RangeError: a range",
      "     └─ Error: plain",
    ].join("\n"),
  );
  assert.match(
    new ExceptionGroup([undefined, "text"]).message,
    /thrown: undefined\n.*thrown: text/,
  );
  assert.match(
    new ExceptionGroup([new Error("x", { cause: plain })]).message,
    /cause: Error: plain/,
  );
});

test("ExceptionGroup.message: in bounded space for many errors, deep nesting and long texts (§4.5)", () => {
  const many = new ExceptionGroup(
    Array.from({ length: 10_000 }, (_, index) => new Error(`${index} ${"x".repeat(1000)}`)),
  );
  assert.ok(many.message.length < 10_000, String(many.message.length));
  assert.match(many.message, /and \d+ more$/);
  let deep = new ExceptionGroup([plain]);
  for (let depth = 0; depth < 10_000; depth++) deep = new ExceptionGroup([deep, type]);
  assert.ok(deep.message.length < 10_000);
  assert.equal(deep.leaves().length, 10_001);
  assert.equal(deep.split(TypeError)[0]?.leaves().length, 10_000);
});

test("ExceptionGroup: printed by the host, all its errors can be read, of 10,000 a bounded number (§4.5)", () => {
  const text = inspect(group);
  for (const part of ["a type", "a range", "plain"]) assert.ok(text.includes(part), text);
  const many = new ExceptionGroup(
    Array.from({ length: 10_000 }, (_, index) => new Error(`number ${index}`)),
  );
  assert.ok(inspect(many).length < 500_000, String(inspect(many).length));
});
