import assert from "node:assert/strict";
import { test } from "node:test";
import { parseContentDisposition } from "./content-disposition.ts";

test("parseContentDisposition: the type, and the name as RFC 6266 and servers have it", () => {
  const table: readonly (readonly [string, string, string | null])[] = [
    ["Attachment", "attachment", null],
    ["inline; filename=example.html", "inline", "example.html"],
    ['INLINE; FILENAME= "an example.html"', "inline", "an example.html"],
    ["attachment; filename*\t= UTF-8''%e2%82%ac%20rates", "attachment", "€ rates"],
    ["attachment; filename*=UTF-8''%e2%82%ac%20rates", "attachment", "€ rates"],
    [
      `attachment; filename="EURO rates"; filename*=utf-8''%e2%82%ac%20rates`,
      "attachment",
      "€ rates",
    ],
    [
      `attachment; filename*=utf-8''%e2%82%ac%20rates; filename="EURO rates"`,
      "attachment",
      "€ rates",
    ],
    [`attachment; filename*=iso-8859-1'en'%A3%20rates`, "attachment", "£ rates"],
    // A name that cannot be read is as good as none.
    [`attachment; filename="plain"; filename*=utf-8''%zz`, "attachment", "plain"],
    [`attachment; filename="plain"; filename*=koi8-r''%d0`, "attachment", "plain"],
    [`attachment; filename*=utf-8''%zz`, "attachment", null],
    // Never a path, in whatever dress.
    [`attachment; filename="../../etc/passwd"`, "attachment", "passwd"],
    [`attachment; filename="C:\\dir\\a.txt"`, "attachment", "a.txt"],
    [`attachment; filename*=UTF-8''..%2F..%5Cx%00.txt`, "attachment", "x.txt"],
    [`attachment; filename=".."`, "attachment", null],
    [`attachment; filename=""`, "attachment", null],
    // Quotes within, and percent signs that mean themselves.
    [`attachment; filename="a \\"b\\".txt"`, "attachment", "a _b_.txt"],
    [`attachment; filename="100%25.txt"`, "attachment", "100%25.txt"],
    // Bytes of UTF-8, and of ISO 8859-1.
    ['attachment; filename="na\xc3\xafve.txt"', "attachment", "naïve.txt"],
    ['attachment; filename="na\xefve.txt"', "attachment", "naïve.txt"],
    // The first of two counts.
    ["attachment; filename=a; filename=b", "attachment", "a"],
    // Other than the grammar.
    ["", "", null],
    ["; filename=a", "", null],
    ["filename=a", "", null],
    ['attachment; filename="a', "", null],
    ["attachment; filename=foo bar.html", "", null],
    ["attach ment", "", null],
  ];
  for (const [value, type, fileName] of table) {
    const disposition = parseContentDisposition(value);
    assert.equal(disposition?.type ?? "", type, value);
    assert.equal(disposition?.fileName ?? null, fileName, value);
  }
});

test("parseContentDisposition: the parameters as they were sent", () => {
  const disposition = parseContentDisposition('form-data; Name="a b"; filename="/x"; size=5');
  assert.deepEqual(
    disposition?.parameters,
    new Map([
      ["name", "a b"],
      ["filename", "/x"],
      ["size", "5"],
    ]),
  );
});
