/**
 * The corpus: each message means what it should, in one piece, cut at each byte, and byte by byte. All rules are in it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bytesOf,
  type CorpusCase,
  type Events,
  REQUEST_CASES,
  requestEvents,
  RESPONSE_CASES,
  responseEvents,
} from "./corpus.test.kit.ts";
import { RULES } from "./rules.ts";

/** Messages longer than this are cut only near their ends and at some places between: a cut at each byte costs the square of it. */
const CUT_EVERYWHERE_BYTES_MAX = 600;
const CUTS_OF_LONG = 64;

const parsers: readonly [
  string,
  readonly CorpusCase[],
  (c: CorpusCase, p: Uint8Array[]) => Events,
][] = [
  ["RequestParser", REQUEST_CASES, (one, pieces) => requestEvents(pieces, one)],
  ["ResponseParser", RESPONSE_CASES, (one, pieces) => responseEvents(pieces, one)],
];

for (const [name, cases, eventsOf] of parsers) {
  for (const one of cases) {
    test(`${name}: ${one.title}`, () => {
      const bytes = bytesOf(one.input);
      const whole = eventsOf(one, [bytes]);
      assert.deepEqual(whole.lines, one.expected);
      for (const at of cutsOf(bytes.length)) {
        const cut = eventsOf(one, [bytes.slice(0, at), bytes.slice(at)]);
        assert.deepEqual(cut, whole, `cut at ${at}`);
      }
      const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
      assert.deepEqual(eventsOf(one, single), whole, "byte by byte");
    });
  }
}

test("RULES: each is in the corpus, and titles are told apart", () => {
  const cases = [...REQUEST_CASES, ...RESPONSE_CASES];
  const seen = new Set(cases.map((one) => /^refused (\S+)/.exec(one.expected.at(-1) ?? "")?.[1]));
  assert.deepEqual(
    Object.keys(RULES).filter((rule) => !seen.has(rule)),
    [],
  );
  for (const [name, list] of parsers) {
    const titles = list.map((one) => one.title);
    assert.equal(new Set(titles).size, titles.length, name);
  }
});

function cutsOf(length: number): number[] {
  const all = Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1);
  if (length <= CUT_EVERYWHERE_BYTES_MAX) return all;
  const step = Math.ceil(length / CUTS_OF_LONG);
  return all.filter((at) => at < CUTS_OF_LONG || at > length - CUTS_OF_LONG || at % step === 0);
}
