import assert from "node:assert/strict";
import { test } from "node:test";
import { Known, knownField } from "./known-fields.ts";

test("knownField: each field that matters is found, in any case of its letters", () => {
  const fields = Object.entries(Known).filter(([, known]) => known !== Known.none);
  assert.ok(fields.length > 20);
  for (const [key, known] of fields) {
    const lowerCase = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const usual = lowerCase.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
    for (const name of [lowerCase, usual, lowerCase.toUpperCase()]) {
      assert.equal(knownField(name), known, name);
    }
  }
});

test("knownField: names that only resemble one are none", () => {
  for (const name of ["x-host", "hosts", "hos", "content_length", "content-lengtx", "kost", "x"]) {
    assert.equal(knownField(name), Known.none, name);
  }
  assert.equal(knownField(`host${"t".repeat(100)}`), Known.none);
});
