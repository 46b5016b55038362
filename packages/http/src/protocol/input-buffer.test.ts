import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InputBuffer } from "./input-buffer.ts";

/** Each byte tells its place in the stream. */
function bytesFrom(place: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (place + index) % 251);
}

test("InputBuffer: large pieces of a body are handed out as they came, without a copy", () => {
  const input = new InputBuffer();
  const pieces = [10, 4096, 65_536, 5000].map((length) => bytesFrom(0, length));
  for (const piece of pieces) input.push(piece, Infinity);
  assert.equal(input.length, 10 + 4096 + 65_536 + 5000);
  for (const piece of pieces) {
    assert.equal(input.pieceLength, piece.length);
    assert.equal(input.take(piece.length), piece);
  }
  assert.equal(input.length, 0);
});

test("InputBuffer: all is in one piece where more than a body has come, and where it is asked for", () => {
  const table: readonly (readonly [string, (input: InputBuffer) => void, number])[] = [
    [
      "what comes is not all of a body",
      (input) => input.push(bytesFrom(13_000, 5000), 17_999),
      18_000,
    ],
    ["a small piece", (input) => input.push(bytesFrom(13_000, 10), Infinity), 13_010],
    [
      "a piece that would hold much more memory than it needs",
      (input) => input.push(bytesFrom(13_000, 65_536).subarray(0, 5000), Infinity),
      18_000,
    ],
    ["asked for", (input) => input.join(), 13_000],
  ];
  for (const [what, change, length] of table) {
    const input = new InputBuffer();
    input.push(bytesFrom(0, 5000), Infinity);
    input.push(bytesFrom(5000, 8000), Infinity);
    assert.equal(input.pieceLength, 5000);
    change(input);
    assert.equal(input.length, length, what);
    assert.equal(input.pieceLength, length, what);
    assert.deepEqual(input.take(length), bytesFrom(0, length), what);
  }
});

test("InputBuffer: small pieces between large ones of a body do not have it copied again and again", () => {
  const input = new InputBuffer();
  const buffers = new Set<ArrayBufferLike>();
  for (let count = 0; count < 1000; count++) {
    input.push(new Uint8Array(count % 2 === 0 ? 4096 : 1), Infinity);
    buffers.add(input.bytes.buffer);
  }
  // A buffer that doubles.
  assert.ok(buffers.size <= 14, `${buffers.size} buffers`);
});

test("InputBuffer: however the input is cut, the bytes are all there, once and in order", () => {
  const size = fc.oneof(fc.nat(20), fc.nat(10_000), fc.constantFrom(4095, 4096, 65_536));
  const step = fc.record({ size, isPlain: fc.boolean(), takes: fc.array(size, { maxLength: 4 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const input = new InputBuffer();
      let [came, used] = [0, 0];
      for (const { size: length, isPlain, takes } of steps) {
        input.push(bytesFrom(came, length), isPlain ? Infinity : 0);
        came += length;
        for (const wanted of takes) {
          const taken = input.take(Math.min(wanted, input.pieceLength));
          assert.deepEqual(taken, bytesFrom(used, taken.length));
          used += taken.length;
          assert.equal(input.length, came - used);
        }
        input.settle();
        assert.ok(input.length === 0 || input.pieceLength > 0);
      }
    }),
    { numRuns: 200 },
  );
});
