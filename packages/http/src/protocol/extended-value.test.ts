import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeExtendedValue, encodeExtendedValue } from "./extended-value.ts";
import { isToken } from "./characters.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# extended-value: seed ${seed}`);

test("decodeExtendedValue: the examples of RFC 8187, and what is none", () => {
  const table: readonly (readonly [string, string | null])[] = [
    ["iso-8859-1'en'%A3%20rates", "£ rates"],
    ["UTF-8''%c2%a3%20and%20%e2%82%ac%20rates", "£ and € rates"],
    ["utf-8'de-AT'plain", "plain"],
    ["UTF-8''", ""],
    ["UTF-8''a'b", "a'b"],
    ["UTF-8''%zz", null],
    ["UTF-8''%", null],
    ["UTF-8''%ff", null],
    ["iso-8859-1''%2", null],
    ["iso-8859-1''%", null],
    ["utf-16''a", null],
    ["UTF-8'a", null],
    ["plain", null],
    ["", null],
  ];
  for (const [text, expected] of table) assert.equal(decodeExtendedValue(text), expected, text);
});

test("encodeExtendedValue: what is written is a token, and read as it was", () => {
  const property = fc.property(fc.string({ unit: "binary" }), (text) => {
    const written = encodeExtendedValue(text);
    assert.equal(decodeExtendedValue(written), text);
    const [, , encoded = ""] = written.split("'");
    assert.ok(encoded === "" || isToken(encoded.replaceAll("%", "")), written);
    assert.equal(written.split("'").length, 3);
  });
  fc.assert(property, { seed, numRuns: 300 });
  assert.equal(encodeExtendedValue("Jäsøn Doe"), "UTF-8''J%C3%A4s%C3%B8n%20Doe");
  assert.throws(() => encodeExtendedValue("\ud800"), TypeError);
});
