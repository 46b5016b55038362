import type { CorpusCase } from "./corpus.test.kit.ts";
import { type Rule, RULES } from "./rules.ts";

const HOST = "Host: a\r\n";

/** A request, or the first bytes of one, that is refused. */
function refused(
  rule: Rule,
  title: string,
  input: string,
  limits: CorpusCase["limits"] = {},
): CorpusCase {
  return {
    title: `${rule}: ${title}`,
    input,
    limits,
    expected: [`refused ${rule} ${RULES[rule]}`],
  };
}

/** A GET with these fields that is refused. */
function refusedField(rule: Rule, title: string, lines: string): CorpusCase {
  return refused(rule, title, `GET / HTTP/1.1\r\n${HOST}${lines}\r\n\r\n`);
}

/** A GET with this target that is refused. */
function refusedTarget(rule: Rule, title: string, target: string, method = "GET"): CorpusCase {
  return refused(rule, title, `${method} ${target} HTTP/1.1\r\n${HOST}\r\n`);
}

function refusedHost(title: string, host: string): CorpusCase {
  return refused("host-invalid", title, `GET / HTTP/1.1\r\nHost:${host}\r\n\r\n`);
}

/** A head with this first line that is refused. */
function refusedLine(rule: Rule, title: string, line: string): CorpusCase {
  return refused(rule, title, `${line}${HOST}\r\n`);
}

