import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "./options.ts";
import { parseSources, readSources } from "./source-list.ts";

test("parseSources: a URL per line, an optional name before it, comments", () => {
  const text = [
    "\uFEFF# prices",
    "https://example.com/price?of=gold",
    "  Silver spot   http://example.com:8080/silver/ # slow\r",
    "",
    "tin https://example.com/#tin",
  ].join("\n");
  assert.deepEqual(parseSources(text, "f"), [
    { name: "example.com/price", url: "https://example.com/price?of=gold" },
    { name: "Silver spot", url: "http://example.com:8080/silver/" },
    { name: "tin", url: "https://example.com/#tin" },
  ]);
});

test("parseSources: an unusable URL is an error that says where", () => {
  const says = (text: string, pattern: RegExp): void =>
    assert.throws(
      () => parseSources(text, "list.txt"),
      (error) => error instanceof UsageError && pattern.test(error.message),
    );
  says("http://ok.example\nexample.com/price", /^list\.txt:2: not a URL: "example\.com\/price"$/);
  says("ftp://example.com/x", /^list\.txt:1: not an http or https URL/);
  says("http://me:secret@example.com/", /^list\.txt:1: .*password/);
  says("# nothing\n\n", /^list\.txt: there is no URL in it$/);
  says("http://a.example\n".repeat(10_001), /at most 10000/);
});

test("parseSources: names cannot carry escape codes to the terminal", () => {
  const [source] = parseSources("\u001B[31mred http://example.com", "f");
  assert.equal(source?.name, "[31mred");
});

test("readSources: a missing file and a folder are usage errors", () => {
  assert.throws(() => readSources("/no/such/file"), /there is no such file/);
  assert.throws(() => readSources("/"), UsageError);
});
