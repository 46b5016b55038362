/** What attackers send, by advisory and class, where it needs more than a message of the corpus: cost, memory, what errors tell. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, requestEvents, responseEvents } from "./corpus.test.kit.ts";
import { InputBuffer } from "./input-buffer.ts";
import { ProtocolError } from "./protocol-error.ts";
import { RequestParser } from "./request-parser.ts";
import { ResponseParser } from "./response-parser.ts";

const CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/** CPU time of something, in ms: it does not depend on what else the machine does. */
function cpuMs(body: () => void): number {
  const before = process.cpuUsage();
  body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** What something costs more if its input is `times` as large. The least of some tries, after one to warm up. */
function growth(times: number, body: (scale: number) => void): number {
  body(1);
  const tries = [0, 1, 2].map(
    () =>
      cpuMs(() => body(times)) /
      Math.max(
        1,
        cpuMs(() => body(1)),
      ),
  );
  return Math.min(...tries);
}

/** What grows with the square grows with the square of this: the most that is allowed lies between. */
const TIMES = 16;
const GROWTH_MAX = 2 * TIMES;

function pushSingly(parser: RequestParser, text: string): void {
  const bytes = bytesOf(text);
  for (let at = 0; at < bytes.length; at++) {
    parser.push(bytes.subarray(at, at + 1));
    if (parser.bodyDone) parser.readHead();
    else parser.readBody(100);
  }
}

test("cost: a head that comes byte by byte costs in proportion to its length", () => {
  const heads = growth(TIMES, (scale) => {
    const parser = new RequestParser({ headBytesMax: Infinity, fieldsMax: Infinity });
    pushSingly(
      parser,
      `GET / HTTP/1.1\r\nHost: a\r\n${`X: ${"a".repeat(4000)}\r\n`.repeat(2 * scale)}\r\n`,
    );
  });
  assert.ok(heads < GROWTH_MAX, `${heads} times`);
});

test("cost: one long line that comes byte by byte costs in proportion to its length", () => {
  const lines = growth(TIMES, (scale) => {
    const parser = new RequestParser({ headBytesMax: Infinity, fieldLineBytesMax: Infinity });
    pushSingly(parser, `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(16_000 * scale)}\r\n\r\n`);
  });
  assert.ok(lines < GROWTH_MAX, `${lines} times`);
});

test("cost: many tiny chunks cost in proportion to their number, and come in few pieces (CVE-2025-69229)", () => {
  let pieces = 0;
  const chunks = growth(TIMES, (scale) => {
    const parser = new RequestParser();
    parser.push(bytesOf(CHUNKED));
    parser.readHead();
    parser.push(bytesOf(`${"1\r\nx\r\n".repeat(20_000 * scale)}0\r\n\r\n`));
    pieces = 0;
    let bytes = 0;
    while (!parser.bodyDone) {
      bytes += parser.readBody(65_536)?.length ?? 0;
      pieces++;
    }
    assert.equal(bytes, 20_000 * scale);
  });
  assert.ok(chunks < GROWTH_MAX, `${chunks} times`);
  assert.ok(pieces < 20_000 / 500, `${pieces} pieces`);
});

test("cost: values of nothing but spaces, and extensions made to backtrack, are read in no time", () => {
  const spent = cpuMs(() => {
    const spaces = `a${" ".repeat(8000)}b`;
    requestEvents([bytesOf(`GET / HTTP/1.1\r\nHost: a\r\n${`X: ${spaces}\r\n`.repeat(7)}\r\n`)]);
    requestEvents([bytesOf(`GET / HTTP/1.1\r\nHost: ${"a,".repeat(4000)}:x\r\n\r\n`)]);
    requestEvents([bytesOf(`GET / HTTP/1.1\r\nHost: ${"1.".repeat(4000)}x.1\r\n\r\n`)]);
    requestEvents([
      bytesOf(`GET / HTTP/1.1\r\nHost: a\r\nContent-Length:${"\t ".repeat(4000)}x\r\n\r\n`),
    ]);
    requestEvents([
      bytesOf(`GET / HTTP/1.1\r\nHost: a\r\nConnection: ${",".repeat(8000)}\r\n\r\n`),
    ]);
    requestEvents([bytesOf(`${CHUNKED}1${';a="\\"'.repeat(600)}\r\n`)]);
    requestEvents([bytesOf(`${CHUNKED}1${";a=b".repeat(1000)}=\r\n`)]);
  });
  assert.ok(spent < 500, `${spent} ms`);
});

/** Pushes pieces until the parser refuses, and tells how much it took. */
function bytesUntilRefused(
  parser: RequestParser | ResponseParser,
  head: string,
  piece: string,
): number {
  parser.push(bytesOf(head));
  const bytes = bytesOf(piece);
  let taken = 0;
  try {
    while (taken < 1_000_000) {
      if (parser.bodyDone) parser.readHead();
      else parser.readBody(100);
      assert.ok(parser.bufferedBytes < 70_000);
      parser.push(bytes.slice());
      taken += bytes.length;
    }
  } catch (error) {
    assert.ok(error instanceof ProtocolError);
  }
  return taken;
}

test("memory: what has no end is refused within its limit, in segments too (CVE-2026-54277, CVE-2026-22815)", () => {
  const cases: readonly [string, string, number][] = [
    ["", "a", 8200],
    ["GET /", "a", 8200],
    ["GET / HTTP/1.1\r\nHost: a\r\nX: ", "a", 8200],
    ["GET / HTTP/1.1\r\nHost: a\r\n", "X: a\r\n", 6 * 129],
    ["GET / HTTP/1.1\r\nHost: a\r\n", `X: ${"a".repeat(5000)}\r\n`, 75_000],
    [CHUNKED, "0", 4200],
    [`${CHUNKED}1;`, "a", 4200],
    [CHUNKED, `1;${"a".repeat(100)}\r\nx\r\n`, 5000],
    [`${CHUNKED}0\r\n`, "a", 8300],
    [`${CHUNKED}0\r\n`, "X: a\r\n", 6 * 129],
    [`${CHUNKED}0\r\n`, `X: ${"a".repeat(1000)}\r\n`, 9100],
  ];
  for (const [head, piece, max] of cases) {
    const taken = bytesUntilRefused(new RequestParser(), head, piece);
    assert.ok(taken <= max, `${JSON.stringify(head.slice(-20) + piece.slice(0, 9))}: ${taken}`);
  }
  const reason = bytesUntilRefused(new ResponseParser(), "HTTP/1.1 200 ", "a");
  assert.ok(reason <= 8200, `reason: ${reason}`);
});

test("memory: a few bytes that are kept do not hold the memory they came in", () => {
  const slab = new Uint8Array(65_536);
  const input = new InputBuffer();
  input.push(slab.subarray(0, 10), 0);
  input.skip(3);
  input.settle();
  assert.notEqual(input.bytes.buffer, slab.buffer);
  assert.equal(input.length, 7);
  input.push(slab.subarray(0, 60_000), 0);
  input.skip(60_007);
  assert.equal(input.bytes.length, 0);
  input.push(slab, 0);
  input.settle();
  assert.equal(input.bytes.buffer, slab.buffer, "most of it is needed: no copy");
});

test("errors: bytes of a following request never are in the error for this one (aiohttp#13136)", () => {
  const secret = "SECRET";
  const follows = `GET /${secret} HTTP/1.1\r\nCookie: ${secret}\r\n\r\n`;
  const bad = [
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    `${CHUNKED}xyz\r\n`,
    `${CHUNKED}5;=\r\n`,
    `${CHUNKED}0\r\nHost: a\r\n\r\n`,
  ];
  for (const text of bad) {
    const parser = new RequestParser();
    parser.push(bytesOf(text + follows));
    assert.throws(
      () => {
        parser.readHead();
        while (!parser.bodyDone) parser.readBody(100);
      },
      (error) => error instanceof ProtocolError && !error.message.includes(secret),
      text,
    );
  }
});

test("errors: input is quoted in part, and escaped to printable ASCII", () => {
  const parser = new RequestParser();
  parser.push(
    bytesOf(`GET / HTTP/1.1\r\nHost: a\r\nContent-Length: \xe9"\\${"z".repeat(1000)}\r\n\r\n`),
  );
  assert.throws(
    () => parser.readHead(),
    (error: Error) =>
      /^[ -~…]{1,120}$/.test(error.message) &&
      error.message.includes('"\\u00e9\\"') &&
      error.message.includes("…"),
  );
});

test("pollution: fields named like members of objects are fields like others", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const lines = names.map((name) => `${name}: x\r\n`).join("");
  const parser = new RequestParser();
  parser.push(bytesOf(`__proto__ / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`));
  const head = parser.readHead();
  assert.equal(head?.method, "__proto__");
  assert.deepEqual(head.fields, ["Host", "a", ...names.flatMap((name) => [name, "x"])]);
});

test("desynchronisation: a response that nobody asked for is not taken for a part of one without a body", () => {
  const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
  const { lines } = responseEvents([
    bytesOf(`HTTP/1.1 304 Not Modified\r\nContent-Length: 41\r\n\r\n${evil}`),
  ]);
  assert.deepEqual(lines, [
    "304 Not Modified 1.1 body=0",
    "200 OK 1.1 body=4",
    'body "evil"',
    "end",
  ]);
});
