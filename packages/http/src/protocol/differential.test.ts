/**
 * Mutated messages, read by us and by llhttp, the parser of Node.js. Where both accept, they must have read the same. Where they differ, we
 * are stricter by a rule that is listed here, or llhttp is by one that is; anything else is a bug. `ARBORIO_FUZZ` is the number of runs.
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, textOf } from "./corpus.test.kit.ts";
import { Llhttp, type Seen, type SeenMessage } from "./llhttp.test.kit.ts";
import { mutated } from "./mutations.test.kit.ts";
import { ProtocolError } from "./protocol-error.ts";
import { RequestParser } from "./request-parser.ts";
import { ResponseParser } from "./response-parser.ts";
import type { Rule } from "./rules.ts";

const NUM_RUNS = Number(process.env["ARBORIO_FUZZ"] ?? 700);
/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
const seed = Number(process.env["ARBORIO_FUZZ_SEED"] ?? printedSeed);
console.log(`# differential: seed ${seed}`);

/** Rules by which we refuse what llhttp reads. */
const WE_ARE_STRICTER: ReadonlySet<Rule> = new Set<Rule>([
  "bare-cr", // llhttp: where it takes a CR for one of CRLF that may come later
  "bare-lf", // llhttp: between messages, and behind chunk extensions
  "chunk-extension", // llhttp: values of other characters, empty ones
  "connect-with-body",
  "control-character", // llhttp: in the reason
  "empty-line", // llhttp: any number of them
  "expectation",
  "framing-tab", // llhttp: in HTTP/1.0 responses
  "host-invalid",
  "host-missing",
  "informational-with-body", // llhttp: reads the body of what is not 100, 101 or 103
  "length-and-transfer-encoding", // llhttp: an empty Transfer-Encoding
  "message-cut", // llhttp: a lone CR or LF before the end
  "repeated-field",
  "request-line",
  "status-code", // llhttp: three digits, any
  "status-line", // llhttp: CR and LF before it, other protocols
  "target-authority",
  "target-form",
  "target-fragment",
  "too-many-fields",
  "trailer-field",
  "transfer-encoding", // llhttp: in responses anything, with a body up to the end
  "transfer-encoding-on-1.0",
  "transfer-encoding-unknown",
  "version", // llhttp: ICE, RTSP
  "version-unsupported", // llhttp: 0.9 and 2.0
]);

/** What llhttp refuses and we read. */
const LLHTTP_IS_STRICTER: readonly RegExp[] = [
  // It knows a list of methods. To us each token is one (RFC 9110 §9.1), and what is done with it is the application's business.
  /^(?:Invalid method encountered|Expected (?:space after|SOURCE) method|Expected .*method)/,
];

const require = createRequire(import.meta.url);
// No skip without it: it is pinned, and is there on each runtime.
const llhttp = new Llhttp(require("undici/lib/llhttp/llhttp-wasm.js") as Uint8Array);

for (const role of ["request", "response"] as const) {
  test(`differential: of mutated ${role}s we and llhttp read the same, or differ by a listed rule`, () => {
    const property = fc.property(mutated(role), (text) => {
      const bytes = bytesOf(text);
      compare(readByUs(role, bytes), llhttp.read(role, bytes));
    });
    fc.assert(property, { numRuns: NUM_RUNS, seed });
  });
}

test("differential: a parser that is laxer than llhttp, or reads something else, is found out", () => {
  const message = { start: "GET /", fields: ["Host", "a"], body: "", trailers: [] };
  const ours = { ...message, isComplete: true, switches: false, isLast: false };
  const differences: [OurSeen, Seen][] = [
    [
      { messages: [ours], rule: "" },
      { messages: [], error: "Invalid header token" },
    ],
    [
      { messages: [ours], rule: "bare-lf" },
      { messages: [], error: "Invalid header token" },
    ],
    [
      { messages: [ours], rule: "" },
      { messages: [{ ...ours, body: "a" }], error: "" },
    ],
    [
      { messages: [ours], rule: "" },
      { messages: [ours, ours], error: "" },
    ],
    [
      { messages: [], rule: "no-such-rule" },
      { messages: [ours], error: "" },
    ],
  ];
  for (const [us, them] of differences)
    assert.throws(() => compare(us, them), assert.AssertionError);
  compare({ messages: [ours], rule: "" }, { messages: [ours], error: "" });
});

interface OurSeen {
  readonly messages: readonly SeenMessage[];
  readonly rule: string;
}

function compare(ours: OurSeen, theirs: Seen): void {
  for (const [index, our] of ours.messages.entries()) {
    const their = theirs.messages[index];
    if (their === undefined) break;
    assert.equal(our.start, their.start);
    assert.deepEqual(our.fields, withoutTrailingSpace(their.fields));
    // HTTP/1.0 knows no upgrades (RFC 9110 §7.8): llhttp does not look at the version.
    if (our.switches || their.switches) return;
    if (our.isComplete && their.isComplete) {
      assert.equal(our.body, their.body);
      assert.deepEqual(our.trailers, withoutTrailingSpace(their.trailers));
      if (our.isLast || their.isLast) return;
    }
  }
  const [ourCount, theirCount] = [completeOf(ours.messages), completeOf(theirs.messages)];
  const weReadMore = ourCount > theirCount || (ours.rule === "" && theirs.error !== "");
  const theyReadMore = theirCount > ourCount || (ours.rule !== "" && theirs.error === "");
  if (weReadMore) {
    const isListed = LLHTTP_IS_STRICTER.some((reason) => reason.test(theirs.error));
    assert.ok(isListed, `we read what llhttp refuses: ${theirs.error}`);
  } else if (theyReadMore) {
    const isListed = (WE_ARE_STRICTER as ReadonlySet<string>).has(ours.rule);
    assert.ok(isListed, `llhttp reads what we refuse: ${ours.rule}`);
  }
}

function completeOf(messages: readonly SeenMessage[]): number {
  return messages.filter((message) => message.isComplete).length;
}

/** llhttp gives values with the white space behind them. */
function withoutTrailingSpace(fields: readonly string[]): string[] {
  return fields.map((text, index) => (index % 2 === 1 ? text.replace(/[ \t]+$/, "") : text));
}

function readByUs(role: "request" | "response", bytes: Uint8Array): OurSeen {
  const parser = role === "request" ? new RequestParser() : new ResponseParser();
  const messages: SeenMessage[] = [];
  parser.push(bytes);
  parser.end();
  try {
    for (;;) {
      const head = parser.readHead();
      if (head === null) return { messages, rule: "" };
      const isRequest = "method" in head;
      const start = isRequest ? `${head.method} ${head.target}` : `${head.status} ${head.reason}`;
      const message = {
        start,
        fields: head.fields,
        body: "",
        trailers: [] as readonly string[],
        isComplete: false,
        switches: isRequest
          ? head.upgrade !== "" || head.method === "CONNECT"
          : head.status === 101,
        isLast: !head.keepAlive,
      };
      messages.push(message);
      if (message.switches) return { messages, rule: "" };
      while (!parser.bodyDone) message.body += textOf(parser.readBody(1000) ?? new Uint8Array(0));
      message.isComplete = true;
      message.trailers = parser.trailers;
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { messages, rule: error.rule };
  }
}
