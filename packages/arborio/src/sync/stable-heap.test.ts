import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StableHeap } from "./stable-heap.ts";

/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# stable-heap: seed ${seed}`);

interface Ranked {
  readonly rank: number;
  readonly added: number;
}

/** A heap of ranks, and what a sorted list says it should be. `failsAt` counts comparisons down to one that throws. */
class Comparison {
  readonly expected: Ranked[] = [];
  failsAt = Infinity;
  readonly heap: StableHeap<Ranked> = new StableHeap("test", (a, b) => {
    if ((this.failsAt -= 1) === 0) throw new Error("compare failed");
    return a.rank - b.rank;
  });
  #added = 0;

  push(rank: number): void {
    const item = { rank, added: this.#added++ };
    this.heap.push(item);
    this.expected.push(item);
    this.expected.sort((a, b) => a.rank - b.rank);
  }

  shift(): void {
    if (this.heap.size === 0) return;
    assert.deepEqual(this.heap.shift(), this.expected[0]);
    this.expected.shift();
  }
}

test("StableHeap: gives what a stably sorted list gives, also around comparisons that throw", () => {
  const operation = fc.oneof(
    { weight: 3, arbitrary: fc.record({ push: fc.nat({ max: 8 }), failsAt: fc.nat({ max: 12 }) }) },
    { weight: 2, arbitrary: fc.record({ push: fc.constant(null), failsAt: fc.nat({ max: 12 }) }) },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const comparison = new Comparison();
      for (const { push, failsAt } of operations) {
        comparison.failsAt = failsAt === 0 ? Infinity : failsAt;
        try {
          if (push === null) comparison.shift();
          else comparison.push(push);
        } catch (error) {
          assert.equal((error as Error).message, "compare failed");
        }
        assert.equal(comparison.heap.size, comparison.expected.length);
      }
      comparison.failsAt = Infinity;
      assert.deepEqual(comparison.heap.takeAll(), comparison.expected);
      assert.equal(comparison.heap.size, 0);
    }),
    { numRuns: 1000, seed },
  );
});

test("StableHeap.takeAll: loses nothing when comparing fails", () => {
  const comparison = new Comparison();
  for (const rank of [3, 1, 2]) comparison.push(rank);
  comparison.failsAt = 1;
  const taken = comparison.heap.takeAll();
  assert.deepEqual(
    taken.map((item) => item.rank).toSorted((a, b) => a - b),
    [1, 2, 3],
  );
  assert.equal(comparison.heap.size, 0);
});

test("StableHeap: a compare that gives no number is an error that says so, and changes nothing", () => {
  for (const answer of [true, false, undefined, "1", Number.NaN, 1n]) {
    const heap = new StableHeap<number>("createQueue({ order })", () => answer as never);
    heap.push(1);
    assert.throws(() => heap.push(2), {
      name: "TypeError",
      message: `createQueue({ order }): compare gave ${typeof answer === "string" ? '"1"' : answer}, needs a number: below 0 if its first argument comes first`,
    });
    assert.equal(heap.size, 1);
    assert.equal(heap.shift(), 1);
  }
});
