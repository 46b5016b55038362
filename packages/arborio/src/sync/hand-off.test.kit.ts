/** What every primitive that waits must keep: wake and cancellation are ordered by their calls, and nothing is lost. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import { Cancelled } from "../core/cancelled.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { ScopeClosedError } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskTree } from "../core/task-tree.ts";
import { droppedRejections } from "../platform/rejection-filter.ts";
import type { BackendTest } from "../testing/every-backend.ts";

/** Gives back what was got. */
export type GiveBack = () => void;

/** One object of a primitive. */
export interface Subject {
  /** Begins the bare wait. */
  begin(): Promise<unknown>;
  /** Begins the wait; what it resolves to gives back what was got. */
  wait(): Promise<GiveBack>;
  /** Lets one wait, or all, go on. At once, unless what it needs for that is taken. */
  wake(): void | Promise<void>;
  waiting(): number;
  /** Nothing is held or lost, when all that was got was given back. */
  assertIdle?(): void;
}

/** One way to wait. */
export interface Primitive {
  readonly name: string;
  /** What the task tree calls the wait. */
  readonly kind: string;
  /** Whether one wake is for all. */
  readonly broadcast?: true;
  make(): Subject;
}

/** One flow that waits, holds what it got over a checkpoint, and gives it back. Its scope can be cancelled from outside. */
class Flow {
  readonly scope: CancelScope = new CancelScope();
  got = false;
  wentOn = false;
  readonly done: Promise<void>;

  constructor(subject: Subject) {
    this.done = this.#run(subject);
  }

  async #run(subject: Subject): Promise<void> {
    await this.scope.run(async () => {
      const giveBack = await subject.wait();
      try {
        this.got = true;
        await checkpoint();
        this.wentOn = true;
      } finally {
        giveBack();
      }
    });
  }
}

function assertIdle(subject: Subject): void {
  assert.equal(subject.waiting(), 0);
  subject.assertIdle?.();
}

type Rule = readonly [title: string, check: (primitive: Primitive) => Promise<void>];

/** Defines the tests of one primitive. */
export function handOffSuite(test: BackendTest, primitive: Primitive): void {
  const rules = primitive.broadcast === undefined ? [...forAll, ...forOneAtATime] : forAll;
  describe(primitive.name, () => {
    for (const [title, check] of rules) test(`${primitive.name}: ${title}`, () => check(primitive));
  });
}

