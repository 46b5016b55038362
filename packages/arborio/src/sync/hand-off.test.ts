/** What every primitive that waits must keep, as one table; `hand-off.test.kit.ts` has the tests. */
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { createChannel } from "./channel.ts";
import { Condition } from "./condition.ts";
import { Event } from "./event.ts";
import { Future } from "./future.ts";
import { type GiveBack, handOffSuite, type Primitive } from "./hand-off.test.kit.ts";
import type { Lease } from "./lease.ts";
import { CapacityLimiter } from "./limiter.ts";
import { Lock } from "./lock.ts";
import { ParkingLot } from "./parking-lot.ts";
import { createQueue } from "./queue.ts";
import { Semaphore } from "./semaphore.ts";

const test = onEveryBackend(nodeTest);

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
  {
    name: "Queue.put",
    kind: "queue.put",
    make() {
      const queue = createQueue<number>(1);
      queue.putNowait(0);
      let put = 0;
      return {
        begin: () => queue.put(1),
        wait: () =>
          queue.put(1).then(() => {
            put += 1;
            return nothing;
          }),
        wake: () => void queue.getNowait(),
        waiting: () => queue.statistics().tasksWaitingPut,
        assertIdle: () => assert.equal(queue.statistics().unfinished, 1 + put),
      };
    },
  },
  ...["get", "next"].map((way): Primitive => ({
    name: way === "next" ? "for await of a Queue" : "Queue.get",
    kind: "queue.get",
    make() {
      const queue = createQueue<number>(1);
      const take = (): Promise<unknown> =>
        way === "next" ? queue[Symbol.asyncIterator]().next() : queue.get();
      let put = 0;
      let got = 0;
      return {
        begin: take,
        wait: () =>
          take().then(() => {
            got += 1;
            return nothing;
          }),
        wake() {
          queue.putNowait(1);
          put += 1;
        },
        waiting: () => queue.statistics().tasksWaitingGet,
        assertIdle: () => assert.deepEqual([got, queue.statistics().size], [put, 0]),
      };
    },
  })),
  {
    name: "Queue.join",
    kind: "queue.join",
    broadcast: true,
    make() {
      const queue = createQueue<number>(1);
      queue.putNowait(1);
      queue.getNowait();
      return {
        begin: () => queue.join(),
        wait: () => queue.join().then(() => nothing),
        wake: () => queue.taskDone(),
        waiting: () => queue.statistics().tasksWaitingJoin,
      };
    },
  },
];

for (const primitive of primitives) handOffSuite(test, primitive);
