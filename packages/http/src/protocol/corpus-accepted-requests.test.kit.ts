import type { CorpusCase } from "./corpus.test.kit.ts";

/** Requests that are read, with what may follow them. */
export const ACCEPTED_REQUESTS: readonly CorpusCase[] = [
  { title: "nothing at all is a clean end", input: "", expected: ["end"] },
  {
    title: "a GET without a body",
    input: "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
    expected: ["GET / 1.1 @example.org body=0", "end"],
  },
  {
    title: "names in any case, values with white space around and without",
    input: "GET /a?b=c%20d HTTP/1.1\r\nhOST:example.org\r\nX-A: \t b  c\t \r\nX-Empty:\r\n\r\n",
    expected: ["GET /a?b=c%20d 1.1 @example.org body=0", "end"],
  },
  {
    title: "a method nobody knows, and one in lower case: methods are case-sensitive tokens",
    input: "M-SEARCH /a HTTP/1.1\r\nHost: a\r\n\r\nget / HTTP/1.1\r\nHost: a\r\n\r\n",
    expected: ["M-SEARCH /a 1.1 @a body=0", "get / 1.1 @a body=0", "end"],
  },
  {
    title: "bytes above 127 in a value are kept, one character each",
    input: "GET / HTTP/1.1\r\nHost: a\r\nX-Name: caf\xe9 \xc3\xa9\xff\x80\r\n\r\n",
    expected: ["GET / 1.1 @a body=0", "end"],
  },
  {
    title: "signs that browsers leave in targets",
    input: "GET /a|b[c]{d}^`\"<>\\?e=[f]|'g' HTTP/1.1\r\nHost: a\r\n\r\n",
    expected: ["GET /a|b[c]{d}^`\"<>\\?e=[f]|'g' 1.1 @a body=0", "end"],
  },
  {
    title: "a body of known length, and a request behind it",
    input:
      "POST /x HTTP/1.1\r\nHost: a:8080\r\nContent-Length: 11\r\n\r\nhello world" +
      "GET /y HTTP/1.1\r\nHost: b\r\n\r\n",
    expected: ["POST /x 1.1 @a:8080 body=11", 'body "hello world"', "GET /y 1.1 @b body=0", "end"],
  },
  {
    title: "a body with bytes that look like a head",
    input: "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\n" + "GET / HTTP/1.1\r\n\r\n",
    expected: ["PUT / 1.1 @a body=18", 'body "GET / HTTP/1.1\\r\\n\\r\\n"', "end"],
  },
  {
    title: "Content-Length 0 and zeros before a length",
    input:
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" +
      "POST / HTTP/1.1\r\nHost: a\r\ncontent-length:  0002 \r\n\r\nhi",
    expected: ["POST / 1.1 @a body=0", "POST / 1.1 @a body=2", 'body "hi"', "end"],
  },
  {
    title: "a chunked body, with sizes in both cases of letters",
    input:
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n" +
      "a\r\n0123456789\r\n0B\r\nhello world\r\n000\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    expected: [
      "POST / 1.1 @a body=chunked",
      'body "0123456789hello world"',
      "GET / 1.1 @a body=0",
      "end",
    ],
  },
  {
    title: "a chunked body without data",
    input: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    expected: ["POST / 1.1 @a body=chunked", 'body ""', "end"],
  },
  {
    title: "extensions of chunks are checked and ignored",
    input:
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
      '2;a;b=c;d="e;\\" f"\r\nhi\r\n0;last\r\n\r\n',
    expected: ["POST / 1.1 @a body=chunked", 'body "hi"', "end"],
  },
  {
    title:
      "trailers are read to their end, and a pipelined request begins behind them (CVE-2025-53643)",
    input:
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" +
      "2\r\nhi\r\n0\r\nX-Sum: 1\r\nX-Other:  2 \r\n\r\nGET /next HTTP/1.1\r\nHost: b\r\n\r\n",
    expected: [
      "POST / 1.1 @a body=chunked",
      'body "hi"',
      "trailers X-Sum|1|X-Other|2",
      "GET /next 1.1 @b body=0",
      "end",
    ],
  },
  {
    title: "one empty line before a request is ignored, before each",
    input: "\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n\r\n",
    expected: ["GET /a 1.1 @a body=0", "GET /b 1.1 @a body=0", "end"],
  },
  {
    title: "HTTP/1.0 needs no Host, and closes unless it says keep-alive",
    input: "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET / HTTP/1.0\r\nHost: a\r\n\r\n",
    expected: ["GET / 1.0 @ body=0", "GET / 1.0 @a body=0 close", "end"],
  },
  {
    title: "Connection: close, in a list and in any case",
    input:
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: foo , CLOSE\r\n\r\n" +
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n" +
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed, not-close\r\n\r\n",
    expected: [
      "GET / 1.1 @a body=0 close",
      "GET / 1.1 @a body=0 close",
      "GET / 1.1 @a body=0",
      "end",
    ],
  },
  {
    title: "the absolute form: its authority counts, not that of Host",
    input:
      "GET http://b.example:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n" +
      "GET HTTPS://c HTTP/1.1\r\nHost: a\r\n\r\nGET http://d?q HTTP/1.1\r\nHost: a\r\n\r\n",
    expected: [
      "GET http://b.example:81/x?y 1.1 @b.example:81 body=0",
      "GET HTTPS://c 1.1 @c body=0",
      "GET http://d?q 1.1 @d body=0",
      "end",
    ],
  },
  {
    title: "the asterisk form of OPTIONS",
    input: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    expected: ["OPTIONS * 1.1 @a body=0", "end"],
  },
  {
    title: "CONNECT: what follows the head is not HTTP any more",
    input: "CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n\x16\x03\x01",
    expected: [
      "CONNECT b.example:443 1.1 @b.example:443 body=0",
      'rest "\\u0016\\u0003\\u0001"',
      "end",
    ],
  },
  {
    title: "an upgrade that Connection names: what follows the head is not HTTP any more",
    input:
      "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n" +
      "\x81\x00",
    expected: ["GET /chat 1.1 @a body=0 upgrade=websocket", 'rest "\x81\\u0000"', "end"],
  },
  {
    title:
      "Upgrade without Connection, with a Connection that only resembles it, and on HTTP/1.0, is ignored",
    input:
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n" +
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: notupgrade\r\n\r\n" +
      "GET / HTTP/1.0\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    expected: ["GET / 1.1 @a body=0", "GET / 1.1 @a body=0", "GET / 1.0 @a body=0 close", "end"],
  },
  {
    title: "Expect: 100-continue with a body; ignored without one and on HTTP/1.0",
    input:
      "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\nhi" +
      "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n" +
      "PUT / HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi",
    expected: [
      "PUT / 1.1 @a body=2 continue",
      'body "hi"',
      "PUT / 1.1 @a body=0",
      "PUT / 1.0 @a body=2 close",
      'body "hi"',
      "end",
    ],
  },
  {
    title: "hosts: names, addresses, ports",
    input: [
      "a-b_c.example.",
      "127.0.0.1:80",
      "[::1]:8080",
      "[2001:db8::1:2]",
      "[::ffff:1.2.3.4]",
      "a:",
    ]
      .map((host) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      .join(""),
    expected: [
      "GET / 1.1 @a-b_c.example. body=0",
      "GET / 1.1 @127.0.0.1:80 body=0",
      "GET / 1.1 @[::1]:8080 body=0",
      "GET / 1.1 @[2001:db8::1:2] body=0",
      "GET / 1.1 @[::ffff:1.2.3.4] body=0",
      "GET / 1.1 @a: body=0",
      "end",
    ],
  },
  {
    title: "lists in several lines: Accept, Cookie and X-Forwarded-For may be repeated",
    input:
      "GET / HTTP/1.1\r\nHost: a\r\nAccept: a/b\r\naccept: c/d\r\nCookie: a=b\r\nCookie: c=d\r\n" +
      "X-Forwarded-For: a\r\nX-Forwarded-For: b\r\n\r\n",
    expected: ["GET / 1.1 @a body=0", "end"],
  },
  {
    title: "limits are what may still be sent",
    input:
      "GET /67 HTTP/1.1\r\nHost: a\r\nX: 345678\r\n\r\n" +
      "PUT /67 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:chunked\r\n\r\n1;ab\r\nx\r\n0;c\r\nX: 345\r\n\r\n",
    limits: {
      startLineBytesMax: 16,
      fieldLineBytesMax: 25,
      fieldsMax: 2,
      headBytesMax: 56,
      trailerBytesMax: 8,
      chunkExtensionBytesMax: 5,
    },
    expected: [
      "GET /67 1.1 @a body=0",
      "PUT /67 1.1 @a body=chunked",
      'body "x"',
      "trailers X|345",
      "end",
    ],
  },
];
