/** How parsers are used: when they give what, when they refuse to be misused, and what they hold. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, textOf } from "./corpus.test.kit.ts";
import { ProtocolError } from "./protocol-error.ts";
import { RequestParser } from "./request-parser.ts";
import { ResponseParser } from "./response-parser.ts";

const HEAD = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";

function parserOf(text: string): RequestParser {
  const parser = new RequestParser();
  parser.push(bytesOf(text));
  return parser;
}

function ruleOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof ProtocolError);
    return error.rule;
  }
  return "none";
}

test("RequestParser: null while a head is not whole, then the head, then null", () => {
  const parser = parserOf(HEAD.slice(0, -1));
  assert.equal(parser.readHead(), null);
  parser.push(bytesOf("\n"));
  assert.equal(parser.readHead()?.target, "/a");
  assert.equal(parser.readHead(), null);
  parser.push(new Uint8Array(0));
  assert.equal(parser.readHead(), null);
});

test("RequestParser.readHead: all of a head's facts", () => {
  const parser = parserOf(
    "PUT /a?b HTTP/1.1\r\nHost: c:81\r\nX-Y:  z \r\nTransfer-Encoding: chunked\r\n" +
      "Expect: 100-continue\r\nConnection: close, upgrade\r\nUpgrade: h2c\r\nUpgrade: x/1\r\n\r\n",
  );
  assert.deepEqual(parser.readHead(), {
    version: "1.1",
    method: "PUT",
    target: "/a?b",
    authority: "c:81",
    fields: [
      ["Host", "c:81"],
      ["X-Y", "z"],
      ["Transfer-Encoding", "chunked"],
      ["Expect", "100-continue"],
      ["Connection", "close, upgrade"],
      ["Upgrade", "h2c"],
      ["Upgrade", "x/1"],
    ].flat(),
    framing: "chunked",
    keepAlive: false,
    expectsContinue: true,
    upgrade: "h2c, x/1",
  });
});

test("RequestParser.readHead: what was said of one request is forgotten for the next", () => {
  const parser = parserOf(
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, upgrade\r\nUpgrade: x\r\nContent-Length: 0\r\n\r\n" +
      "GET / HTTP/1.1\r\nHost: b\r\n\r\nGET / HTTP/1.1\r\n\r\n",
  );
  assert.equal(parser.readHead()?.upgrade, "x");
  const second = parser.readHead();
  assert.deepEqual([second?.upgrade, second?.keepAlive, second?.authority], ["", true, "b"]);
  assert.equal(
    ruleOf(() => parser.readHead()),
    "host-missing",
  );
});

test("RequestParser.readBody: pieces of at most maxBytes, done with the last one", () => {
  const parser = parserOf(`${POST}hello${HEAD}`);
  assert.equal(parser.bodyDone, true);
  assert.equal(parser.readHead()?.framing, 5);
  assert.equal(parser.bodyDone, false);
  assert.equal(textOf(parser.readBody(3) ?? bytesOf("")), "hel");
  assert.equal(parser.bodyDone, false);
  assert.equal(textOf(parser.readBody(100) ?? bytesOf("")), "lo");
  assert.equal(parser.bodyDone, true);
  assert.equal(parser.readBody(100), null);
  assert.equal(parser.readHead()?.target, "/a");
});

test("RequestParser.readBody: views of what was pushed, not copies; later input does not change them", () => {
  const parser = parserOf(POST);
  parser.readHead();
  const pushed = bytesOf("hel");
  parser.push(pushed);
  const piece = parser.readBody(100);
  assert.equal(piece?.buffer, pushed.buffer);
  parser.push(bytesOf("l"));
  parser.push(bytesOf("o"));
  const rest = parser.readBody(100);
  parser.push(bytesOf(HEAD));
  parser.readHead();
  assert.deepEqual(
    [piece, rest].map((one) => textOf(one ?? bytesOf(""))),
    ["hel", "lo"],
  );
});

test("RequestParser.readBody: what is wrong behind data comes after the data", () => {
  const parser = parserOf(
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\nx\r\n",
  );
  parser.readHead();
  assert.equal(textOf(parser.readBody(100) ?? bytesOf("")), "abc");
  assert.equal(
    ruleOf(() => parser.readBody(100)),
    "chunk-size",
  );
});

test("RequestParser.readBody: a large chunk behind small ones is not copied to them", () => {
  const large = "x".repeat(600);
  const parser = parserOf(
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n258\r\n${large}\r\n`,
  );
  parser.readHead();
  assert.deepEqual([parser.readBody(9999)?.length, parser.readBody(9999)?.length], [2, 600]);
});

test("RequestParser.trailers: empty for messages that have none, also after one that had some", () => {
  const parser = parserOf(
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n${HEAD}`,
  );
  assert.deepEqual(parser.trailers, []);
  parser.readHead();
  assert.equal(parser.readBody(100), null);
  assert.deepEqual([parser.bodyDone, parser.trailers], [true, ["X", "y"]]);
  parser.readHead();
  assert.deepEqual(parser.trailers, []);
});

test("RequestParser: a head before the body of the last one was read is a mistake, and is told", () => {
  const parser = parserOf(`${POST}hel`);
  parser.readHead();
  assert.throws(() => parser.readHead(), /readHead: the body of the message before was not read/);
  parser.push(bytesOf("lo"));
  parser.readBody(5);
  assert.equal(parser.readHead(), null);
});

test("RequestParser.readBody: after a ProtocolError each read throws it again", () => {
  const parser = parserOf(
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n1\r\na\r\n0\r\n\r\n",
  );
  parser.readHead();
  for (const _ of [1, 2, 3])
    assert.equal(
      ruleOf(() => parser.readBody(100)),
      "chunk-size",
    );
  assert.equal(parser.bodyDone, false);
});

test("RequestParser: after a ProtocolError each read throws it again, whatever comes", () => {
  const parser = parserOf("\x16\x03");
  const errors = [0, 1].map(() => {
    parser.push(bytesOf(HEAD));
    try {
      return parser.readHead();
    } catch (error) {
      return error;
    }
  });
  assert.ok(errors[0] instanceof ProtocolError);
  assert.equal(errors[0], errors[1]);
});

test("RequestParser.end: a clean end gives null, a cut message is refused", () => {
  const whole = parserOf(HEAD);
  whole.end();
  assert.equal(whole.readHead()?.target, "/a");
  assert.equal(whole.readHead(), null);
  assert.equal(whole.readHead(), null);
  const cut = parserOf(HEAD.slice(0, 5));
  assert.equal(cut.readHead(), null);
  cut.end();
  assert.equal(
    ruleOf(() => cut.readHead()),
    "message-cut",
  );
});

test("RequestParser.atMessageStart, bufferedBytes: nothing of a next message has come", () => {
  const parser = new RequestParser();
  const states: [boolean, number][] = [];
  const note = (): void => void states.push([parser.atMessageStart, parser.bufferedBytes]);
  note();
  parser.push(bytesOf("G"));
  note();
  parser.readHead();
  note();
  parser.push(bytesOf(`${POST.replace("POST", "ET")}he`));
  parser.readHead();
  note();
  parser.readBody(100);
  note();
  parser.push(bytesOf("llo"));
  parser.readBody(100);
  note();
  assert.deepEqual(states, [
    [true, 0],
    [false, 1],
    [false, 1],
    [false, 2],
    [false, 0],
    [true, 0],
  ]);
});

test("RequestParser.takeRest: what came behind the head, once; then the parser is finished", () => {
  const parser = parserOf("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03");
  parser.readHead();
  assert.equal(textOf(parser.takeRest()), "\x16\x03");
  assert.equal(parser.takeRest().length, 0);
  assert.equal(parser.bufferedBytes, 0);
  assert.throws(() => parser.readHead(), /finished by takeRest/);
});

test("RequestParser: garbage is refused before a line is whole", () => {
  const first: readonly [string, string][] = [
    ["\x16", "method"],
    ["PRI * HTTP/2.0", "version-unsupported"],
    ["GET / HTTQ", "version"],
    ["SSH-2.0-OpenSSH_9.9\r", "request-line"],
    ["GET /#", "target-fragment"],
    ['{"', "method"],
  ];
  for (const [text, rule] of first) {
    const parser = parserOf(text);
    assert.equal(
      ruleOf(() => parser.readHead()),
      rule,
      JSON.stringify(text),
    );
  }
});

test("RequestParser: limits that are none, pieces of nothing and input after the end are mistakes, and are told", () => {
  for (const limit of [-1, Number.NaN]) {
    assert.throws(() => new RequestParser({ fieldsMax: limit }), /^RangeError: fieldsMax: /);
  }
  const parser = parserOf(`${POST}h`);
  parser.readHead();
  for (const bytes of [0, -1, Number.NaN]) {
    assert.throws(() => parser.readBody(bytes), /^RangeError: readBody: /);
  }
  parser.end();
  assert.throws(() => parser.push(bytesOf("i")), /push: there is no input after end/);
});

test("RequestParser: a limit of Infinity is none", () => {
  const limits = {
    startLineBytesMax: Infinity,
    fieldLineBytesMax: Infinity,
    fieldsMax: Infinity,
    headBytesMax: Infinity,
    trailerBytesMax: Infinity,
    chunkExtensionBytesMax: Infinity,
  };
  const long = "a".repeat(70_000);
  const parser = new RequestParser(limits);
  const many = "X: y\r\n".repeat(1000);
  parser.push(
    bytesOf(
      `POST /${long} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: ${long}\r\n${many}\r\n` +
        `1;${long}\r\nx\r\n0\r\nX: ${long}\r\n${many}\r\n`,
    ),
  );
  assert.equal(parser.readHead()?.fields.length, 2 * 1003);
  assert.equal(parser.readBody(9)?.length, 1);
  assert.equal(parser.readBody(9), null);
  assert.equal(parser.trailers.length, 2 * 1001);
});

test("ResponseParser.expect: decides for each response whether there is a body", () => {
  const parser = new ResponseParser();
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  parser.push(bytesOf(`HTTP/1.1 100 Continue\r\n\r\n${head}${head}hi`));
  parser.expect("HEAD");
  assert.equal(parser.readHead()?.status, 100);
  assert.equal(parser.readHead()?.framing, 0);
  parser.expect("GET");
  assert.equal(parser.readHead()?.framing, 2);
  assert.equal(textOf(parser.readBody(9) ?? bytesOf("")), "hi");
});

test("ResponseParser: a body framed by the end is done when the end came, and no head follows", () => {
  const parser = new ResponseParser();
  parser.push(bytesOf("HTTP/1.1 200 OK\r\n\r\nhello"));
  assert.equal(parser.readHead()?.framing, "close");
  assert.equal(textOf(parser.readBody(100) ?? bytesOf("")), "hello");
  assert.equal(parser.readBody(100), null);
  assert.equal(parser.bodyDone, false);
  parser.end();
  assert.equal(parser.readBody(100), null);
  assert.equal(parser.bodyDone, true);
  assert.equal(parser.readHead(), null);
});

/** Text of so many bytes in which each place is another. */
function long(bytes: number): string {
  return Array.from({ length: bytes / 5 }, (_, index) => String(index).padStart(5, "0")).join("");
}

