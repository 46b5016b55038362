import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame } from "./encode-frame.ts";
import { type FrameEvent, FrameParser, type FrameParserOptions } from "./frame-parser.ts";
import { cut, hex, joined, messagesOf, parsed } from "./frames.test.kit.ts";
import { WebSocketProtocolError } from "./websocket-protocol-error.ts";

const CLIENT = { role: "client" } as const;
const SERVER = { role: "server" } as const;
const HELLO = "72,101,108,108,111";

test("FrameParser: the examples of RFC 6455 §5.7", () => {
  assert.deepEqual(messagesOf(parsed(CLIENT, [hex("81 05 48 65 6c 6c 6f")]).events), [
    `text ${HELLO}`,
  ]);
  const masked = hex("81 85 37 fa 21 3d 7f 9f 4d 51 58");
  assert.deepEqual(messagesOf(parsed(SERVER, [masked]).events), [`text ${HELLO}`]);
  const fragments = hex("01 03 48 65 6c 80 02 6c 6f");
  assert.deepEqual(messagesOf(parsed(CLIENT, [fragments]).events), [`text ${HELLO}`]);
  const ping = hex("89 05 48 65 6c 6c 6f");
  assert.deepEqual(messagesOf(parsed(CLIENT, [ping]).events), [`ping ${HELLO}`]);
  const pong = hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58");
  assert.deepEqual(messagesOf(parsed(SERVER, [pong]).events), [`pong ${HELLO}`]);
});

/** What `shortText` makes of the input, and what it has left then, as `next` tells it. */
function shortText(options: FrameParserOptions, input: Uint8Array): [string | undefined, string[]] {
  const parser = new FrameParser(options);
  parser.push(input.slice());
  const text = parser.shortText();
  const events: FrameEvent[] = [];
  for (let event = parser.next(); event !== undefined; event = parser.next()) events.push(event);
  return [text, messagesOf(events)];
}

test("FrameParser.shortText: takes a text that is short, ASCII, in one frame and all there, of both roles", () => {
  assert.deepEqual(shortText(CLIENT, hex("81 05 48 65 6c 6c 6f")), ["Hello", []]);
  const masked = hex("81 85 37 fa 21 3d 7f 9f 4d 51 58");
  assert.deepEqual(shortText(SERVER, masked), ["Hello", []]);
  assert.deepEqual(shortText(CLIENT, hex("81 00 82 01 07")), ["", ["binary 7"]]);
  const long = "x".repeat(125);
  assert.deepEqual(shortText(CLIENT, encodeFrame({ opcode: 1 }, new TextEncoder().encode(long))), [
    long,
    [],
  ]);
});

test("FrameParser.shortText: leaves everything else to `next`, as it was", () => {
  const others = {
    nothing: [CLIENT, "", []],
    "half a head": [CLIENT, "81", []],
    "half a text": [CLIENT, "81 05 48 65 6c 6c", []],
    bytes: [CLIENT, "82 01 07", ["binary 7"]],
    "a ping": [CLIENT, "89 01 07", ["ping 7"]],
    "the first fragment": [CLIENT, "01 01 61 80 01 62", ["text 97,98"]],
    "no ASCII": [CLIENT, "81 02 c3 a9", ["text 195,169"]],
    "no ASCII, masked": [SERVER, "81 82 37 fa 21 3d f4 53", ["text 195,169"]],
    "a long text": [CLIENT, `81 7e 00 7e${" 61".repeat(126)}`, [`text ${"97,".repeat(125)}97`]],
  } as const;
  for (const [name, [options, input, events]] of Object.entries(others))
    assert.deepEqual(shortText(options, hex(input)), [undefined, events], name);
});

