/** The work of the core benches with Effection. It has no lock and no bounded channel; its queue is unbounded. */
import {
  createQueue,
  race,
  run,
  scoped,
  sleep,
  spawn as spawnTask,
  suspend,
  until,
  type Operation,
} from "effection";
import { liveHeapBytes, runRequestedCase, stopwatch, type Case } from "../../harness/case.ts";
import { TIMEOUT_MS } from "../amounts.ts";

/** Effection has no yield of its own; one trip through the host's microtasks is the nearest. */
const yieldOnce = (): Operation<void> => until(Promise.resolve());

const spawn: Case = (ops) =>
  run(function* () {
    const elapsed = stopwatch();
    const tasks = [];
    for (let i = 0; i < ops; i++) tasks.push(yield* spawnTask(yieldOnce));
    for (const task of tasks) yield* task;
    return elapsed();
  });

const checkpointYield: Case = (ops) =>
  run(function* () {
    const elapsed = stopwatch();
    for (let i = 0; i < ops; i++) yield* yieldOnce();
    return elapsed();
  });

const timeout: Case = (ops) =>
  run(function* () {
    const elapsed = stopwatch();
    for (let i = 0; i < ops; i++) yield* race([yieldOnce(), sleep(TIMEOUT_MS)]);
    return elapsed();
  });

const cancel: Case = (ops) =>
  run(function* () {
    const group = yield* spawnTask(function* () {
      for (let i = 0; i < ops; i++) yield* spawnTask(suspend);
      yield* suspend();
    });
    yield* sleep(1);
    const elapsed = stopwatch();
    yield* group.halt();
    return elapsed();
  });

const rendezvous: Case = (ops) =>
  run(function* () {
    const there = createQueue<number, void>();
    const back = createQueue<number, void>();
    const elapsed = stopwatch();
    const other = yield* spawnTask(function* () {
      for (let i = 0; i < ops; i++) {
        yield* there.next();
        back.add(i);
      }
    });
    for (let i = 0; i < ops; i++) {
      there.add(i);
      yield* back.next();
    }
    yield* other;
    return elapsed();
  });

const channel: Case = (ops) =>
  run(function* () {
    const queue = createQueue<number, void>();
    const elapsed = stopwatch();
    const consumer = yield* spawnTask(function* () {
      let next = yield* queue.next();
      while (!next.done) next = yield* queue.next();
    });
    for (let i = 0; i < ops; i++) queue.add(i);
    queue.close();
    yield* consumer;
    return elapsed();
  });

const memory: Case = (ops) =>
  run(function* () {
    const before = yield* until(liveHeapBytes());
    return yield* scoped(function* () {
      for (let i = 0; i < ops; i++) yield* spawnTask(suspend);
      yield* sleep(1);
      return (yield* until(liveHeapBytes())) - before;
    });
  });

await runRequestedCase({
  spawn,
  "checkpoint-yield": checkpointYield,
  timeout,
  cancel,
  rendezvous,
  channel,
  memory,
});