const FIRST_LINES: readonly CorpusCase[] = [
  refused("method", "a TLS hello, at its first byte", "\x16\x03\x01\x02"),
  refusedLine("method", "a NUL", "\0GET / HTTP/1.1\r\n"),
  refusedLine("method", "a space first", " GET / HTTP/1.1\r\n"),
  refusedLine("method", "a method with a sign no token has", "GE(T / HTTP/1.1\r\n"),
  refusedLine("method", "a method with a byte above 127", "GE\xd0 / HTTP/1.1\r\n"),
  refusedLine("method", "a tab behind the method", "GET\t/ HTTP/1.1\r\n"),
  refusedLine("request-line", "HTTP/0.9", "GET /\r\n"),
  refusedLine("request-line", "a line of one word", "hello\r\n"),
  refusedLine("request-line", "no target", "GET  HTTP/1.1\r\n"),
  refusedLine("request-line", "two spaces before the target", "GET  / HTTP/1.1\r\n"),
  refusedLine("request-line", "a space behind the version", "GET / HTTP/1.1 \r\n"),
  refusedLine("request-line", "a version of more digits", "GET / HTTP/1.10\r\n"),
  refusedLine("version", "two spaces before the version", "GET /  HTTP/1.1\r\n"),
  refusedLine("version", "a space in the target", "GET /a b HTTP/1.1\r\n"),
  refusedLine("version", "another protocol", "GET / HTTQ/1.1\r\n"),
  refusedLine("version", "in lower case", "GET / http/1.1\r\n"),
  refusedLine("version", "a digit of another script", "GET / HTTP/1.\xd9\xa1\r\n"),
  refusedLine("version", "cut", "GET / HTTP/1\r\n"),
  refusedLine("version", "a line of RTSP", "GET / RTSP/1.0\r\n"),
  refusedLine("version-unsupported", "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  refusedLine("version-unsupported", "HTTP/0.9 as a version", "GET / HTTP/0.9\r\n"),
  refusedLine("version-unsupported", "HTTP/1.2", "GET / HTTP/1.2\r\n"),
  refusedLine("empty-line", "two before a request line", "\r\n\r\nGET / HTTP/1.1\r\n"),
  refused("bare-lf", "before a request line", "\nGET / HTTP/1.1\r\n"),
  refused("bare-lf", "at the end of the request line", `GET / HTTP/1.1\n${HOST}\r\n`),
  refused("bare-cr", "at the end of the request line", `GET / HTTP/1.1\r${HOST}\r\n`),
  refused("bare-cr", "before a request line", `\rGET / HTTP/1.1\r\n`),
  refused("start-line-too-long", "a target", `GET /${"a".repeat(8192)} HTTP/1.1\r\n${HOST}\r\n`),
  refused("start-line-too-long", "a method without end", "A".repeat(8195)),
  refused("start-line-too-long", "by one byte", `GET /678 HTTP/1.1\r\n${HOST}\r\n`, {
    startLineBytesMax: 16,
  }),
];

const TARGETS: readonly CorpusCase[] = [
  refusedTarget("target-character", "a control character", "/a\x01"),
  refusedTarget("target-character", "DEL", "/a\x7f"),
  refusedTarget("target-character", "a tab", "/a\tb"),
  refusedTarget("target-character", "a byte above 127", "/caf\xe9"),
  refusedTarget("target-fragment", "a fragment", "/a#b"),
  refusedTarget("target-form", "a path without a slash", "a/b"),
  refusedTarget("target-form", "an asterisk of another method than OPTIONS", "*"),
  refusedTarget("target-form", "an authority of another method than CONNECT", "a:80"),
  refusedTarget("target-form", "CONNECT to a path", "/", "CONNECT"),
  refusedTarget("target-form", "CONNECT without a port", "example.org", "CONNECT"),
  refusedTarget("target-form", "CONNECT with an empty port", "example.org:", "CONNECT"),
  refusedTarget(
    "target-form",
    "CONNECT to a port that there is not",
    "example.org:65536",
    "CONNECT",
  ),
  refusedTarget("target-form", "CONNECT to a URL", "http://example.org:80/", "CONNECT"),
  refusedTarget("target-form", "another scheme", "ftp://example.org/"),
  refusedTarget("target-authority", "a URL without a host", "http:///a"),
  refusedTarget("target-authority", "a URL with a user", "http://me:pw@example.org/"),
  refusedTarget("target-authority", "a URL with a backslash", "http://good.example\\evil.example/"),
];

const LINES: readonly CorpusCase[] = [
  refused("leading-space", "before the first field", `GET / HTTP/1.1\r\n ${HOST}\r\n`),
  refusedField("obs-fold", "a folded value", "X: a\r\n b"),
  refusedField("obs-fold", "a line of a tab", "X: a\r\n\t"),
  refusedField("colon-missing", "a line without a colon", "nonsense"),
  refusedField("name-empty", "a line that begins with a colon", ": a"),
  refusedField("space-before-colon", "a space", "Content-Length : 5"),
  refusedField("space-before-colon", "a tab", "X\t: 5"),
  refusedField("name-character", "a space in a name", "X Y: 5"),
  refusedField("name-character", "a sign no token has", "X(Y): 5"),
  refusedField("name-character", "a byte above 127", "X\xe9: 5"),
  refusedField("bare-lf", "at the end of a field line (CVE-2023-37276)", "X: a\nY: b"),
  refusedField("bare-lf", "an empty line of LF alone", "X: a\r\n\nGET /evil HTTP/1.1\r\nHost: a"),
  refusedField("bare-cr", "in a value", "X: a\rY: b"),
  refusedField("bare-cr", "before CRLF", "X: a\r"),
  refusedField("bare-cr", "behind the last field", "X: a\r\n\rY: b"),
  refusedField("control-character", "NUL in a value", "X: a\0b"),
  refusedField("control-character", "NUL in a name", "X\0: ab"),
  refusedField("control-character", "a bell in a value", "X: \x07"),
  refusedField("control-character", "DEL in a value", "X: a\x7f"),
  refusedField("control-character", "a vertical tab behind the length", "Content-Length: 5\v"),
  refusedField("field-line-too-long", "a line that ends", `X: ${"a".repeat(8190)}`),
  refused("field-line-too-long", "a line without end", `GET / HTTP/1.1\r\n${"a".repeat(8195)}`),
  refused(
    "field-line-too-long",
    "a line without end, by one byte",
    `GET / HTTP/1.1\r\n${HOST}X: 34567890`,
    {
      fieldLineBytesMax: 9,
    },
  ),
  refused("field-line-too-long", "by one byte", `GET / HTTP/1.1\r\n${HOST}X: 3456789\r\n\r\n`, {
    fieldLineBytesMax: 9,
  }),
  refusedField("too-many-fields", "128 and one", "X: a\r\n".repeat(128).slice(0, -2)),
  refused("too-many-fields", "two of one", `GET / HTTP/1.1\r\n${HOST}X:\r\n\r\n`, { fieldsMax: 1 }),
  refusedField(
    "head-too-large",
    "64 KiB in lines that are not too long",
    `X: ${"a".repeat(8000)}\r\n`.repeat(9),
  ),
  refused("head-too-large", "by one byte", `GET / HTTP/1.1\r\n${HOST}\r\n`, { headBytesMax: 26 }),
];

const MEANINGS: readonly CorpusCase[] = [
  refused("host-missing", "HTTP/1.1 without Host (CVE-2026-34525)", "GET / HTTP/1.1\r\n\r\n"),
  refused(
    "host-missing",
    "also if the target has one",
    "GET http://example.org/ HTTP/1.1\r\nX: a\r\n\r\n",
  ),
  refusedField("repeated-field", "two Hosts, even the same (CVE-2026-34525)", "hOST: a"),
  refusedHost("empty", ""),
  refusedHost("two in a list", "a, b"),
  refusedHost("a path", "a/b"),
  refusedHost("a user", "me@a"),
  refusedHost("percent-encoded", "a%2eb"),
  refusedHost("a byte above 127", "caf\xe9"),
  refusedHost("a port that there is not", "a:65536"),
  refusedHost("a port of letters", "a:http"),
  refusedHost("a number for an address", "2130706433"),
  refusedHost("a hexadecimal address", "0x7f.1"),
  refusedHost("an address with zeros in front", "127.0.0.01"),
  refusedHost("an address of three parts", "127.0.1"),
  refusedHost("an IPv6 address without brackets", "::1"),
  refusedHost("an IPv6 address of nine groups", "[1:2:3:4:5:6:7:8:9]"),
  refusedHost("an IPv6 address of eight groups with a gap", "[1:2:3:4::5:6:7:8]"),
  refusedHost("an IPv6 address of seven groups", "[1:2:3:4:5:6:7]"),
  refusedHost("an IPv6 address that begins with an IPv4 address", "[1.2.3.4::]"),
  refusedHost("an IPv6 address with two gaps", "[1:2::3:4::5:6:7:8]"),
  refusedHost("an IPv6 address with three colons", "[:::1]"),
  ...[
    "Content-Length: 5\r\nContent-Length: 5",
    "Content-Type: text/plain\r\ncontent-type: text/html",
    "Authorization: Basic a\r\nAuthorization: Basic b",
    "User-Agent: a\r\nUSER-AGENT: b",
    "Range: bytes=0-1\r\nRange: bytes=0-1",
  ].map((lines) =>
    refusedField("repeated-field", `two of ${lines.slice(0, lines.indexOf(":"))}`, lines),
  ),
  ...[
    "",
    "+5",
    "-5",
    "5 ,5",
    "5, 5",
    "5,6",
    "0x5",
    "5e1",
    "5.0",
    "5 6",
    "\xa05",
    "\xb2",
    "five",
  ].map((value) =>
    refusedField(
      "content-length",
      `a length of ${JSON.stringify(value)}`,
      `Content-Length: ${value}`,
    ),
  ),
  refusedField(
    "content-length",
    "digits of another script (CVE-2025-69224)",
    "Content-Length: \xd9\xa1",
  ),
  refusedField("framing-tab", "behind a length", "Content-Length: 5 \t "),
  refusedField("framing-tab", "behind chunked", "transfer-encoding: chunked\t"),
  refusedField("content-length-too-large", "2^53", "Content-Length: 9007199254740992"),
  refusedField(
    "content-length-too-large",
    "what wraps around in 64 bits",
    `Content-Length: 1${"0".repeat(30)}`,
  ),
  refusedField(
    "length-and-transfer-encoding",
    "in either order (CVE-2023-47641)",
    "Content-Length: 5\r\nTransfer-Encoding: chunked",
  ),
  refusedField(
    "length-and-transfer-encoding",
    "the length last, and 0",
    "Transfer-Encoding: chunked\r\nContent-Length: 0",
  ),
  ...[
    "",
    "identity",
    "chunked, identity",
    "chunked, chunked",
    "chunked,",
    "gzip",
    "xchunked",
    "chunked;a=b",
    "g zip, chunked",
    '"chunked"',
    "chunked\xa0",
  ].map((value) =>
    refusedField(
      "transfer-encoding",
      `a coding of ${JSON.stringify(value)}`,
      `Transfer-Encoding: ${value}`,
    ),
  ),
  refusedField(
    "transfer-encoding",
    "chunked in two lines",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
  ),
  refusedField(
    "transfer-encoding",
    "a coding behind chunked, in two lines",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
  ),
  refusedField(
    "transfer-encoding-unknown",
    "gzip before chunked",
    "Transfer-Encoding: gzip, chunked",
  ),
  refused(
    "transfer-encoding-on-1.0",
    "HTTP/1.0 has none",
    `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`,
  ),
  refused(
    "connect-with-body",
    "CONNECT with a length",
    `CONNECT a:80 HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
  ),
  refused(
    "expectation",
    "one that nobody knows",
    `PUT / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nExpect: a-pony\r\n\r\n`,
  ),
  refused(
    "expectation",
    "100-continue in a line of its own among others",
    `PUT / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nExpect: b\r\nExpect: 100-continue\r\n\r\n`,
  ),
  refused(
    "expectation",
    "100-continue among others",
    `PUT / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nExpect: 100-continue, b\r\n\r\n`,
  ),
];

/** Requests whose head is refused, by rule. */
export const REFUSED_HEADS: readonly CorpusCase[] = [
  ...FIRST_LINES,
  ...TARGETS,
  ...LINES,
  ...MEANINGS,
  {
    title: "host-invalid: behind a request with a good one, on the same connection",
    input: `GET / HTTP/1.1\r\n${HOST}\r\nGET / HTTP/1.1\r\nHost: a/b\r\n\r\n`,
    expected: ["GET / 1.1 @a body=0", "refused host-invalid 400"],
  },
  {
    title: "a good request is read before the bad one behind it is refused",
    input: `GET /a HTTP/1.1\r\n${HOST}\r\nGET /b HTTP/1.1\r\nHost : b\r\n\r\n`,
    expected: ["GET /a 1.1 @a body=0", "refused space-before-colon 400"],
  },
];