test("FrameParser.shortText: refuses nothing, and passes over no rule", () => {
  for (const [options, input, rule] of [
    [CLIENT, "81 81 01 02 03 04 61", "masked-frame"],
    [SERVER, "81 01 61", "unmasked-frame"],
    [CLIENT, "c1 01 61", "reserved-bits"],
    [{ role: "client", messageBytesMax: 1 }, "81 02 61 61", "message-too-large"],
    [CLIENT, "81 7e 00 01 61", "long-length"],
  ] as const) {
    const parser = new FrameParser(options);
    parser.push(hex(input));
    assert.equal(parser.shortText(), undefined);
    assert.throws(
      () => parser.next(),
      (error: WebSocketProtocolError) => error.rule === rule,
    );
    assert.equal(parser.shortText(), undefined);
  }
  const inside = new FrameParser(CLIENT);
  inside.push(hex("01 01 61 81 01 62"));
  assert.equal(inside.next()?.kind, "text");
  assert.equal(inside.shortText(), undefined);
  assert.throws(() => inside.next(), { rule: "interleaved-message" });
});

for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 100_000]) {
  test(`FrameParser: a message of ${length} bytes, whole and in pieces, of both roles`, () => {
    const payload = Uint8Array.from({ length }, (_, index) => index * 7);
    for (const [options, mask] of [
      [CLIENT, undefined],
      [SERVER, Uint8Array.of(1, 2, 3, 4)],
    ] as const) {
      const frame = encodeFrame({ opcode: 2, mask }, payload);
      for (const lengths of [[Infinity], [1000], [3, 65_000]]) {
        const { events, failure } = parsed(options, cut(frame, lengths));
        assert.equal(failure, undefined);
        assert.deepEqual(joined(events.map((event) => event.bytes)), payload);
        assert.equal(events.filter((event) => event.isLast).length, 1);
        assert.equal(events[0]?.isFirst, true);
      }
    }
  });
}

test("FrameParser: a control frame inside a message comes between its pieces", () => {
  const input = hex("01 03 48 65 6c 89 01 07 80 02 6c 6f");
  assert.deepEqual(messagesOf(parsed(CLIENT, [input]).events), ["ping 7", `text ${HELLO}`]);
});

test("FrameParser: empty fragments are no pieces, an empty message is one", () => {
  const { events } = parsed(CLIENT, [hex("01 00 00 00 80 00 82 00")]);
  assert.deepEqual(
    events.map(({ kind, isFirst, isLast, bytes }) => [kind, isFirst, isLast, bytes.length]),
    [
      ["text", true, true, 0],
      ["binary", true, true, 0],
    ],
  );
});

const COMPRESSED = { role: "client", allowsCompressed: true } as const;

test("FrameParser: RSV1 begins a compressed message, where that was agreed upon", () => {
  const { events } = parsed(COMPRESSED, [hex("41 01 aa 89 00 80 01 bb 82 01 cc")]);
  assert.deepEqual(messagesOf(events), ["ping ", "text compressed 170,187", "binary 204"]);
});

const BROKEN: readonly (readonly [
  rule: string,
  input: string,
  options?: typeof COMPRESSED | typeof SERVER,
])[] = [
  ["reserved-bits", "c1 00"],
  ["reserved-bits", "a1 00"],
  ["reserved-bits", "91 00"],
  ["reserved-bits", "f9 00"],
  ["reserved-bits", "c9 00", COMPRESSED],
  ["reserved-bits", "41 01 aa c0 01 aa", COMPRESSED],
  ["reserved-bits", "a1 00", COMPRESSED],
  ["reserved-opcode", "83 00"],
  ["reserved-opcode", "87 00"],
  ["reserved-opcode", "8b 00"],
  ["reserved-opcode", "8f 00"],
  ["fragmented-control-frame", "09 00"],
  ["fragmented-control-frame", "0a 00"],
  ["fragmented-control-frame", "08 00"],
  ["long-control-frame", "89 7e 00 7e"],
  ["long-control-frame", "88 7f 00"],
  ["stray-continuation", "80 00"],
  ["stray-continuation", "00 00"],
  ["stray-continuation", "81 00 80 00"],
  ["interleaved-message", "01 00 81 00"],
  ["interleaved-message", "01 00 02 00"],
  ["masked-frame", "81 80 00 00 00 00"],
  ["masked-frame", "89 80 00 00 00 00"],
  ["unmasked-frame", "81 00", SERVER],
  ["unmasked-frame", "89 00", SERVER],
  ["long-length", "82 7e 00 7d"],
  ["long-length", "82 7f 00 00 00 00 00 00 ff ff"],
  ["negative-length", "82 7f 80 00 00 00 00 01 00 00"],
];

