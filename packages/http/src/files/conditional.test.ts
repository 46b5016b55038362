import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatHttpDate } from "../protocol/http-date.ts";
import { evaluateIfRange, evaluatePreconditions, type Precondition } from "./conditional.ts";
import { parseEntityTags } from "../web/entity-tag.ts";

const CHANGED_MS = 1_000_000_000_500;
const before = formatHttpDate(CHANGED_MS - 2000);
const same = formatHttpDate(CHANGED_MS);
const after = formatHttpDate(CHANGED_MS + 2000);

function evaluate(
  headers: Record<string, string>,
  etag: string | undefined = '"a"',
  method = "GET",
): Precondition {
  return evaluatePreconditions(
    { method, headers: new Headers(headers) },
    { etag, lastModifiedMs: CHANGED_MS },
  );
}

test("evaluatePreconditions: If-None-Match compares weakly; 304 to who reads, 412 to who writes", () => {
  for (const [field, etag, answer] of [
    ['"a"', '"a"', 304],
    ['W/"a"', '"a"', 304],
    ['"a"', 'W/"a"', 304],
    ["*", '"a"', 304],
    ["*", undefined, 304],
    ['"b"', '"a"', "proceed"],
    ['"b" , W/"c",\t"a"', '"a"', 304],
    ['"b,a"', '"a"', "proceed"],
    ['"a,b"', '"a,b"', 304],
    ['""', '""', 304],
    ["a", '"a"', "proceed"],
    ['w/"a"', '"a"', "proceed"],
    ['"x, "a"', '"a"', "proceed"],
    ['"a"', undefined, "proceed"],
    ['"A"', '"a"', "proceed"],
  ] as const) {
    const headers = { "if-none-match": field };
    const validators = { etag, lastModifiedMs: CHANGED_MS };
    const of = (method: string): Precondition =>
      evaluatePreconditions({ method, headers: new Headers(headers) }, validators);
    assert.equal(of("GET"), answer, field);
    assert.equal(of("HEAD"), answer, field);
    assert.equal(of("PUT"), answer === 304 ? 412 : answer, field);
  }
});

test("evaluatePreconditions: If-Match compares strongly", () => {
  for (const [field, etag, answer] of [
    ['"a"', '"a"', "proceed"],
    ['"b", "a"', '"a"', "proceed"],
    ["*", '"a"', "proceed"],
    ['W/"a"', '"a"', 412],
    ['W/"a"', 'W/"a"', 412],
    ['"b"', '"a"', 412],
    ["rubbish", '"a"', 412],
    ["", '"a"', 412],
  ] as const)
    assert.equal(evaluate({ "if-match": field }, etag), answer, field);
});

test("evaluatePreconditions: dates are compared by whole seconds, and ignored if they are none", () => {
  for (const [name, field, answer] of [
    ["if-modified-since", before, "proceed"],
    ["if-modified-since", same, 304],
    ["if-modified-since", after, 304],
    ["if-modified-since", "yesterday", "proceed"],
    ["if-modified-since", `${same}, ${same}`, "proceed"],
    ["if-unmodified-since", before, 412],
    ["if-unmodified-since", same, "proceed"],
    ["if-unmodified-since", after, "proceed"],
    ["if-unmodified-since", "yesterday", "proceed"],
  ] as const)
    assert.equal(evaluate({ [name]: field }), answer, `${name}: ${field}`);
  assert.equal(evaluate({ "if-modified-since": same }, '"a"', "POST"), "proceed");
});

test("evaluatePreconditions: the precedence of RFC 9110 §13.2.2", () => {
  const fields = {
    "if-match": ['"a"', '"b"'],
    "if-unmodified-since": [after, before],
    "if-none-match": ['"b"', '"a"'],
    "if-modified-since": [before, after],
  };
  const choice = fc.constantFrom(undefined, true, false);
  fc.assert(
    fc.property(
      fc.record({ match: choice, unmodified: choice, noneMatch: choice, modified: choice }),
      fc.constantFrom("GET", "HEAD", "PUT"),
      ({ match, unmodified, noneMatch, modified }, method) => {
        const headers: Record<string, string> = {};
        const set = (name: keyof typeof fields, isTrue: boolean | undefined): void => {
          if (isTrue !== undefined) headers[name] = fields[name][isTrue ? 0 : 1] as string;
        };
        set("if-match", match);
        set("if-unmodified-since", unmodified);
        set("if-none-match", noneMatch);
        set("if-modified-since", modified);
        // The steps of the RFC, one by one.
        const reads = method !== "PUT";
        let expected: Precondition = "proceed";
        if (match === false) expected = 412;
        else if (match === undefined && unmodified === false) expected = 412;
        else if (noneMatch === false) expected = reads ? 304 : 412;
        else if (noneMatch === undefined && reads && modified === false) expected = 304;
        assert.equal(evaluate(headers, '"a"', method), expected);
      },
    ),
    { numRuns: 300 },
  );
});

test("evaluateIfRange: the strong tag, or exactly the time of the last change", () => {
  for (const [field, etag, answer] of [
    [null, '"a"', true],
    ['"a"', '"a"', true],
    ['W/"a"', '"a"', false],
    ['W/"a"', 'W/"a"', false],
    ['"b"', '"a"', false],
    ['"a", "b"', '"a"', false],
    [same, '"a"', true],
    [before, '"a"', false],
    [after, '"a"', false],
    ["rubbish", '"a"', false],
    ['"a"', undefined, false],
  ] as const)
    assert.equal(
      evaluateIfRange(field, { etag, lastModifiedMs: CHANGED_MS }),
      answer,
      String(field),
    );
  assert.equal(evaluateIfRange(same, { etag: '"a"' }), false);
});

test("parseEntityTags: at most 128, and linear time for any input", () => {
  assert.equal(parseEntityTags('"a",'.repeat(1000)).length, 128);
  assert.deepEqual(parseEntityTags(' ,, "a" ,W/"b",c,"d"'), ['"a"', 'W/"b"']);
  const start = performance.now();
  for (const evil of [" ".repeat(100_000), `"a"${" ".repeat(100_000)}x`, '"'.repeat(100_000)])
    parseEntityTags(evil);
  assert.ok(performance.now() - start < 5000);
});
