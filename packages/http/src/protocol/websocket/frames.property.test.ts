/** What is written is read as it was meant, in any pieces; whatever comes gives frames or a `WebSocketProtocolError`, the same in any pieces. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyMask } from "./apply-mask.ts";
import { encodeFrame } from "./encode-frame.ts";
import { cut, joined, messagesOf, parsed } from "./frames.test.kit.ts";
import { Utf8Validator } from "./utf8-validator.ts";

const NUM_RUNS = 300;
/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# frames.property: seed ${seed}`);
const parameters = { seed, numRuns: NUM_RUNS };

const mask = fc.uint8Array({ minLength: 4, maxLength: 4 });
const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 });
const control = fc.record({
  opcode: fc.constantFrom(8, 9, 10),
  payload: fc.uint8Array({ maxLength: 125 }),
});
const fragment = fc.record({
  payload: fc.uint8Array({ maxLength: 400 }),
  before: fc.array(control, { maxLength: 2 }),
});
const message = fc.record({
  opcode: fc.constantFrom(1, 2),
  isCompressed: fc.boolean(),
  fragments: fc.array(fragment, { minLength: 1, maxLength: 4 }),
});
const KINDS: Readonly<Record<number, string>> = {
  1: "text",
  2: "binary",
  8: "close",
  9: "ping",
  10: "pong",
};

for (const role of ["client", "server"] as const) {
  test(`FrameParser: as ${role}, reads random messages in random fragments and pieces as they were meant`, () => {
    const property = fc.property(
      fc.array(message, { maxLength: 4 }),
      sizes,
      mask,
      (messages, lengths, key) => {
        const settings = role === "server" ? { mask: key } : {};
        const frames: Uint8Array[] = [];
        const wanted: string[] = [];
        for (const { opcode, isCompressed, fragments } of messages) {
          for (const [index, { payload, before }] of fragments.entries()) {
            for (const one of before) {
              frames.push(encodeFrame({ ...settings, opcode: one.opcode }, one.payload));
              wanted.push(`${KINDS[one.opcode]} ${[...one.payload].join()}`);
            }
            const isFinal = index === fragments.length - 1;
            const head = index === 0 ? { opcode, isCompressed } : { opcode: 0 };
            frames.push(encodeFrame({ ...settings, ...head, isFinal }, payload));
          }
          const whole = fragments.flatMap(({ payload }) => [...payload]).join();
          wanted.push(`${KINDS[opcode]}${isCompressed ? " compressed" : ""} ${whole}`);
        }
        const options = { role, allowsCompressed: true } as const;
        const { events, failure } = parsed(options, cut(joined(frames), lengths));
        assert.equal(failure, undefined);
        assert.deepEqual(messagesOf(events), wanted);
      },
    );
    fc.assert(property, parameters);
  });

  test(`FrameParser: as ${role}, any bytes give the same in any pieces`, () => {
    const first = fc.constantFrom(0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a, 0xc1, 0x41);
    const maskBit = role === "server" ? 0x80 : 0;
    const frame = fc
      .tuple(
        fc.oneof({ weight: 9, arbitrary: first }, fc.nat(255)),
        fc.nat(12),
        fc.uint8Array({ maxLength: 12 }),
      )
      .map(([head, length, rest]) => joined([Uint8Array.of(head, maskBit | length), rest]));
    const property = fc.property(fc.array(frame, { maxLength: 8 }), sizes, (frames, lengths) => {
      const bytes = joined(frames);
      const options = { role, allowsCompressed: true, messageBytesMax: 30 } as const;
      const whole = parsed(options, [bytes]);
      const pieces = parsed(options, cut(bytes, lengths));
      assert.deepEqual(messagesOf(pieces.events), messagesOf(whole.events));
      assert.equal(pieces.failure, whole.failure);
    });
    fc.assert(property, parameters);
  });
}

test("applyMask: the same as byte by byte, wherever bytes lie and however they are cut", () => {
  const property = fc.property(
    fc.uint8Array({ maxLength: 300 }),
    mask,
    fc.nat(7),
    fc.nat(9),
    (bytes, key, shift, offset) => {
      const memory = new Uint8Array(bytes.length + shift);
      memory.set(bytes, shift);
      const view = memory.subarray(shift);
      applyMask(view, key, offset);
      assert.deepEqual(
        view.slice(),
        bytes.map((byte, index) => byte ^ (key[(index + offset) & 3] as number)),
      );
      assert.ok(memory.subarray(0, shift).every((byte) => byte === 0));
    },
  );
  fc.assert(property, parameters);
});

/** Bytes that are nearly UTF-8. */
const nearlyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }).map((text) => new TextEncoder().encode(text)),
      fc.uint8Array({ maxLength: 2 }),
      fc
        .constantFrom(
          [0xed, 0xa0, 0x80],
          [0xf4, 0x90, 0x80, 0x80],
          [0xc0, 0x80],
          [0xe0, 0x80, 0x80],
          [0xf0, 0x9f, 0x98],
        )
        .map((bytes) => Uint8Array.from(bytes)),
    ),
    { maxLength: 5 },
  )
  .map(joined);

test("Utf8Validator: takes what a decoder takes, in any pieces", () => {
  const property = fc.property(nearlyText, sizes, (bytes, lengths) => {
    let isText = true;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      isText = false;
    }
    const validator = new Utf8Validator();
    const isTaken = [...cut(bytes, lengths)].every((piece) => validator.push(piece));
    assert.equal(isTaken && validator.isWhole, isText);
  });
  fc.assert(property, { seed, numRuns: 2000 });
});
