/** Random operations on lock, semaphore and limiter, with random cancellation, against one model: a count, and a queue. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import type { Lease } from "./lease.ts";
import { CapacityLimiter } from "./limiter.ts";
import { Lock } from "./lock.ts";
import { Semaphore } from "./semaphore.ts";
import { moveOnAfter, sleep } from "./timeouts.ts";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# acquiring.property: seed ${printedSeed}`);

interface Command {
  readonly do:
    | "acquire"
    | "acquireNowait"
    | "acquireCancelled"
    | "cancel"
    | "release"
    | "total"
    | "settle";
  readonly on: number;
}

const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.record({
    do: fc.constantFrom<Command["do"][]>(
      ...(["acquire", "acquire", "acquire", "acquireNowait", "acquireCancelled"] as const),
      ...([
        "cancel",
        "cancel",
        "release",
        "release",
        "release",
        "total",
        "settle",
        "settle",
      ] as const),
    ),
    on: fc.nat({ max: 30 }),
  }),
  { maxLength: 80 },
);

/** What a lock, a semaphore and a limiter have in common. */
interface Subject {
  acquire(borrower: number): Promise<Lease>;
  acquireNowait(borrower: number): Lease;
  setTotal?(total: number): void;
  counts(): { lent: number; waiting: number };
}

interface Kind {
  readonly name: string;
  readonly onePerBorrower: boolean;
  make(total: number): Subject;
}

const kinds: Kind[] = [
  {
    name: "Lock",
    onePerBorrower: false,
    make() {
      const lock = new Lock();
      return {
        acquire: () => lock.acquire(),
        acquireNowait: () => lock.acquireNowait(),
        counts: () => ({ lent: Number(lock.locked), waiting: lock.statistics().tasksWaiting }),
      };
    },
  },
  {
    name: "Semaphore",
    onePerBorrower: false,
    make(total) {
      const semaphore = new Semaphore(total, { maxValue: total });
      return {
        acquire: () => semaphore.acquire(),
        acquireNowait: () => semaphore.acquireNowait(),
        counts: () => ({
          lent: total - semaphore.value,
          waiting: semaphore.statistics().tasksWaiting,
        }),
      };
    },
  },
  {
    name: "CapacityLimiter",
    onePerBorrower: true,
    make(total) {
      const limiter = new CapacityLimiter(total);
      return {
        acquire: (borrower) => limiter.acquireOnBehalfOf(borrower),
        acquireNowait: (borrower) => limiter.acquireOnBehalfOfNowait(borrower),
        setTotal: (changed) => (limiter.totalTokens = changed),
        counts: () => ({
          lent: limiter.borrowedTokens,
          waiting: limiter.statistics().tasksWaiting,
        }),
      };
    },
  },
];

/** One acquire: what became of it, and what the model says should have. */
class Operation {
  readonly scope: CancelScope = new CancelScope();
  readonly borrower: number;
  outcome = "pending";
  expected = "pending";
  lease: Lease | undefined;
  done: Promise<void> = Promise.resolve();

  constructor(borrower: number) {
    this.borrower = borrower;
  }

  start(fn: () => Promise<Lease>): void {
    this.done = this.scope.run(fn).then(
      (lease) => {
        this.lease = lease;
        this.outcome = lease === undefined ? "cancelled" : "lease";
      },
      (error: Error) => {
        this.outcome = error.name;
      },
    );
  }

  nowait(fn: () => Lease): void {
    try {
      this.lease = fn();
      this.outcome = "lease";
    } catch (error) {
      this.outcome = (error as Error).name;
    }
  }
}

class Comparison {
  readonly #kind: Kind;
  readonly #subject: Subject;
  readonly #operations: Operation[] = [];
  // The model.
  #total: number;
  #lent: Operation[] = [];
  #queue: Operation[] = [];

  constructor(kind: Kind, total: number) {
    this.#kind = kind;
    this.#total = total;
    this.#subject = kind.make(total);
  }

