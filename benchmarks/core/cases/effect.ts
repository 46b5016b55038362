/** The work of the core benches with Effect: for each, the fastest of its own ways to do it. */
import * as Effect from "effect/Effect";
import * as Fiber from "effect/Fiber";
import * as FiberSet from "effect/FiberSet";
import * as Queue from "effect/Queue";
import * as Semaphore from "effect/Semaphore";
import { liveHeapBytes, runRequestedCase, stopwatch, type Case } from "../../harness/case.ts";
import { CONTENDERS, TIMEOUT_MS } from "../amounts.ts";

/** The usual way: starts all, joins all, and a failure stops the others. */
const spawn: Case = async (ops) => {
  const all = Effect.forEach(Array.from({ length: ops }), () => Effect.yieldNow, {
    concurrency: "unbounded",
    discard: true,
  });
  const elapsed = stopwatch();
  await Effect.runPromise(all);
  return elapsed();
};

/** The quickest way that still stops the others on a failure. It starts fibers at once, inside the call, as ours never does. */
const spawnFiberSet: Case = async (ops) => {
  const group = Effect.gen(function* () {
    const fibers = yield* FiberSet.make();
    for (let i = 0; i < ops; i++) yield* FiberSet.run(fibers, Effect.yieldNow);
    yield* Effect.raceFirst(FiberSet.join(fibers), FiberSet.awaitEmpty(fibers));
  });
  const elapsed = stopwatch();
  await Effect.runPromise(Effect.scoped(group));
  return elapsed();
};

/** Does `step` `ops` times, one after another; the cheapest loop that Effect has. */
function repeat<E>(ops: number, step: () => Effect.Effect<unknown, E>): Effect.Effect<void, E> {
  let done = 0;
  return Effect.whileLoop({ while: () => done < ops, body: step, step: () => void done++ });
}

const checkpointYield: Case = async (ops) => {
  const elapsed = stopwatch();
  await Effect.runPromise(repeat(ops, () => Effect.yieldNow));
  return elapsed();
};

const timeout: Case = async (ops) => {
  const limited = Effect.timeoutOption(Effect.yieldNow, TIMEOUT_MS);
  const elapsed = stopwatch();
  await Effect.runPromise(repeat(ops, () => limited));
  return elapsed();
};

/** Starts `ops` fibers that wait for ever; each has begun to wait when this ends. */
function forkWaiting(ops: number): Effect.Effect<Fiber.Fiber<never>[]> {
  return Effect.gen(function* () {
    const fibers: Fiber.Fiber<never>[] = [];
    for (let i = 0; i < ops; i++) fibers.push(yield* Effect.forkChild(Effect.never));
    yield* Effect.yieldNow;
    return fibers;
  });
}

const cancel: Case = (ops) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const fibers = yield* forkWaiting(ops);
      const elapsed = stopwatch();
      yield* Fiber.interruptAll(fibers);
      return elapsed();
    }),
  );

const rendezvous: Case = (ops) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const there = yield* Queue.bounded<number>(1);
      const back = yield* Queue.bounded<number>(1);
      const ask = Effect.andThen(Queue.offer(there, 1), Queue.take(back));
      const echo = Effect.flatMap(Queue.take(there), (item) => Queue.offer(back, item));
      const elapsed = stopwatch();
      const other = yield* Effect.forkChild(repeat(ops, () => echo));
      yield* repeat(ops, () => ask);
      yield* Fiber.join(other);
      return elapsed();
    }),
  );

const channel: Case = (ops) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const queue = yield* Queue.bounded<number>(100);
      const take = Queue.take(queue);
      const offer = Queue.offer(queue, 1);
      const elapsed = stopwatch();
      const producer = yield* Effect.forkChild(repeat(ops, () => offer));
      yield* repeat(ops, () => take);
      yield* Fiber.join(producer);
      return elapsed();
    }),
  );

const lock: Case = async (ops) => {
  const semaphore = Semaphore.makeUnsafe(1);
  const held = semaphore.withPermits(1)(Effect.void);
  const elapsed = stopwatch();
  await Effect.runPromise(repeat(ops, () => held));
  return elapsed();
};

const lockContended: Case = async (ops) => {
  const semaphore = Semaphore.makeUnsafe(1);
  const held = semaphore.withPermits(1)(Effect.yieldNow);
  const all = Array.from({ length: CONTENDERS }, () => repeat(ops / CONTENDERS, () => held));
  const elapsed = stopwatch();
  await Effect.runPromise(Effect.all(all, { concurrency: "unbounded", discard: true }));
  return elapsed();
};

const memory: Case = (ops) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const before = yield* Effect.promise(liveHeapBytes);
      const fibers = yield* forkWaiting(ops);
      const after = yield* Effect.promise(liveHeapBytes);
      yield* Fiber.interruptAll(fibers);
      return after - before;
    }),
  );

await runRequestedCase({
  spawn,
  "spawn-fiberset": spawnFiberSet,
  "checkpoint-yield": checkpointYield,
  timeout,
  cancel,
  rendezvous,
  channel,
  lock,
  "lock-contended": lockContended,
  memory,
});
