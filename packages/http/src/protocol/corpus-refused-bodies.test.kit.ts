import type { CorpusCase } from "./corpus.test.kit.ts";
import { type Rule, RULES } from "./rules.ts";

const CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/** A chunked request that is refused after some data. */
function refused(
  rule: Rule,
  title: string,
  body: string,
  { data = "", limits = {} }: { data?: string; limits?: CorpusCase["limits"] } = {},
): CorpusCase {
  return {
    title: `${rule}: ${title}`,
    input: CHUNKED + body,
    limits,
    expected: [
      "POST / 1.1 @a body=chunked",
      `body ${JSON.stringify(data)}`,
      `refused ${rule} ${RULES[rule]}`,
    ],
  };
}

const SIZES = ["", " 5", "5 ", "5\t", "+5", "-5", "0x5", "g", "5h", "5_0", "5,", "\xd9\xa1"];

const CHUNKS: readonly CorpusCase[] = [
  ...SIZES.map((size) => {
    const rule = /^5[\t ]/.test(size) ? "chunk-extension" : "chunk-size";
    return refused(rule, `a size of ${JSON.stringify(size)}`, `${size}\r\nhello\r\n`);
  }),
  refused("chunk-too-large", "2^53", "20000000000000\r\n"),
  refused("chunk-too-large", "what wraps around in 64 bits", "10000000000000005\r\nhello\r\n"),
  refused("chunk-too-large", "zeros without need", "00000000000000005\r\nhello\r\n"),
  ...["5;", "5;;a", "5;a=", "5;=b", "5; a", "5 ;a", "5;a =b", "5;a b", '5;a="', '5;a="b"c'].map(
    (head) =>
      refused("chunk-extension", `an extension of ${JSON.stringify(head.slice(1))}`, `${head}\r\n`),
  ),
  refused("bare-lf", "inside an extension (CVE-2024-52304)", "5;a\nb\r\nhello\r\n"),
  refused("bare-lf", "behind a size", "5\nhello\r\n"),
  refused("chunk-extension", "a CR inside an extension", "5;a\rb\r\nhello\r\n"),
  refused(
    "chunk-extension",
    "a control character in a quoted extension",
    '5;a="\x01"\r\nhello\r\n',
  ),
  refused("chunk-extensions-too-large", "in one line", `1;${"a".repeat(4096)}\r\nx`),
  refused("chunk-extensions-too-large", "a line without end", "1".repeat(8200)),
  refused("chunk-extensions-too-large", "in many chunks", "1;ab\r\nx\r\n".repeat(4), {
    data: "xxx",
    limits: { chunkExtensionBytesMax: 9 },
  }),
  refused("chunk-end", "data longer than its size", "4\r\nhello\r\n", { data: "hell" }),
  refused("chunk-end", "data shorter than its size", "5\r\nhell\r\n0\r\n\r\n", { data: "hell\r" }),
  refused("chunk-end", "data that ends in LF alone", "5\r\nhello\n0\r\n\r\n", { data: "hello" }),
  refused("chunk-end", "data that ends in CR alone", "5\r\nhello\r0\r\n\r\n", { data: "hello" }),
];

const TRAILERS: readonly CorpusCase[] = [
  refused(
    "trailers-too-large",
    "more than 8 KiB (CVE-2026-22815)",
    `0\r\n${`X: ${"a".repeat(100)}\r\n`.repeat(80)}`,
  ),
  refused("trailers-too-large", "a line without end", `0\r\nX: ${"a".repeat(8200)}`),
  refused("trailers-too-large", "by one byte", "0\r\nX: 345\r\n\r\n", {
    limits: { trailerBytesMax: 7 },
  }),
  refused("too-many-fields", "128 trailers and one", `0\r\n${"X: a\r\n".repeat(129)}\r\n`),
  refused("bare-lf", "in trailers", "0\r\nX: a\n\r\n"),
  refused("bare-lf", "an empty line of LF alone behind the trailers", "0\r\n\n"),
  refused("control-character", "in trailers", "0\r\nX: a\0\r\n\r\n"),
  refused("obs-fold", "in trailers", "0\r\nX: a\r\n b\r\n\r\n"),
  refused("leading-space", "in trailers", "0\r\n X: a\r\n\r\n"),
  refused("space-before-colon", "in trailers", "0\r\nX : a\r\n\r\n"),
  refused("colon-missing", "a request in the place of trailers", "0\r\nGET / HTTP/1.1\r\n\r\n"),
  ...[
    "Content-Length: 5",
    "transfer-encoding: chunked",
    "HOST: b",
    "Connection: close",
    "Upgrade: a",
  ].map((line) => refused("trailer-field", line, `0\r\nX: a\r\n${line}\r\n\r\n`)),
];

const CUTS: readonly CorpusCase[] = [
  ...["G", "GET / HTTP/1.1", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n", "\r"].map(
    (input) => ({
      title: `message-cut: a head that ends with ${JSON.stringify(input.slice(-8))}`,
      input,
      expected: ["refused message-cut 400"],
    }),
  ),
  {
    title: "message-cut: a body shorter than its length",
    input: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell",
    expected: ["POST / 1.1 @a body=5", 'body "hell"', "refused message-cut 400"],
  },
  ...[
    "",
    "5",
    "5\r\n",
    "5\r\nhel",
    "5\r\nhello",
    "5\r\nhello\r",
    "5\r\nhello\r\n0\r\n",
    "5\r\nhello\r\n0\r\nX: a\r\n",
  ].map((body) => {
    const data = /hel(?:lo)?/.exec(body)?.[0] ?? "";
    return refused(
      "message-cut",
      `a chunked body that ends with ${JSON.stringify(body.slice(-8))}`,
      body,
      { data },
    );
  }),
];

/** Requests whose body is refused, by rule. */
export const REFUSED_BODIES: readonly CorpusCase[] = [...CHUNKS, ...TRAILERS, ...CUTS];
