import type { CorpusCase } from "./corpus.test.kit.ts";
import { type Rule, RULES } from "./rules.ts";

function refused(
  rule: Rule,
  title: string,
  input: string,
  limits: CorpusCase["limits"] = {},
): CorpusCase {
  return {
    title: `${rule}: in a response: ${title}`,
    input,
    limits,
    expected: [`refused ${rule} ${RULES[rule]}`],
  };
}

/** Responses, accepted and refused. */
export const RESPONSES: readonly CorpusCase[] = [
  { title: "nothing at all is a clean end", input: "", expected: ["end"] },
  {
    title: "bodies of known length, and chunked with trailers",
    input:
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" +
      "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nX: a\r\n\r\n",
    expected: [
      "200 OK 1.1 body=5",
      'body "hello"',
      "404 Not Found 1.1 body=chunked",
      'body "no"',
      "trailers X|a",
      "end",
    ],
  },
  {
    title: "a body that ends with the connection",
    input: "HTTP/1.1 200 OK\r\nX: a\r\n\r\nhello\r\nHTTP/1.1 200 OK\r\n",
    expected: ["200 OK 1.1 body=close close", 'body "hello\\r\\nHTTP/1.1 200 OK\\r\\n"', "end"],
  },
  {
    title: "an empty reason, with and without the space before it; one of bytes above 127",
    input:
      "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\nHTTP/1.1 200\r\nContent-Length: 0\r\n\r\n" +
      "HTTP/1.1 200 d\xe9j\xe0 vu\r\nContent-Length: 0\r\n\r\n",
    expected: ["200  1.1 body=0", "200  1.1 body=0", "200 d\xe9j\xe0 vu 1.1 body=0", "end"],
  },
  {
    title: "100, 103, 204 and 304 have no body, whatever their fields say",
    input:
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
      "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n" +
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nHTTP/1.1 599 X\r\nContent-Length: 0\r\n\r\n",
    expected: [
      "100 Continue 1.1 body=0",
      "103 Early Hints 1.1 body=0",
      "204 No Content 1.1 body=0 close",
      "304 Not Modified 1.1 body=0",
      "599 X 1.1 body=0",
      "end",
    ],
  },
  {
    title: "101: what follows the head is not HTTP any more",
    input:
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n\x81\x02hi",
    expected: ["101 Switching Protocols 1.1 body=0", 'rest "\x81\\u0002hi"', "end"],
  },
  {
    title: "what answers HEAD has no body",
    input: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    answers: "HEAD",
    expected: ["200 OK 1.1 body=0", "200 OK 1.1 body=0", "end"],
  },
  {
    title: "2xx to CONNECT has no body and opens a tunnel; another has one",
    input:
      "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno" +
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\x16\x03",
    answers: "CONNECT",
    expected: [
      "407 No 1.1 body=2",
      'body "no"',
      "200 OK 1.1 body=0",
      'rest "\\u0016\\u0003"',
      "end",
    ],
  },
  {
    title: "HTTP/1.0 closes unless it says keep-alive; Connection: close",
    input:
      "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n" +
      "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n" +
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    expected: ["200 OK 1.0 body=0", "200 OK 1.0 body=0 close", "200 OK 1.1 body=0 close", "end"],
  },
  {
    title: "fields that servers repeat without harm",
    input:
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer: a\r\nServer: b\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n",
    expected: ["200 OK 1.1 body=0", "end"],
  },
  refused("status-line", "something else, at its first byte", "SSH-2.0-OpenSSH"),
  refused("status-line", "an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n"),
  refused("status-line", "a body without a head", "<html>\r\n\r\n"),
  refused("status-line", "two spaces", "HTTP/1.1  200 OK\r\n\r\n"),
  refused("status-line", "a version without a digit", "HTTP/1 200 OK\r\n\r\n"),
  refused("status-line", "a status of letters", "HTTP/1.1 2xx OK\r\n\r\n"),
  refused("version-unsupported", "HTTP/2", "HTTP/2.0 200 OK\r\n\r\n"),
  refused("version-unsupported", "HTTP/0.9", "HTTP/0.9 200 OK\r\n\r\n"),
  refused("status-code", "two digits", "HTTP/1.1 20 OK\r\n\r\n"),
  refused("status-code", "four digits", "HTTP/1.1 2000 OK\r\n\r\n"),
  refused("status-code", "below 100", "HTTP/1.1 099 OK\r\n\r\n"),
  refused("status-code", "none", "HTTP/1.1\r\n\r\n"),
  refused("control-character", "in the reason", "HTTP/1.1 200 O\0K\r\n"),
  refused("control-character", "in a value (CVE-2026-34520)", "HTTP/1.1 200 OK\r\nX: a\0\r\n\r\n"),
  refused("bare-cr", "in the reason", "HTTP/1.1 200 O\rK\r\n"),
  refused("bare-lf", "behind the status line", "HTTP/1.1 200 OK\n\n"),
  refused("start-line-too-long", "a reason", `HTTP/1.1 200 ${"a".repeat(8192)}\r\n\r\n`),
  refused("start-line-too-long", "a reason without end", `HTTP/1.1 200 ${"a".repeat(8192)}`),
  refused(
    "repeated-field",
    "two lengths",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
  ),
  refused(
    "repeated-field",
    "two locations",
    "HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\n\r\n",
  ),
  refused("content-length", "no digits", "HTTP/1.1 200 OK\r\nContent-Length: 5,5\r\n\r\n"),
  refused(
    "length-and-transfer-encoding",
    "both",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
  ),
  refused(
    "transfer-encoding",
    "not chunked at the end",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
  ),
  refused(
    "transfer-encoding-on-1.0",
    "HTTP/1.0 has none",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  ),
  refused(
    "informational-with-body",
    "a length",
    "HTTP/1.1 104 X\r\nContent-Length: 5\r\n\r\nhello",
  ),
  refused("message-cut", "a head", "HTTP/1.1 200 OK\r\n"),
  {
    title: "message-cut: in a response: a body shorter than its length",
    input: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
    expected: ["200 OK 1.1 body=5", 'body "hell"', "refused message-cut 400"],
  },
];
