import assert from "node:assert/strict";
import { test } from "node:test";
import { readPrice } from "./price.ts";

test("readPrice: a number, or an object with a price", () => {
  assert.deepEqual(readPrice(" 72.5\n"), { amount: 72.5, currency: "" });
  assert.deepEqual(readPrice('{"price": 3, "currency": "EUR"}'), { amount: 3, currency: "EUR" });
  assert.deepEqual(readPrice('{"symbol": "X", "price": "0.0710"}'), {
    amount: 0.071,
    currency: "",
  });
});

test("readPrice: anything else is unusable, and says why", () => {
  assert.equal(readPrice(""), "not JSON: an empty body");
  assert.equal(readPrice("<h1>Hello</h1>"), "not JSON: <h1>Hello</h1>");
  assert.match(String(readPrice("[1]")), /no "price" in \[1\]/);
  assert.match(String(readPrice("null")), /no "price"/);
  assert.match(String(readPrice('{"price": null}')), /"price" is no number/);
  assert.match(String(readPrice('{"price": 1e999}')), /"price" is no number/);
  assert.match(
    String(readPrice('{"price": 1, "currency": "\\u001b[31m"}')),
    /"currency" is no currency/,
  );
});

test("readPrice: what it shows of a body is short and has no control characters", () => {
  const why = String(readPrice(`\u001B[2J\u202E${"x".repeat(1000)}`));
  assert.match(why, /^not JSON: [ -~]+…$/);
  assert.ok(why.length < 60);
});
