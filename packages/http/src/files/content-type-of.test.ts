import assert from "node:assert/strict";
import { test } from "node:test";
import { contentTypeOf } from "./content-type-of.ts";

test("contentTypeOf: by the extension, texts as UTF-8, what is unknown as bytes", () => {
  for (const [name, type] of [
    ["index.html", "text/html; charset=utf-8"],
    ["a.b.CSS", "text/css; charset=utf-8"],
    ["app.js", "text/javascript; charset=utf-8"],
    ["app.mjs", "text/javascript; charset=utf-8"],
    ["data.json", "application/json"],
    ["picture.svg", "image/svg+xml"],
    ["photo.JPG", "image/jpeg"],
    ["font.woff2", "font/woff2"],
    ["module.wasm", "application/wasm"],
    ["html", "application/octet-stream"],
    ["README", "application/octet-stream"],
    ["a.", "application/octet-stream"],
    ["a. html", "application/octet-stream"],
    ["a.unknown", "application/octet-stream"],
    ["a.constructor", "application/octet-stream"],
    ["a.__proto__", "application/octet-stream"],
    ["a.toString", "application/octet-stream"],
  ] as const)
    assert.equal(contentTypeOf(name), type, name);
});
