/** Patterns against text: what each sign means, what is refused, how long it takes, and two oracles. */
import assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { testIf } from "../testing/test-if.test.kit.ts";
import { PurePath } from "./pure-path.ts";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# glob: seed ${printedSeed}`);

const matches = (text: string, pattern: string): boolean => new PurePath(text).matches(pattern);

const CASES: readonly (readonly [pattern: string, yes: string, no: string])[] = [
  ["a", "a", "b|A|ab||a/a|/a"],
  ["*", "a|.a|ä|*", "a/b|/|/a|."],
  ["a*", "a|ab|a*", "ba|a/b"],
  ["*a*b*", "ab|xaxbx|aabb", "ba|a|b"],
  ["*.tar.gz", "a.tar.gz|.tar.gz|.tar.gz.tar.gz", "a.tar|a.tar.gz.x"],
  ["?", "a|😀|é|\n", "ab||/"],
  ["a?c", "abc|a.c", "ac|abbc|a/c"],
  ["[abc]", "a|b|c", "d|[abc]|ab"],
  ["[a-c]x", "ax|cx", "dx|-x|x"],
  ["[!a-c]", "d|😀|!", "a|b|ab"],
  ["[^a]", "b|^", "a"],
  ["[]]", "]", "[]]|a"],
  ["[!]]", "a", "]"],
  ["[a-]", "a|-", "b"],
  ["[-a]", "-|a", "b"],
  ["[a\\]]", "a|]", "\\|a]"],
  ["[\\[-\\]]", "[|]|\\", "a"],
  ["[😀-😃]", "😁", "😄|\ud83d".slice(0, 2)],
  ["[*?]", "*|?", "a"],
  ["\\*\\?\\[\\{\\\\", "*?[{\\", "\\*\\?|a"],
  ["{a,b}", "a|b", "c|{a,b}|a,b|ab"],
  ["{a,b}{c,d}", "ac|bd", "ab|cd|a"],
  ["{a,}b", "ab|b", "a|aab"],
  ["x{a,{b,c}d}y", "xay|xbdy|xcdy", "xby|xady"],
  ["{a}", "a", "{a}"],
  ["{a/b,c}", "a/b|c", "a|b|a/c"],
  ["{a,b/**}", "a|b/c|b/c/d", "b|a/c"],
  ["a,b", "a,b", "a|b"],
  ["{a\\,b,c}", "a,b|c", "a|b"],
  ["{1..3}", "1..3", "1|2"],
  ["]", "]", "["],
  ["**", "a|a/b|.a/.b|/|/a/b", "."],
  ["a/**", "a/b|a/b/c|a/..", "a|b/c|/a/b"],
  ["**/a", "a|b/a|b/c/a|/a|/b/a", "ab|a/b|b"],
  ["a/**/b", "a/b|a/x/b|a/x/y/b|a/b/b", "ab|a|b|a/bb"],
  ["**/**/a", "a|b/a|c/b/a", "b"],
  ["a/**/**", "a/b|a/b/c", "a"],
  ["a/**/b/**/c", "a/b/c|a/b/b/c/c|a/x/b/y/z/c", "a/c/b|a/b|a/c"],
  ["a**b", "ab|axb|a**b", "a/b"],
  ["***", "a", "a/b"],
  ["/", "/", ".|a|/a"],
  ["/*", "/a", "a|/|/a/b"],
  ["/**", "/a|/a/b", "/|a"],
  ["/**/a", "/a|/b/a", "a"],
  ["a/*/c", "a/b/c|a/../c", "a/c|a/b/b/c"],
  ["..a", "..a", ".."],
  ["-*", "-rf", "rf"],
];

test("PurePath.matches: what each sign means", () => {
  for (const [pattern, yes, no] of CASES) {
    for (const text of yes.split("|"))
      assert.ok(matches(text, pattern), `${pattern} matches ${text}`);
    for (const text of no.split("|"))
      assert.ok(!matches(text, pattern), `${pattern} does not match ${JSON.stringify(text)}`);
  }
  assert.ok(matches("a//b/./c/", "a/*/c"), "the path, not how it was written");
});

