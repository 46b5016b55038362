/** Messages that were tampered with. */
import fc from "fast-check";
import { type CorpusCase, REQUEST_CASES, RESPONSE_CASES } from "./corpus.test.kit.ts";

/** What smuggling is made of. */
const PIECES: readonly string[] = [
  "\r\n",
  "\n",
  "\r",
  "\r\n\r\n",
  "\n\n",
  " ",
  "\t",
  "\0",
  ":",
  ",",
  ";",
  "0",
  "5",
  "\x0b",
  "\x7f",
  "\x80",
  "\xff",
  "Host: b\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 0\r\n",
  "Content-Length : 5\r\n",
  "Content-Length: +5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: identity\r\n",
  "transfer-encoding:chunked\r\n",
  " chunked",
  "Transfer-Encoding:\x0bchunked\r\n",
  "chunked, ",
  "Connection: close\r\n",
  "Connection: upgrade\r\nUpgrade: x\r\n",
  "Expect: 100-continue\r\n",
  "X: y\r\n",
  " folded\r\n",
  "0\r\n\r\n",
  "5\r\nhello\r\n",
  "5;a=b\r\nhello\r\n",
  "ffffffff",
  "GET / HTTP/1.1\r\nHost: c\r\n\r\n",
  "HTTP/1.1 200 OK\r\n",
  "HTTP/1.0",
  "HTTP/2.0",
  "http://x/",
  "#",
  "\\",
  "%00",
  "/../",
];

type Mutation = (text: string) => string;

/** From 0 to 1. (`fc.double` gives mostly what is next to 0.) */
const place = fc.integer({ min: 0, max: 9999 }).map((number) => number / 10_000);
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.constantFrom(...PIECES)).map(([at, piece]) => (text: string) => {
    return insert(text, at, piece);
  }),
  fc.tuple(place, fc.integer({ min: 0, max: 255 })).map(([at, code]) => (text: string) => {
    const index = Math.floor(at * text.length);
    return text.slice(0, index) + String.fromCharCode(code) + text.slice(index + 1);
  }),
  fc.tuple(place, fc.integer({ min: 1, max: 12 })).map(([at, length]) => (text: string) => {
    const index = Math.floor(at * text.length);
    return text.slice(0, index) + text.slice(index + length);
  }),
  fc
    .tuple(place, place, fc.integer({ min: 1, max: 30 }))
    .map(([from, to, length]) => (text: string) => {
      const index = Math.floor(from * text.length);
      return insert(text, to, text.slice(index, index + length));
    }),
  place.map((at) => (text: string) => {
    const lines = text.split("\r\n");
    const index = Math.floor(at * lines.length);
    return [...lines.slice(0, index + 1), lines[index], ...lines.slice(index + 1)].join("\r\n");
  }),
);

function insert(text: string, at: number, piece: string): string {
  const index = Math.floor(at * (text.length + 1));
  return text.slice(0, index) + piece + text.slice(index);
}

/** Longer ones only cost time here. */
const BASE_CHARACTERS_MAX = 1000;

/** Messages to begin with: mostly good ones, since from two bad ones little can be learned. */
function basesOf(cases: readonly CorpusCase[]): fc.Arbitrary<string> {
  const usable = cases.filter((one) => one.input.length < BASE_CHARACTERS_MAX && !isLimited(one));
  const isGood = (one: CorpusCase): boolean => one.expected.at(-1) === "end";
  const good = usable.filter(isGood).map((one) => one.input);
  const bad = usable.filter((one) => !isGood(one)).map((one) => one.input);
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...bad) },
  );
}

function isLimited({ limits = {} }: CorpusCase): boolean {
  return Object.keys(limits).length > 0;
}

/** One or two messages of the corpus, changed in some places: text of ISO 8859-1. */
export function mutated(role: "request" | "response"): fc.Arbitrary<string> {
  const base = basesOf(role === "request" ? REQUEST_CASES : RESPONSE_CASES);
  return fc
    .tuple(
      fc.array(base, { minLength: 1, maxLength: 2 }),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
    )
    .map(([texts, changes]) => changes.reduce((text, change) => change(text), texts.join("")));
}