const forAll: readonly Rule[] = [
  [
    "woken, then cancelled in the same turn: it returns, and the next checkpoint throws (§2.4)",
    async (primitive) => {
      const subject = primitive.make();
      const flow = new Flow(subject);
      const woken = subject.wake();
      flow.scope.cancel();
      await Promise.all([woken, flow.done]);
      assert.deepEqual([flow.got, flow.wentOn, flow.scope.cancelledCaught], [true, false, true]);
      assertIdle(subject);
    },
  ],

  [
    "cancelled, then woken in the same turn: it throws, and the next waiter gets it (§2.2, §2.4)",
    async (primitive) => {
      const subject = primitive.make();
      const flow = new Flow(subject);
      const next = new Flow(subject);
      flow.scope.cancel();
      await subject.wake();
      await Promise.all([flow.done, next.done]);
      assert.deepEqual([flow.got, flow.scope.cancelledCaught], [false, true]);
      assert.deepEqual([next.got, next.wentOn], [true, true]);
      assertIdle(subject);
    },
  ],

  [
    "cancelled by a cancel that also hits the waiter before it: neither has it (§2.2)",
    async (primitive) => {
      const subject = primitive.make();
      const outer = new CancelScope();
      const flows: Flow[] = [];
      const both = outer.run(async () => {
        for (let i = 0; i < 2; i++) flows.push(new Flow(subject));
        await Promise.all(flows.map((flow) => flow.done));
      });
      const third = new Flow(subject);
      outer.cancel();
      await subject.wake();
      await Promise.all([both, third.done]);
      assert.deepEqual([flows.some((flow) => flow.got), third.got], [false, true]);
      assertIdle(subject);
    },
  ],

  [
    "called in a cancelled scope it throws and has no effect (§2.2)",
    async (primitive) => {
      const subject = primitive.make();
      const scope = new CancelScope();
      scope.cancel();
      const error = await scope.run(() => subject.wait().catch((error: unknown) => error));
      assert.ok(error instanceof Cancelled);
      assert.equal(subject.waiting(), 0);
    },
  ],

  [
    "a cancelled wait that nobody awaits is no unhandled rejection (§1.6)",
    async (primitive) => {
      const subject = primitive.make();
      const before = droppedRejections();
      const scope = new CancelScope();
      await scope.run(async () => {
        void subject.begin();
        scope.cancel();
      });
      for (let turn = 0; turn < 2; turn++) await waitAllTasksBlocked();
      assert.equal(droppedRejections(), before);
      assert.equal(subject.waiting(), 0);
    },
  ],

  [
    "a wait that floats when its scope is left is withdrawn, and the scope waits for that (§1.6)",
    async (primitive) => {
      const subject = primitive.make();
      let floating: Promise<unknown> | undefined;
      await new CancelScope().run(async () => {
        floating = subject.wait().catch((error: unknown) => error);
        await checkpoint();
        assert.equal(subject.waiting(), 1);
      });
      assert.equal(subject.waiting(), 0);
      assert.ok((await floating) instanceof Cancelled);
    },
  ],

  [
    "called by a flow that has outlived its scope it throws ScopeClosedError and has no effect (§1.5)",
    async (primitive) => {
      const subject = primitive.make();
      const { promise, resolve } = Promise.withResolvers<void>();
      let late: Promise<unknown> | undefined;
      await new CancelScope().run(() => {
        late = promise.then(() => subject.wait()).catch((error: unknown) => error);
      });
      resolve();
      assert.ok((await late) instanceof ScopeClosedError);
      assert.equal(subject.waiting(), 0);
    },
  ],

  [
    "a shielded wait goes on while the scopes around it are cancelled (§1.3)",
    async (primitive) => {
      const subject = primitive.make();
      const outer = new CancelScope();
      const shield = new CancelScope({ shield: true });
      let got = false;
      const done = outer.run(() =>
        shield.run(async () => {
          const giveBack = await subject.wait();
          got = true;
          giveBack();
        }),
      );
      outer.cancel();
      await waitAllTasksBlocked();
      assert.deepEqual([got, subject.waiting()], [false, 1]);
      await subject.wake();
      await done;
      assert.ok(got);
      assertIdle(subject);
    },
  ],

  [
    "the task tree says what the wait is (§8)",
    async (primitive) => {
      const subject = primitive.make();
      const flow = new Flow(subject);
      assert.match(taskTree(), new RegExp(primitive.kind.replace(".", "\\.")));
      flow.scope.cancel();
      await flow.done;
    },
  ],
];

const forOneAtATime: readonly Rule[] = [
  [
    "who has waited longest is first (§6)",
    async (primitive) => {
      const subject = primitive.make();
      const flows = Array.from({ length: 4 }, () => new Flow(subject));
      const [first, second, third, fourth] = flows as [Flow, Flow, Flow, Flow];
      second.scope.cancel();
      await subject.wake();
      await first.done;
      assert.equal(first.wentOn, true);
      if (!/^(lock|semaphore|limiter)/.test(primitive.kind)) {
        assert.deepEqual([third.got, fourth.got], [false, false]);
        await subject.wake();
        await third.done;
        assert.deepEqual([third.wentOn, fourth.got], [true, false]);
        await subject.wake();
      }
      await Promise.all(flows.map((flow) => flow.done));
      assert.deepEqual(
        flows.map((flow) => flow.got),
        [true, false, true, true],
      );
      assertIdle(subject);
    },
  ],
];
