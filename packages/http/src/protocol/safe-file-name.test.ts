import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { safeFileName } from "./safe-file-name.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# safe-file-name: seed ${seed}`);

const byteLength = (text: string): number => new TextEncoder().encode(text).length;

test("safeFileName: what is good stays, what is dangerous goes", () => {
  const table: readonly (readonly [string, string | null])[] = [
    ["report (final) – 2.tar.gz", "report (final) – 2.tar.gz"],
    ["日本語.txt", "日本語.txt"],
    ["-rf", "-rf"],
    ["/etc/passwd", "passwd"],
    ["../../x", "x"],
    ["a\\..\\b/c", "c"],
    ["a/b\\c", "c"],
    ["C:\\Windows\\win.ini", "win.ini"],
    ["\\\\host\\share", "share"],
    ["C:x", "C_x"],
    ["file.txt:stream", "file.txt_stream"],
    ['a<b>c"d|e?f*', "a_b_c_d_e_f_"],
    ["a\0b\r\nc\x7f\u009f", "abc"],
    ["photo\u202egpj.exe", "photogpj.exe"],
    ["a\u2028b\u2066c", "abc"],
    [".bashrc", "_bashrc"],
    ["...x", "_..x"],
    [" . a", "_ a"],
    ["  a  ", "a"],
    ["a. . .", "a"],
    ["con", "_con"],
    ["CON.txt", "_CON.txt"],
    ["com1 .log", "_com1 .log"],
    ["LPT\u00b9", "_LPT\u00b9"],
    ["conin$", "_conin$"],
    ["console", "console"],
    ["com10", "com10"],
    ["\ud800.txt", "\ufffd.txt"],
    ["", null],
    [".", null],
    ["..", null],
    ["...", null],
    [" . ", null],
    ["a/", null],
    ["\0", null],
    ["/", null],
  ];
  for (const [name, expected] of table) {
    assert.equal(safeFileName(name), expected, JSON.stringify(name));
  }
});

test("safeFileName: a name that is too long is cut between characters, and keeps its extension", () => {
  assert.equal(safeFileName("a".repeat(240)), "a".repeat(240));
  assert.equal(safeFileName("a".repeat(241)), "a".repeat(240));
  assert.equal(safeFileName(`${"a".repeat(300)}.tar`), `${"a".repeat(236)}.tar`);
  assert.equal(safeFileName(`${"€".repeat(100)}.txt`), `${"€".repeat(78)}.txt`);
  assert.equal(safeFileName(`a.${"b".repeat(300)}`), `a.${"b".repeat(238)}`);
  assert.equal(safeFileName(`con${" ".repeat(300)}x.txt`), "_con.txt");
});

test("safeFileName: whatever the name, the result is one file in our folder, and good itself", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "/",
      "\\",
      ".",
      "..",
      " ",
      "con",
      "aux",
      "com1",
      ":",
      "*",
      "\0",
      "\n",
      "\u202e",
      "€",
      "a".repeat(99),
    ),
    fc.string({ unit: "binary", maxLength: 5 }),
  );
  const name = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  const property = fc.property(name, (text) => {
    const safe = safeFileName(text);
    if (safe === null) return;
    assert.equal(safeFileName(safe), safe);
    assert.doesNotMatch(safe, /[/\\\p{Cc}<>:"|?*\u202e]/u);
    assert.doesNotMatch(safe, /^[.\s]|[.\s]$/u);
    assert.ok(byteLength(safe) <= 240 && safe.isWellFormed());
  });
  fc.assert(property, { seed, numRuns: 1000 });
});

test("safeFileName: hostile names take linear time", () => {
  const LENGTH = 200_000;
  const start = performance.now();
  for (const piece of [".", " ", ". ", "/", "a.", "€", "_"]) {
    const text = piece.repeat(LENGTH / piece.length);
    for (const name of [text, `${text}a`, `a${text}`, `a${text}a`]) safeFileName(name);
  }
  // Linear time is well below a second.
  assert.ok(performance.now() - start < 20_000);
});
