import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteBuffer } from "./byte-buffer.ts";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# byte-buffer: seed ${printedSeed}`);

type Command =
  | { readonly do: "append"; readonly bytes: Uint8Array; readonly total: number }
  | { readonly do: "prepend"; readonly bytes: Uint8Array }
  | { readonly do: "take" | "takeInto" | "skip" | "peek"; readonly count: number }
  | { readonly do: "indexOf"; readonly byte: number; readonly from: number }
  | { readonly do: "settle" };

const few = fc.uint8Array({ minLength: 1, maxLength: 40, max: 5 });
const many = fc
  .tuple(fc.nat({ max: 5 }), fc.integer({ min: 1000, max: 9000 }))
  .map(([byte, length]) => new Uint8Array(length).fill(byte));
const bytes = fc.oneof({ weight: 5, arbitrary: few }, { weight: 1, arbitrary: many });
const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("append" as const), bytes, total: fc.nat({ max: 100 }) }),
    fc.record({ do: fc.constant("prepend" as const), bytes: few }),
    fc.record({
      do: fc.constantFrom("take" as const, "takeInto" as const, "skip" as const, "peek" as const),
      count: fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 5000 })),
    }),
    fc.record({ do: fc.constant("indexOf" as const), byte: fc.nat(6), from: fc.nat(60) }),
    fc.constant({ do: "settle" as const }),
  ),
  { maxLength: 60 },
);

test("ByteBuffer: any operations give what a plain array gives, and nothing handed out changes later", () => {
  fc.assert(
    fc.property(commands, (list) => {
      const buffer = new ByteBuffer();
      let model: number[] = [];
      const kept: { readonly view: Uint8Array; readonly expected: readonly number[] }[] = [];
      for (const command of list) {
        if (command.do === "append") {
          buffer.append(
            command.bytes.slice(),
            command.total === 0 ? 0 : model.length + command.total,
          );
          model.push(...command.bytes);
        } else if (command.do === "prepend") {
          buffer.prepend(command.bytes);
          model = [...command.bytes, ...model];
        } else if (command.do === "indexOf") {
          assert.equal(
            buffer.indexOf(command.byte, command.from),
            model.indexOf(command.byte, command.from),
          );
        } else if (command.do === "settle") {
          buffer.settle();
        } else {
          const count = Math.min(command.count, model.length);
          const expected = model.slice(0, count);
          if (command.do === "peek") assert.deepEqual([...buffer.peek(count)], expected);
          else model.splice(0, count);
          if (command.do === "take") kept.push({ view: buffer.take(count), expected });
          if (command.do === "skip") buffer.skip(count);
          if (command.do === "takeInto") {
            const view = new Uint8Array(count);
            assert.equal(buffer.takeInto(view), count);
            assert.deepEqual([...view], expected);
          }
        }
        assert.equal(buffer.length, model.length);
        assert.deepEqual([...buffer.peek()], model);
      }
      for (const { view, expected } of kept) assert.deepEqual([...view], expected);
    }),
    { numRuns: 300, seed: printedSeed },
  );
});

test("ByteBuffer: a chunk that suffices is handed out as it came, without a copy", () => {
  const buffer = new ByteBuffer();
  const chunk = new Uint8Array(5000).fill(7);
  buffer.append(chunk);
  const part = buffer.take(2000);
  assert.notEqual(
    part.buffer,
    chunk.buffer,
    "what is in there stays, whatever becomes of the part",
  );
  assert.equal(part.buffer.byteLength, 2000);
  assert.equal(buffer.take(3000).buffer, chunk.buffer);
  assert.equal(buffer.peek().buffer.byteLength, 0, "an empty buffer keeps no memory");
});

test("ByteBuffer: a small piece of a large chunk keeps that alive neither outside nor inside", () => {
  const buffer = new ByteBuffer();
  buffer.append(new Uint8Array(65_536).fill(7));
  assert.ok(buffer.take(10).buffer.byteLength < 100);
  buffer.skip(65_516);
  assert.equal(buffer.peek().buffer.byteLength, 65_536);
  buffer.settle();
  assert.ok(buffer.peek().buffer.byteLength < 1000);
  assert.deepEqual(
    [...buffer.peek()],
    Array.from({ length: 10 }, () => 7),
  );
  const memory = buffer.peek().buffer;
  buffer.settle();
  assert.equal(buffer.peek().buffer, memory, "settled once");
});

test("ByteBuffer.append: memory doubles, and is taken no further than the total that is known", () => {
  const buffer = new ByteBuffer();
  const memories = new Set<ArrayBufferLike>();
  for (let count = 0; count < 100_000; count++) {
    buffer.append(Uint8Array.of(count));
    memories.add(buffer.peek().buffer);
  }
  assert.ok(memories.size < 15, `${memories.size} memories for 100,000 bytes that came one by one`);
  const exact = new ByteBuffer();
  for (let count = 0; count < 10; count++) exact.append(new Uint8Array(100), 1000);
  assert.equal(exact.peek().buffer.byteLength, 1000);
  const surprised = new ByteBuffer();
  surprised.append(new Uint8Array(10), 1_000_000_000);
  surprised.append(new Uint8Array(10), 1_000_000_000);
  assert.ok(surprised.peek().buffer.byteLength < 1000, "what is announced takes no memory");
});

test("ByteBuffer.append: a Buffer of Node, whose slice is a view, is treated as the Uint8Array it is", () => {
  const buffer = new ByteBuffer();
  buffer.append(Buffer.from("abcdefgh".repeat(1000)));
  const taken = buffer.take(3);
  assert.equal(Object.getPrototypeOf(taken), Uint8Array.prototype);
  assert.ok(taken.buffer.byteLength < 100);
});