  async apply(command: Command): Promise<void> {
    const { on } = command;
    if (command.do === "settle") await waitAllTasksBlocked();
    else if (command.do === "cancel") this.#cancel(on % Math.max(this.#operations.length, 1));
    else if (command.do === "release") this.#release(on);
    else if (command.do === "total") this.#setTotal(on % 5);
    else this.#acquire(command.do, on % 6);
    assert.deepEqual(this.#subject.counts(), {
      lent: this.#lent.length,
      waiting: this.#queue.length,
    });
  }

  #acquire(how: Command["do"], borrower: number): void {
    const operation = new Operation(borrower);
    const busy = [...this.#lent, ...this.#queue].some((other) => other.borrower === borrower);
    if (how === "acquireCancelled") operation.expected = "cancelled";
    else if (busy && this.#kind.onePerBorrower) operation.expected = "InvalidStateError";
    else if (this.#lent.length < this.#total) this.#lend(operation);
    else if (how === "acquireNowait") operation.expected = "WouldBlock";
    else this.#queue.push(operation);
    if (how === "acquireCancelled") operation.scope.cancel();
    if (how === "acquireNowait") operation.nowait(() => this.#subject.acquireNowait(borrower));
    else operation.start(() => this.#subject.acquire(borrower));
    this.#operations.push(operation);
  }

  #lend(operation: Operation): void {
    operation.expected = "lease";
    this.#lent.push(operation);
  }

  #lendFree(): void {
    while (this.#lent.length < this.#total && this.#queue.length > 0)
      this.#lend(this.#queue.shift() as Operation);
  }

  #cancel(at: number): void {
    const operation = this.#operations[at];
    if (operation === undefined) return;
    if (operation.expected === "pending") operation.expected = "cancelled";
    this.#queue = this.#queue.filter((other) => other !== operation);
    operation.scope.cancel();
  }

  #release(on: number): void {
    const held = this.#lent.filter((operation) => operation.lease !== undefined);
    const operation = held[on % Math.max(held.length, 1)];
    if (operation === undefined) return;
    this.#lent = this.#lent.filter((other) => other !== operation);
    this.#lendFree();
    operation.lease?.release();
  }

  #setTotal(total: number): void {
    if (this.#subject.setTotal === undefined) return;
    this.#total = total;
    this.#lendFree();
    this.#subject.setTotal(total);
  }

  async finish(): Promise<void> {
    for (let at = 0; at < this.#operations.length; at++) this.#cancel(at);
    await Promise.all(this.#operations.map((operation) => operation.done));
    assert.deepEqual(
      this.#operations.map((operation) => operation.outcome),
      this.#operations.map((operation) => operation.expected),
    );
    while (this.#lent.length > 0) this.#release(0);
    assert.deepEqual(this.#subject.counts(), { lent: 0, waiting: 0 });
  }
}

interface Visit {
  readonly afterMs: number;
  readonly holdMs: number;
  readonly patienceMs: number;
}

const ms = fc.nat({ max: 20 });
const visits: fc.Arbitrary<Visit[]> = fc.array(
  fc.record({ afterMs: ms, holdMs: ms, patienceMs: ms }),
  { maxLength: 12 },
);

for (const kind of kinds) {
  test(`${kind.name}: every acquire ends as a simple model says, whatever is cancelled when (§2.2, §2.4, §6)`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), commands, fc.nat(), (total, list, seed) =>
        run(
          async () => {
            const comparison = new Comparison(kind, kind.name === "Lock" ? 1 : total);
            for (const command of list) await comparison.apply(command);
            await comparison.finish();
          },
          { backend: simulator({ seed }) },
        ),
      ),
      { numRuns: 500, seed: printedSeed },
    );
  });

  test(`${kind.name}: no more tasks are inside than may be, and all is free in the end, under random timeouts and orders (§6)`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), visits, fc.nat(), (most, list, seed) =>
        run(
          async () => {
            const total = kind.name === "Lock" ? 1 : most;
            const subject = kind.make(total);
            let inside = 0;
            const visit = async ({ afterMs, holdMs, patienceMs }: Visit, borrower: number) => {
              await sleep(afterMs);
              await moveOnAfter(patienceMs, async () => {
                using _lease = await subject.acquire(borrower);
                inside += 1;
                try {
                  assert.ok(inside <= total);
                  await sleep(holdMs);
                } finally {
                  inside -= 1;
                }
              });
            };
            await taskGroup(async (group) => {
              for (const [borrower, one] of list.entries())
                group.startSoon(() => visit(one, borrower));
            });
            assert.deepEqual(subject.counts(), { lent: 0, waiting: 0 });
          },
          { backend: simulator({ seed }) },
        ),
      ),
      { numRuns: 300, seed: printedSeed },
    );
  });
}
