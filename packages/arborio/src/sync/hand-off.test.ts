/** What every primitive that waits must keep, as one table: wake and cancellation are ordered by their calls, and nothing is lost. */
import assert from "node:assert/strict";
import { describe, test as nodeTest } from "node:test";
import "../platform/host.ts";
import { Cancelled } from "../core/cancelled.ts";
import { checkpoint } from "../core/checkpoint.ts";
import { ScopeClosedError } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskTree } from "../core/task-tree.ts";
import { droppedRejections } from "../platform/rejection-filter.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { createChannel } from "./channel.ts";
import { Condition } from "./condition.ts";
import { Event } from "./event.ts";
import { Future } from "./future.ts";
import type { Lease } from "./lease.ts";
import { CapacityLimiter } from "./limiter.ts";
import { Lock } from "./lock.ts";
import { ParkingLot } from "./parking-lot.ts";
import { Semaphore } from "./semaphore.ts";

const test = onEveryBackend(nodeTest);

type GiveBack = () => void;
interface Subject {
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

interface Primitive {
  readonly name: string;
  /** What the task tree calls the wait. */
  readonly kind: string;
  /** Whether one wake is for all. */
  readonly broadcast?: true;
  make(): Subject;
}

const nothing: GiveBack = () => {};

const primitives: Primitive[] = [
  {
    name: "Event.wait",
    kind: "event.wait",
    broadcast: true,
    make() {
      const event = new Event();
      return {
        begin: () => event.wait(),
        wait: () => event.wait().then(() => nothing),
        wake: () => event.set(),
        waiting: () => event.statistics().tasksWaiting,
      };
    },
  },
  {
    name: "Future.wait",
    kind: "future.wait",
    broadcast: true,
    make() {
      const future = new Future<number>();
      return {
        begin: () => future.wait(),
        wait: () => future.wait().then(() => nothing),
        wake: () => future.setValue(1),
        waiting: () => future.statistics().tasksWaiting,
      };
    },
  },
  {
    name: "Lock.acquire",
    kind: "lock.acquire",
    make() {
      const lock = new Lock();
      const first = lock.acquireNowait();
      return {
        begin: () => lock.acquire(),
        wait: () => lock.acquire().then((lease) => () => lease.release()),
        wake: () => first[Symbol.dispose](),
        waiting: () => lock.statistics().tasksWaiting,
        assertIdle: () =>
          assert.deepEqual(lock.statistics(), { locked: false, owner: null, tasksWaiting: 0 }),
      };
    },
  },
  {
    name: "Semaphore.acquire",
    kind: "semaphore.acquire",
    make() {
      const semaphore = new Semaphore(1, { maxValue: 1 });
      const first = semaphore.acquireNowait();
      return {
        begin: () => semaphore.acquire(),
        wait: () => semaphore.acquire().then((lease) => () => lease.release()),
        wake: () => first[Symbol.dispose](),
        waiting: () => semaphore.statistics().tasksWaiting,
        assertIdle: () => assert.deepEqual(semaphore.statistics(), { value: 1, tasksWaiting: 0 }),
      };
    },
  },
  {
    name: "CapacityLimiter.acquire",
    kind: "limiter.acquire",
    make() {
      const limiter = new CapacityLimiter(1);
      const first = limiter.acquireOnBehalfOfNowait("first");
      return {
        begin: () => limiter.acquireOnBehalfOf({}),
        wait: () => limiter.acquireOnBehalfOf({}).then((lease) => () => lease.release()),
        wake: () => first[Symbol.dispose](),
        waiting: () => limiter.statistics().tasksWaiting,
        assertIdle: () =>
          assert.deepEqual(limiter.statistics(), {
            totalTokens: 1,
            borrowedTokens: 0,
            borrowers: [],
            tasksWaiting: 0,
          }),
      };
    },
  },
  {
    name: "Condition.wait",
    kind: "condition.wait",
    make() {
      const condition = new Condition();
      return {
        begin() {
          condition.acquireNowait();
          return condition.wait();
        },
        wait() {
          const lease = condition.acquireNowait();
          return condition.wait().then(
            () => () => lease.release(),
            (error: unknown) => {
              lease.release();
              throw error;
            },
          );
        },
        wake() {
          const notify = (lease: Lease): void => {
            condition.notify();
            lease.release();
          };
          if (condition.lock.locked) return condition.acquire().then(notify);
          return notify(condition.acquireNowait());
        },
        waiting: () => condition.statistics().tasksWaiting,
        assertIdle: () =>
          assert.deepEqual(condition.statistics(), {
            tasksWaiting: 0,
            lock: { locked: false, owner: null, tasksWaiting: 0 },
          }),
      };
    },
  },
  {
    name: "ParkingLot.park",
    kind: "parkingLot.park",
    make() {
      const lot = new ParkingLot();
      return {
        begin: () => lot.park(),
        wait: () => lot.park().then(() => nothing),
        wake: () => void lot.unpark(),
        waiting: () => lot.statistics().tasksWaiting,
      };
    },
  },
  {
    name: "SendChannel.send",
    kind: "channel.send",
    make() {
      const [sender, receiver] = createChannel<number>(0);
      let sent = 0;
      let received = 0;
      return {
        begin: () => sender.send(1),
        wait: () =>
          sender.send(1).then(() => {
            sent += 1;
            return nothing;
          }),
        wake() {
          receiver.receiveNowait();
          received += 1;
        },
        waiting: () => sender.statistics().tasksWaitingSend,
        assertIdle: () => assert.equal(sent, received),
      };
    },
  },
  ...["receive", "next"].map((way): Primitive => ({
    name: way === "next" ? "for await of a ReceiveChannel" : "ReceiveChannel.receive",
    kind: "channel.receive",
    make() {
      const [sender, receiver] = createChannel<number>(0);
      const iterator = receiver[Symbol.asyncIterator]();
      let sent = 0;
      let received = 0;
      return {
        begin: () => (way === "next" ? iterator.next() : receiver.receive()),
        wait: () =>
          (way === "next" ? iterator.next() : receiver.receive()).then(() => {
            received += 1;
            return nothing;
          }),
        wake() {
          sender.sendNowait(1);
          sent += 1;
        },
        waiting: () => sender.statistics().tasksWaitingReceive,
        assertIdle: () => assert.equal(received, sent),
      };
    },
  })),
];

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

for (const primitive of primitives) {
  describe(primitive.name, () => {
    test(`${primitive.name}: woken, then cancelled in the same turn: it returns, and the next checkpoint throws (§2.4)`, async () => {
      const subject = primitive.make();
      const flow = new Flow(subject);
      const woken = subject.wake();
      flow.scope.cancel();
      await Promise.all([woken, flow.done]);
      assert.deepEqual([flow.got, flow.wentOn, flow.scope.cancelledCaught], [true, false, true]);
      assertIdle(subject);
    });

    test(`${primitive.name}: cancelled, then woken in the same turn: it throws, and the next waiter gets it (§2.2, §2.4)`, async () => {
      const subject = primitive.make();
      const flow = new Flow(subject);
      const next = new Flow(subject);
      flow.scope.cancel();
      await subject.wake();
      await Promise.all([flow.done, next.done]);
      assert.deepEqual([flow.got, flow.scope.cancelledCaught], [false, true]);
      assert.deepEqual([next.got, next.wentOn], [true, true]);
      assertIdle(subject);
    });

    test(`${primitive.name}: cancelled by a cancel that also hits the waiter before it: neither has it (§2.2)`, async () => {
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
    });

    test(`${primitive.name}: called in a cancelled scope it throws and has no effect (§2.2)`, async () => {
      const subject = primitive.make();
      const scope = new CancelScope();
      scope.cancel();
      const error = await scope.run(() => subject.wait().catch((error: unknown) => error));
      assert.ok(error instanceof Cancelled);
      assert.equal(subject.waiting(), 0);
    });

    test(`${primitive.name}: a cancelled wait that nobody awaits is no unhandled rejection (§1.6)`, async () => {
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
    });

    test(`${primitive.name}: a wait that floats when its scope is left is withdrawn, and the scope waits for that (§1.6)`, async () => {
      const subject = primitive.make();
      let floating: Promise<unknown> | undefined;
      await new CancelScope().run(async () => {
        floating = subject.wait().catch((error: unknown) => error);
        await checkpoint();
        assert.equal(subject.waiting(), 1);
      });
      assert.equal(subject.waiting(), 0);
      assert.ok((await floating) instanceof Cancelled);
    });

    test(`${primitive.name}: called by a flow that has outlived its scope it throws ScopeClosedError and has no effect (§1.5)`, async () => {
      const subject = primitive.make();
      const { promise, resolve } = Promise.withResolvers<void>();
      let late: Promise<unknown> | undefined;
      await new CancelScope().run(() => {
        late = promise.then(() => subject.wait()).catch((error: unknown) => error);
      });
      resolve();
      assert.ok((await late) instanceof ScopeClosedError);
      assert.equal(subject.waiting(), 0);
    });

    test(`${primitive.name}: a shielded wait goes on while the scopes around it are cancelled (§1.3)`, async () => {
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
    });

    test(`${primitive.name}: the task tree says what the wait is (§8)`, async () => {
      const subject = primitive.make();
      const flow = new Flow(subject);
      assert.match(taskTree(), new RegExp(primitive.kind.replace(".", "\\.")));
      flow.scope.cancel();
      await flow.done;
    });

    if (primitive.broadcast === undefined) {
      test(`${primitive.name}: who has waited longest is first (§6)`, async () => {
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
      });
    }
  });
}