test("PurePath.matches: what is no pattern is refused, with the reason", () => {
  for (const [pattern, why] of [
    ["", /needs 1 to 4096 characters/],
    ["a".repeat(4097), /needs 1 to 4096 characters/],
    ["a//b", /needs a name on each side of a slash/],
    ["a/", /needs a name on each side/],
    ["{a,}/b/", /needs a name on each side/],
    ["a{b,/}", /needs a name on each side/],
    ["./a", /"\." is none/],
    ["a/../b", /"\.\." is none/],
    ["a/{b,..}", /"\.\." is none/],
    ["[a", /needs a "\]" for each "\["; the character itself is written "\\\["/],
    ["[]", /needs a "\]"/],
    ["[!", /needs a "\]"/],
    ["[a-", /needs a "\]"/],
    ["[z-a]", /"z-a" goes down/],
    ["[a/b]", /"\/" cannot be a part/],
    ["[[:alpha:]]", /no classes with names/],
    ["a\\", /behind the last/],
    ["a\\/b", /"\/" cannot be a part/],
    ["{a", /needs a "}" for each "{"/],
    ["{a,{b}", /needs a "}"/],
    ["a}", /needs a "{" for each "}"/],
    ["{0,1,2,3,4,5,6,7,8,9}".repeat(4), /more than 1000 patterns/],
  ] as const) {
    assert.throws(() => matches("a", pattern), { name: "RangeError", message: why }, pattern);
  }
  for (const wrong of [undefined, null, /a/, 1])
    assert.throws(
      () => matches("a", wrong as never),
      /TypeError: Path.matches: got .*needs a pattern/,
    );
});

test("PurePath.matches: no pattern takes more than its length times that of the path", () => {
  // Each takes a backtracking matcher longer than the universe has existed.
  const started = process.cpuUsage().user;
  const long = "a".repeat(4000);
  assert.ok(!matches(long, "*a".repeat(1000) + "b"));
  assert.ok(!matches(`${"a/".repeat(1000)}a`, `${"**/a/".repeat(500)}b`));
  assert.ok(!matches(`${"aa/".repeat(1000)}a`, `${"**/*a*a*/".repeat(300)}b`));
  assert.ok(matches(`${"a/".repeat(1000)}b`, `${"**/".repeat(1000)}b`));
  assert.ok(!matches(long, "{*,a*}{*,a*}{*,a*}{*,a*}{*,a*}{*,a*}{*,a*}b"));
  assert.throws(() => matches("a", "{".repeat(4000)), RangeError);
  assert.ok(matches("a", `${"{".repeat(2000)}a${"}".repeat(2000)}`));
  const spent = (process.cpuUsage().user - started) / 1000;
  assert.ok(spent < 20_000, `${spent} ms of computing`);
});

const name = fc.stringMatching(/^[ab]{1,3}$/);
const paths = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
const piece = fc.constantFrom("a", "b", "*", "?", "[ab]", "[!a]", "{a,bb}", "{,a}b", "a*");
const segment = fc.oneof(
  { weight: 1, arbitrary: fc.constant("**") },
  {
    weight: 3,
    arbitrary: fc.array(piece, { minLength: 1, maxLength: 3 }).map((all) => all.join("")),
  },
);
const patterns = fc.array(segment, { minLength: 1, maxLength: 4 }).map((all) => all.join("/"));

/** A regular expression that says the same, for patterns of `patterns`. */
function toRegExp(pattern: string): RegExp {
  const segments = pattern.split("/");
  const source = segments.map((one, index) => {
    const isLast = index === segments.length - 1;
    if (one === "**") return isLast ? "[^/]+(/[^/]+)*" : "([^/]+/)*";
    const translated = one
      .replaceAll("[!a]", "[^a/]")
      .replaceAll("{a,bb}", "(a|bb)")
      .replaceAll("{,a}", "a?#")
      .replaceAll(/(?<!a)\?/g, "[^/]")
      .replaceAll("a?#", "(a|)")
      .replaceAll("a?", "a[^/]")
      .replaceAll("*", "[^/]*");
    return isLast ? translated : `${translated}/`;
  });
  return new RegExp(`^${source.join("")}$`);
}

test("PurePath.matches: with regular expressions as the oracle", () => {
  let matched = 0;
  fc.assert(
    fc.property(patterns, paths, (pattern, text) => {
      assert.equal(matches(text, pattern), toRegExp(pattern).test(text), `${pattern} ${text}`);
      if (matches(text, pattern)) matched += 1;
    }),
    { seed: printedSeed, numRuns: 3000 },
  );
  assert.ok(matched > 100, `${matched} of 3000 matched`);
});

const isNodes = !("Bun" in globalThis);

// Node keeps names that begin with a dot from `*`; there are none here.
testIf(isNodes, "Bun has a matchesGlob of its own, with which [!a] matches a slash")(
  "PurePath.matches: with node:path's matchesGlob as the oracle",
  async () => {
    fc.assert(
      fc.property(patterns, paths, (pattern, text) => {
        assert.equal(matches(text, pattern), path.posix.matchesGlob(text, pattern), pattern);
      }),
      { seed: printedSeed, numRuns: 1000 },
    );
  },
);