for (const [rule, input, options = CLIENT] of BROKEN) {
  test(`FrameParser: ${rule}: ${input}${"allowsCompressed" in options ? " (compression)" : ""}, whole and byte by byte`, () => {
    // What comes before it, comes.
    const good =
      options === SERVER
        ? encodeFrame({ opcode: 9, mask: hex("1 2 3 4") }, hex("2a"))
        : hex("89 01 2a");
    const bytes = joined([good, hex(input)]);
    for (const pieces of [[bytes], [...cut(bytes, [1])]]) {
      const { events, failure, closeCode } = parsed(options, pieces);
      assert.equal(messagesOf(events)[0], "ping 42");
      assert.equal(failure, rule);
      assert.equal(closeCode, 1002);
    }
  });
}

test("FrameParser: a rule that was broken stays broken", () => {
  const parser = new FrameParser(CLIENT);
  parser.push(hex("83 00 81 00"));
  assert.throws(() => parser.next(), WebSocketProtocolError);
  assert.throws(() => parser.next(), WebSocketProtocolError);
});

test("FrameParser: a message above the limit is 1009 when its length is known, before its bytes come (CVE-2026-54274)", () => {
  const limited = { role: "client", messageBytesMax: 200 } as const;
  assert.equal(parsed(limited, [hex("82 7e 00 c8")]).failure, undefined);
  assert.equal(parsed(limited, [hex("82 7e 00 c9")]).closeCode, 1009);
  // Fragments count together, and messages do not.
  assert.equal(parsed(limited, [hex("02 64"), new Uint8Array(100), hex("80 65")]).closeCode, 1009);
  const two = [hex("82 64"), new Uint8Array(100), hex("82 64"), new Uint8Array(100), hex("82 64")];
  assert.equal(parsed(limited, two).failure, undefined);
  // Beyond what a number can count.
  assert.equal(parsed(CLIENT, [hex("82 7f 7f ff ff ff ff ff ff ff")]).closeCode, 1009);
  // As soon as the length is there, without the mask.
  const server = { role: "server", messageBytesMax: 200 } as const;
  assert.equal(parsed(server, [hex("82 fe 00 c9")]).closeCode, 1009);
});

test("FrameParser: what is compressed has a limit of its own", () => {
  const options = { ...COMPRESSED, messageBytesMax: 10, compressedBytesMax: 12 };
  assert.equal(parsed(options, [hex("c2 0c")]).failure, undefined);
  assert.equal(parsed(options, [hex("c2 0d")]).closeCode, 1009);
  assert.equal(parsed(options, [hex("82 0b")]).closeCode, 1009);
});

test("FrameParser: takes masks off in place, and keeps no copy of a payload", () => {
  const frame = encodeFrame({ opcode: 2, mask: hex("1 2 3 4") }, new Uint8Array(100_000));
  const parser = new FrameParser(SERVER);
  parser.push(frame);
  const piece = parser.next();
  assert.equal(piece?.bytes.buffer, frame.buffer);
  assert.equal(parser.hasInput, false);
});

test("FrameParser: frames of one byte in pieces of one byte cost the same each (aiohttp#13350)", () => {
  // Quadratic code would need minutes.
  const frames = 200_000;
  const parser = new FrameParser(CLIENT);
  let count = 0;
  for (let frame = 0; frame < frames; frame++) {
    for (const byte of [0x82, 1, 7]) {
      parser.push(Uint8Array.of(byte));
      while (parser.next() !== undefined) count += 1;
    }
  }
  assert.equal(count, frames);
  // All at once, too.
  parser.push(joined(Array.from({ length: 1000 }, () => Uint8Array.of(0x82, 1, 7))));
  for (count = 0; parser.next() !== undefined; count++);
  assert.equal(count, 1000);
});
