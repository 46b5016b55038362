import assert from "node:assert/strict";
import { test } from "node:test";
import { fileNameOf, fileNamesOf } from "./file-name.ts";

for (const [url, name] of [
  ["https://h/a/b.zip", "b.zip"],
  ["https://h/a/b.zip?x=/c#d", "b.zip"],
  ["https://h/a/b/", "b"],
  ["https://h/", "download"],
  ["https://h", "download"],
  ["https://h/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "passwd"],
  ["https://h/..%2f", "download"],
  ["https://h/%2E%2E", "download"],
  ["https://h/.bashrc", "_bashrc"],
  ["https://h/a%00b%0ac", "abc"],
  ["https://h/a%5cb", "b"],
  ["https://h/%E2%80%AEgpj.exe", "gpj.exe"],
  ["https://h/%zz", "%zz"],
  ["https://h/gr%C3%BC%C3%9Fe.txt", "grüße.txt"],
  ["https://h/a.%20.", "a"],
  ["https://h/C:", "C_"],
] as const) {
  test(`fileNameOf: ${url}`, () => {
    assert.equal(fileNameOf(new URL(url)), name);
  });
}

test("fileNamesOf: names that clash get numbers, in order", () => {
  const names = [
    "https://a/x.tar.gz",
    "https://b/X.tar.gz",
    "https://c/x-2.tar.gz",
    "https://d/",
    "https://e/",
  ];
  assert.deepEqual(fileNamesOf(names.map((url) => new URL(url))), [
    "x.tar.gz",
    "X-2.tar.gz",
    "x-2-2.tar.gz",
    "download",
    "download-2",
  ]);
});

test("fileNamesOf: the name of another's part is taken", () => {
  for (const [paths, names] of [
    [
      ["x", "x.part", "x.part.json"],
      ["x", "x-2.part", "x-2.part.json"],
    ],
    [
      ["x.PART", "X"],
      ["x.PART", "X-2"],
    ],
    [
      ["\u00e9", "e\u0301"],
      ["\u00e9", "e\u0301-2"],
    ],
  ] as const)
    assert.deepEqual(fileNamesOf(paths.map((path) => new URL(`https://h/${path}`))), names);
});

test("fileNamesOf: a thousand of one name, at once", () => {
  const names = fileNamesOf(Array.from({ length: 1000 }, () => new URL("https://h/x")));
  assert.equal(new Set(names).size, 1000);
  assert.equal(names.at(-1), "x-1000");
});
