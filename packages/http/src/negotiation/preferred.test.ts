import assert from "node:assert/strict";
import { test } from "node:test";
import { preferredEncodings } from "./preferred-encodings.ts";
import { preferredLanguage } from "./preferred-language.ts";
import { preferredType } from "./preferred-type.ts";

test("preferredEncodings: by weight, then by the server's order; plain bytes unless they are refused", () => {
  const available = ["br", "zstd", "gzip"];
  for (const [field, best] of [
    [null, "identity"],
    ["", "identity"],
    ["gzip, deflate, br, zstd", "br,zstd,gzip,identity"],
    ["gzip;q=1.0, br;q=0.9", "gzip,br,identity"],
    ["gzip;q=0", "identity"],
    ["*", "br,zstd,gzip,identity"],
    ["*;q=0", ""],
    ["*;q=0, gzip", "gzip"],
    ["identity;q=0", ""],
    ["identity;q=0, gzip;q=0.001", "gzip"],
    ["*;q=0, identity;q=0.5", "identity"],
    ["identity, gzip;q=0.5", "identity,gzip"],
    ["identity;q=0.5, gzip;q=0.5", "gzip,identity"],
    ["gzip;q=0.5, *;q=0.8", "br,zstd,identity,gzip"],
    ["x-gzip", "gzip,identity"],
    ["GZip", "gzip,identity"],
    ["notgzip, gzipped, brotli", "identity"],
    ["gzip;q=0.5.1, br;q=2", "identity"],
  ] as const)
    assert.equal(preferredEncodings(field, available).join(), best, String(field));
  assert.deepEqual(preferredEncodings("gzip", []), ["identity"]);
});

test("preferredType: the most specific range counts, then the weight, then the server's order", () => {
  const available = ["application/json", "text/html", "text/html;level=1"] as const;
  for (const [field, best] of [
    [null, "application/json"],
    ["", "application/json"],
    ["*/*", "application/json"],
    ["text/*", "text/html"],
    ["text/html;q=0.5, application/json;q=0.4", "text/html"],
    ["text/*;q=0.3, text/html;level=1, */*;q=0.2", "text/html;level=1"],
    ["application/json;q=0, */*;q=0.1", "text/html"],
    ["application/*;q=0, text/html;q=0, text/html;level=1;q=0.1", "text/html;level=1"],
    ["image/png", undefined],
    ["text/htm", undefined],
    ["malformed", "application/json"],
  ] as const)
    assert.equal(preferredType(field, available), best, String(field));
});

test("preferredLanguage: ranges fit what they begin; else a tag is given to who wants something narrower", () => {
  const available = ["en", "de", "pt-BR"] as const;
  for (const [field, best] of [
    [null, "en"],
    ["de", "de"],
    ["DE;q=0.1, fr", "de"],
    ["pt", "pt-BR"],
    ["de-AT", "de"],
    ["de-AT, en;q=0.5", "de"],
    ["*;q=0.1, de-AT;q=0.5, en;q=0.2", "de"],
    ["de-AT;q=0, *;q=0.1", "en"],
    ["de;q=0, de-AT", undefined],
    ["pt;q=0.9, pt-BR;q=0.1, en;q=0.5", "en"],
    ["*;q=0.1, pt-BR;q=0.2", "pt-BR"],
    ["*, en;q=0", "de"],
    ["fr", undefined],
    ["d, e, enx", undefined],
  ] as const)
    assert.equal(preferredLanguage(field, available), best, String(field));
});
