import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Deadline, DeadlineHeap } from "./deadlines.ts";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# deadlines: seed ${printedSeed}`);

type Step = readonly [kind: "add" | "remove" | "take", value: number];

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(
    fc.constantFrom("add", "add", "remove", "take"),
    // Few different moments, so that ties are common.
    fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(-Infinity), fc.double({ noNaN: true })),
  ),
  { maxLength: 300 },
);

/** The heap as a list: the earliest is found by looking at all, ties in the order they were added. */
class Model {
  readonly entries: Deadline[] = [];

  get earliest(): Deadline | undefined {
    return this.entries.reduce<Deadline | undefined>(
      (first, entry) => (first === undefined || entry.when < first.when ? entry : first),
      undefined,
    );
  }

  remove(deadline: Deadline | undefined): void {
    const index = this.entries.indexOf(deadline as Deadline);
    if (index >= 0) this.entries.splice(index, 1);
  }
}

test("DeadlineHeap: behaves as a list that is searched for the earliest (§5)", () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const heap = new DeadlineHeap();
      const model = new Model();
      const all: Deadline[] = [];
      for (const [kind, value] of sequence) {
        if (kind === "add") {
          const deadline = new Deadline(value, () => {}, undefined);
          all.push(deadline);
          heap.add(deadline);
          model.entries.push(deadline);
        } else if (kind === "remove") {
          // Also one that has been removed before.
          const deadline = all[Math.abs(Math.trunc(value)) % Math.max(all.length, 1)];
          if (deadline !== undefined) heap.remove(deadline);
          model.remove(deadline);
        } else {
          const earliest = model.earliest;
          const expected = earliest !== undefined && earliest.when <= value ? earliest : undefined;
          assert.equal(heap.takeDue(value), expected);
          model.remove(expected);
        }
        assert.equal(heap.size, model.entries.length);
        assert.equal(heap.earliest, model.earliest?.when ?? Infinity);
      }
    }),
    { seed: printedSeed },
  );
});

test("DeadlineHeap: hands out ten thousand in order, ties first-in first-out (§5)", () => {
  const heap = new DeadlineHeap();
  const added: Deadline[] = [];
  for (let index = 0; index < 10_000; index++) {
    const deadline = new Deadline((index * 7919) % 101, () => {}, index);
    heap.add(deadline);
    added.push(deadline);
  }
  const taken: Deadline[] = [];
  for (let next = heap.takeDue(Infinity); next !== undefined; next = heap.takeDue(Infinity))
    taken.push(next);
  // The sort is stable.
  assert.deepEqual(
    taken.map((deadline) => deadline.target),
    added.toSorted((a, b) => a.when - b.when).map((deadline) => deadline.target),
  );
});
