import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Link, parseLinks } from "./link-field.ts";
import { quoted } from "./quoted.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# link-field: seed ${seed}`);

/** A link on one line. */
const plain = ({ target, relations, anchor, title, parameters }: Link): string =>
  [
    `${target} (${relations.join(" ")})`,
    ...(anchor === null ? [] : [`anchor <${anchor}>`]),
    ...(title === null ? [] : [`title <${title}>`]),
    ...parameters
      .filter(([name]) => !["rel", "anchor", "title", "title*"].includes(name))
      .map(([name, value]) => `${name}=<${value}>`),
  ].join(" ");

const table: readonly (readonly [field: string, links: readonly string[]])[] = [
  // RFC 8288 §3.5.
  [
    '<http://example.com/TheBook/chapter2>; rel="previous"; title="previous chapter"',
    ["http://example.com/TheBook/chapter2 (previous) title <previous chapter>"],
  ],
  ['</>; rel="http://example.net/foo"', ["/ (http://example.net/foo)"]],
  ['</terms>; rel="copyright"; anchor="#foo"', ["/terms (copyright) anchor <#foo>"]],
  [
    "</TheBook/chapter2>; rel=\"previous\"; title*=UTF-8'de'letztes%20Kapitel, </TheBook/chapter4>; rel=\"next\"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel",
    [
      "/TheBook/chapter2 (previous) title <letztes Kapitel>",
      "/TheBook/chapter4 (next) title <nächstes Kapitel>",
    ],
  ],
  [
    '<http://example.org/>; rel="start http://example.net/relation/other"',
    ["http://example.org/ (start http://example.net/relation/other)"],
  ],
  [
    '<https://example.org/>; rel="start", <https://example.org/index>; rel="index"',
    ["https://example.org/ (start)", "https://example.org/index (index)"],
  ],
  // Commas and semicolons within targets and quotes.
  ['<a,b;c>; rel="x,y;z" , <d>;rel=e', ["a,b;c (x,y;z)", "d (e)"]],
  // The first of two counts; names and relations without regard to case.
  ['<a>; REL=Next; rel=prev; title="1"; title="2"', ["a (next) title <1>"]],
  ["<a>; title=plain; title*=UTF-8''%zz", ["a () title <plain>"]],
  ["<a>; title=plain; title*=UTF-8''better", ["a () title <better>"]],
  // As preloading and interfaces have it.
  [
    "</style.css>; rel=preload; as=style; nopush; type=text/css; crossorigin",
    ["/style.css (preload) as=<style> nopush=<> type=<text/css> crossorigin=<>"],
  ],
  ["<a>; hreflang=de; hreflang=en", ["a () hreflang=<de> hreflang=<en>"]],
  // White space and empty members.
  ["", []],
  [" , ,<a> ; ; rel = next ;, ,", ["a (next)"]],
  ["<>", [" ()"]],
  ["<a>,<b>", ["a ()", "b ()"]],
  // Where the grammar breaks, what is whole before it counts.
  ["a; rel=next", []],
  ["<a", []],
  ["<a>; rel=next, b", ["a (next)"]],
  ["<a>; rel=next, <b> rel=x", ["a (next)"]],
  ['<a>; rel=next, <b>; rel="x', ["a (next)"]],
  ['<a>; rel=next, <b>; rel="x"y, <c>', ["a (next)"]],
  ["<a>; rel=next, <b>; rel=, <c>", ["a (next)"]],
  ["<a>; rel=next, <b>; =x, <c>", ["a (next)"]],
];

test("parseLinks: targets, relations and parameters, to the letter of the grammar", () => {
  for (const [field, expected] of table) {
    assert.deepEqual(parseLinks(field).map(plain), expected, field);
  }
});

test("parseLinks: several fields; one that is broken takes nothing from the next", () => {
  assert.deepEqual(parseLinks(["<a>", '<b>; rel="', "<c>; rel=next"]).map(plain), [
    "a ()",
    "c (next)",
  ]);
});

test("parseLinks: what is written is read as it was meant", () => {
  const name = fc.stringMatching(/^[a-z0-9!#$%&'+.^_`|~-]{1,8}$/).map((text) => `x-${text}`);
  const text = fc.stringMatching(/^[\t !-~\x80-\xff]{0,20}$/);
  const target = fc.stringMatching(/^[!-=?-~]{0,20}$/);
  const links = fc.array(fc.tuple(target, fc.array(fc.tuple(name, text), { maxLength: 5 })), {
    maxLength: 5,
  });
  const property = fc.property(links, fc.boolean(), (list, joined) => {
    const fields = list.map(([to, pairs]) =>
      [`<${to}>`, ...pairs.map(([key, value]) => `${key}=${quoted(value)}`)].join("; "),
    );
    const read = parseLinks(joined ? fields.join(", ") : fields);
    assert.deepEqual(
      read.map(({ target: to, parameters }) => [to, parameters]),
      list,
    );
  });
  fc.assert(property, { seed, numRuns: 300 });
});

test("parseLinks: how many are read is limited, and hostile fields take linear time", () => {
  assert.equal(parseLinks("<a>,".repeat(1000)).length, 256);
  assert.equal(parseLinks(`<a>${";b".repeat(32)}`)[0]?.parameters.length, 32);
  assert.deepEqual(parseLinks(`<a>${";b".repeat(33)}`), []);
  const LENGTH = 200_000;
  const start = performance.now();
  for (const piece of ["<", ">", "<>", ";", "; ", "\\", '"', '\\"', " ", ",", "<,", "a=", "="]) {
    const text = piece.repeat(LENGTH / piece.length);
    parseLinks([text, `<a>${text}`, `<a>;b="${text}`, `<a>;b=${text}`, `<a>;b${text}\0`]);
  }
  // Linear time is well below a second.
  assert.ok(performance.now() - start < 20_000);
});
