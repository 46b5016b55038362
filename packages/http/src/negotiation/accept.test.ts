import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAccept, parseAcceptEncoding, parseAcceptLanguage } from "./accept.ts";

const plain = (preferences: ReturnType<typeof parseAccept>): string[] =>
  preferences.map(
    ({ value, parameters, quality }) =>
      `${value}${parameters.map(([name, given]) => `;${name}=${given}`).join("")} ${quality}`,
  );

test("parseAccept: ranges, parameters and weights, in order", () => {
  assert.deepEqual(
    plain(parseAccept('text/HTML;Level="1", text/*;q=0.3 ,*/*;q=0.125,a/b ; x=y ; Q=1.000; ext=1')),
    ["text/html;level=1 1", "text/* 0.3", "*/* 0.125", "a/b;x=y 1"],
  );
  assert.deepEqual(parseAccept(null), []);
});

test("parseAccept: separators in quoted strings separate nothing", () => {
  assert.deepEqual(plain(parseAccept('a/b;x="1,2;3\\"4";q=0.5, c/d')), [
    'a/b;x=1,2;3"4 0.5',
    "c/d 1",
  ]);
  assert.deepEqual(plain(parseAccept('a/b, c/d;x="open, e/f')), ["a/b 1"]);
});

test("parseAcceptEncoding: members that break the grammar are passed over, the others count", () => {
  for (const broken of [
    "gz ip",
    "gzip;q=1.5",
    "gzip;q=0.1234",
    "gzip;q=1.001",
    "gzip;q=-1",
    "gzip;q=+1",
    "gzip;q=.5",
    "gzip;q=1e0",
    "gzip;q=",
    "gzip;q",
    "gzip;q= 1",
    "gzip;q =1",
    "gzip;q=٠",
    'gzip;q="1"',
    "gzip; q=0,5;",
    "\u00a0gzip",
    "gzip\u00a0",
    "gzip/x",
    '"gzip"',
    "(gzip)",
    ";q=1",
    "gzip=1",
  ]) {
    const values = parseAcceptEncoding(`br;q=0.5, ${broken}`);
    assert.deepEqual(values[0], { value: "br", parameters: [], quality: 0.5 }, broken);
    assert.ok(
      values.slice(1).every(({ value, quality }) => value === "gzip" || quality === 1),
      broken,
    );
    assert.ok(!values.some(({ quality }) => Number.isNaN(quality) || quality > 1), broken);
    if (broken !== "gzip; q=0,5;") assert.equal(values.length, 1, broken);
  }
  assert.deepEqual(plain(parseAcceptEncoding(",, gzip ,\t;, br;;q=0. ,")), ["gzip 1", "br 0"]);
  assert.deepEqual(parseAcceptEncoding(""), []);
});

test("parseAccept: a range with a star for its type has one for its subtype", () => {
  assert.deepEqual(plain(parseAccept("*/html, html, text/, /html, */*")), ["*/* 1"]);
});

test("parseAcceptLanguage: ranges of RFC 4647", () => {
  assert.deepEqual(plain(parseAcceptLanguage("de-AT, en;q=0.8, *;q=0.1, x_y, toolonglanguage")), [
    "de-at 1",
    "en 0.8",
    "* 0.1",
  ]);
});

test("parseAcceptEncoding: looks at 64 members, and takes linear time for any input", () => {
  assert.equal(parseAcceptEncoding("a,".repeat(1000)).length, 64);
  const start = performance.now();
  for (const evil of [
    '"'.repeat(200_000),
    "\\".repeat(200_000),
    `a;x="${"\\a".repeat(100_000)}`,
    `a${" ".repeat(200_000)}b`,
    ";".repeat(200_000),
    `a;${" ".repeat(200_000)}=`,
    ",".repeat(200_000),
  ]) {
    parseAccept(evil);
    parseAcceptEncoding(evil);
  }
  assert.ok(performance.now() - start < 5000, `${performance.now() - start} ms`);
});
