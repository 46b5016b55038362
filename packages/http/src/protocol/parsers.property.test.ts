/** Whatever comes, in whatever pieces: the same messages, or a `ProtocolError`. What is written is read as it was meant. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, type Events, requestEvents, responseEvents, textOf } from "./corpus.test.kit.ts";
import { mutated } from "./mutations.test.kit.ts";
import { CHUNK_END, chunkHead, lastChunk, requestHead, responseHead } from "./serialize.ts";

const NUM_RUNS = 300;
/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# parsers.property: seed ${seed}`);
const parameters = { seed, numRuns: NUM_RUNS };

const eventsOf = {
  request: (pieces: Iterable<Uint8Array>, pieceBytesMax?: number): Events =>
    requestEvents(pieces, pieceBytesMax === undefined ? {} : { pieceBytesMax }),
  response: (pieces: Iterable<Uint8Array>): Events => responseEvents(pieces),
};

const TOKEN_CHARACTERS =
  "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".split("");
const token = fc.string({
  unit: fc.constantFrom(...TOKEN_CHARACTERS),
  minLength: 1,
  maxLength: 20,
});
/** Values as they come out again: without white space at their ends. */
const value = fc
  .array(
    fc.oneof(fc.constant(9), fc.integer({ min: 32, max: 126 }), fc.integer({ min: 128, max: 255 })),
  )
  .map((codes) => String.fromCharCode(...codes).replace(/^[\t ]+|[\t ]+$/g, ""));
/** Names that mean nothing to the protocol: `x-` has no meaning with any token behind it. */
const fields = fc
  .array(
    fc.tuple(
      token.map((name) => `x-${name}`),
      value,
    ),
    { maxLength: 8 },
  )
  .map((pairs) => pairs.flat());
const target = fc
  .string({ unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)) })
  .map((text) => `/${text.replaceAll("#", "")}`);
const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
/** Where input is cut: each number is the length of a piece, in turn, over and over. */
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

function* cut(bytes: Uint8Array, lengths: readonly number[]): Iterable<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] as number;
    // Slices: nothing depends on what lies around a piece.
    yield bytes.slice(at, at + length);
    at += length;
  }
}

for (const role of ["request", "response"] as const) {
  test(`parsers: a mutated ${role} gives the same events in any pieces, and no error but ProtocolError`, () => {
    const property = fc.property(mutated(role), sizes, (text, lengths) => {
      const bytes = bytesOf(text);
      const whole = eventsOf[role]([bytes]);
      assert.deepEqual(eventsOf[role](cut(bytes, lengths)), whole);
    });
    fc.assert(property, parameters);
  });

  test(`parsers: any bytes as a ${role} give events or a ProtocolError`, () => {
    const property = fc.property(fc.uint8Array({ maxLength: 300 }), sizes, (bytes, lengths) => {
      assert.deepEqual(eventsOf[role](cut(bytes, lengths)), eventsOf[role]([bytes]));
    });
    fc.assert(property, parameters);
  });
}

test("parsers: how large pieces of a body may be changes nothing of it", () => {
  const property = fc.property(
    mutated("request"),
    fc.integer({ min: 1, max: 600 }),
    (text, max) => {
      const bytes = bytesOf(text);
      assert.deepEqual(eventsOf.request([bytes], max), eventsOf.request([bytes]));
    },
  );
  fc.assert(property, parameters);
});

test("requestHead: what is written is read as it was meant, in any pieces", () => {
  const method = token.filter((text) => text !== "CONNECT");
  const property = fc.property(method, target, fields, chunks, fields, sizes, (...all) => {
    const [verb, path, list, pieces, trailers, lengths] = all;
    const framing = ["Host", "a", "Transfer-Encoding", "chunked"];
    const text = requestHead(verb, path, [...framing, ...list]) + chunked(pieces, trailers);
    const { lines, fields: seen } = eventsOf.request(cut(bytesOf(text.repeat(2)), lengths));
    const expected = [
      `${verb} ${path} 1.1 @a body=chunked`,
      `body ${JSON.stringify(pieces.map(textOf).join(""))}`,
      ...(trailers.length > 0 ? [`trailers ${trailers.join("|")}`] : []),
    ];
    assert.deepEqual(lines, [...expected, ...expected, "end"]);
    assert.deepEqual(seen[0], [...framing, ...list]);
  });
  fc.assert(property, parameters);
});

test("responseHead: what is written is read as it was meant, in any pieces", () => {
  const status = fc.integer({ min: 200, max: 999 }).filter((code) => code !== 204 && code !== 304);
  const property = fc.property(status, value, fields, fc.uint8Array(), sizes, (...all) => {
    const [code, reason, list, body, lengths] = all;
    const withLength = ["content-length", String(body.length), ...list];
    const text = responseHead("1.1", code, reason, withLength) + textOf(body);
    const { lines, fields: seen } = eventsOf.response(cut(bytesOf(text), lengths));
    const head = `${code} ${reason} 1.1 body=${body.length}`;
    const line = body.length > 0 ? [`body ${JSON.stringify(textOf(body))}`] : [];
    assert.deepEqual(lines, [head, ...line, "end"]);
    assert.deepEqual(seen, [withLength]);
  });
  fc.assert(property, parameters);
});

test("requestHead, responseHead: any texts are refused, or read as one message with these fields", () => {
  const anything = fc.string({
    unit: fc.oneof(
      fc.integer({ min: 0, max: 300 }).map((code) => String.fromCharCode(code)),
      fc.constantFrom("\r\n", ":", " ", "\n", "\r", "\0"),
    ),
    maxLength: 12,
  });
  const property = fc.property(anything, anything, anything, (first, name, second) => {
    const list = ["Host", "a", `x-${name}`, `${second}.`];
    for (const [events, write] of [
      [eventsOf.request, () => requestHead(`M${first}`, "/", list)],
      [eventsOf.request, () => requestHead("GET", `/${first}`, list)],
      [eventsOf.response, () => responseHead("1.1", 204, first, list)],
    ] as const) {
      const text = written(write);
      if (text === undefined) continue;
      const { lines, fields: seen } = events([bytesOf(text)]);
      assert.equal(lines.length, 2, text);
      assert.equal(lines[1], "end", text);
      assert.deepEqual(seen, [["Host", "a", `x-${name}`, trimmed(`${second}.`)]]);
    }
  });
  fc.assert(property, parameters);
});

function trimmed(text: string): string {
  return text.replace(/^[\t ]+/, "");
}

/** What is written; undefined: it was refused. */
function written(write: () => string): string | undefined {
  try {
    return write();
  } catch (error) {
    assert.ok(error instanceof TypeError);
    return undefined;
  }
}

function chunked(pieces: readonly Uint8Array[], trailers: readonly string[]): string {
  const data = pieces.map((piece) => chunkHead(piece.length) + textOf(piece) + CHUNK_END);
  return data.join("") + lastChunk(trailers);
}