/** Large pieces stay as they are while a body waits for its reader; what follows it does not. */
test("bodies in large pieces that wait for their reader, and what follows them in the last one", () => {
  const body = long(40_000);
  const framings: readonly (readonly [string, string])[] = [
    [`Content-Length: ${body.length}\r\n\r\n`, body],
    ["Transfer-Encoding: chunked\r\n\r\n", `9c40\r\n${body}\r\n0\r\n\r\n`],
  ];
  for (const [fields, sent] of framings) {
    const text = `POST /1 HTTP/1.1\r\nHost: a\r\n${fields}${sent}`;
    // A head that lies across two of the pieces.
    const all = `${text}GET /${"x".repeat(6000)} HTTP/1.1\r\nHost: a\r\nB: ${"y".repeat(7000)}\r\n\r\n`;
    const parser = new RequestParser();
    const bytes = new TextEncoder().encode(all);
    // The head, and the beginning of the body; then pieces that nobody reads.
    parser.push(bytes.slice(0, 9000));
    assert.equal(parser.readHead()?.target, "/1");
    for (let at = 9000; at < bytes.length; at += 9000) parser.push(bytes.slice(at, at + 9000));
    let received = "";
    while (!parser.bodyDone) {
      const piece = parser.readBody(65_536);
      assert.ok(piece !== null || parser.bodyDone);
      if (piece !== null) received += new TextDecoder().decode(piece);
    }
    assert.equal(received, body);
    assert.equal(parser.readHead()?.target, `/${"x".repeat(6000)}`);
  }
});

test("bodies in large pieces that wait for their reader are handed out without a copy", () => {
  const pieces = [5000, 6000, 7000].map((length) => bytesOf("x".repeat(length)));
  for (const fields of [
    "Content-Length: 18000\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n4650\r\n",
  ]) {
    const parser = parserOf(`POST / HTTP/1.1\r\nHost: a\r\n${fields}`);
    parser.readHead();
    // So that a chunk has begun.
    assert.equal(parser.readBody(1), null);
    for (const piece of pieces) parser.push(piece);
    for (const piece of pieces) assert.equal(parser.readBody(65_536), piece);
  }
});

test("takeRest: all that has come, also of a body whose pieces wait", () => {
  const rest = long(30_000);
  const parser = new RequestParser();
  const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
  parser.push(new TextEncoder().encode(head + rest.slice(0, 10_000)));
  parser.readHead();
  for (const at of [10_000, 20_000])
    parser.push(new TextEncoder().encode(rest.slice(at, at + 10_000)));
  assert.equal(new TextDecoder().decode(parser.takeRest()), rest);
});
