/** Random operations on a queue, with random cancellation, against a model that is three lists. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import { describe, Operation } from "./operation.test.kit.ts";
import { createQueue, type Queue } from "./queue.ts";
import type { QueueOrder } from "./queue-store.ts";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# queue.property: seed ${printedSeed}`);

type Operated = "put" | "putNowait" | "get" | "getNowait" | "next" | "join" | "taskDone";
interface Command {
  readonly do: Operated | "leave" | "cancel" | "shutdown" | "immediate" | "settle";
  /** Which item, or operation, or loop. */
  readonly on: number;
  /** In a scope that was cancelled before. */
  readonly cancelled: boolean;
}

const commands = fc.array(
  fc.record<Command>({
    do: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom<Operated[]>("put", "get", "next", "taskDone") },
      { weight: 4, arbitrary: fc.constantFrom<Operated[]>("putNowait", "getNowait", "join") },
      { weight: 3, arbitrary: fc.constantFrom("cancel", "leave", "settle") },
      { weight: 1, arbitrary: fc.constantFrom("shutdown", "immediate") },
    ) as fc.Arbitrary<Command["do"]>,
    on: fc.nat({ max: 30 }),
    cancelled: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  }),
  { maxLength: 80 },
);

interface Item {
  readonly priority: number;
  readonly id: number;
}

/** Who takes: all calls of `get`, or a loop. */
interface Taker {
  held: number;
  readonly iterates: boolean;
}

interface Waiting {
  readonly operation: Operation;
  readonly item: Item;
  readonly taker: Taker;
}

const loops = 3;

class Model {
  readonly capacity: number;
  readonly order: string;
  items: Item[] = [];
  putters: Waiting[] = [];
  getters: Waiting[] = [];
  joiners: Operation[] = [];
  readonly byGet: Taker = { held: 0, iterates: false };
  readonly byLoop: Taker[] = Array.from({ length: loops }, () => ({ held: 0, iterates: true }));
  isShutDown = false;

  constructor(capacity: number, order: string) {
    this.capacity = capacity;
    this.order = order;
  }

  get unfinished(): number {
    const held = this.byLoop.reduce((sum, taker) => sum + taker.held, this.byGet.held);
    return this.items.length + held;
  }

  put(waiting: Waiting, mayWait: boolean): string {
    if (this.isShutDown) return "ClosedResourceError";
    const getter = this.getters.shift();
    if (getter !== undefined) {
      getter.operation.expected = describe(waiting.item);
      getter.taker.held += 1;
    } else if (this.items.length < this.capacity) this.items.push(waiting.item);
    else if (!mayWait) return "WouldBlock";
    else {
      this.putters.push(waiting);
      return "pending";
    }
    return "undefined";
  }

  get(waiting: Waiting, mayWait: boolean): string {
    const [item] = this.inOrder();
    if (item === undefined) {
      if (this.isShutDown) return waiting.taker.iterates ? "end" : "EndOfStream";
      if (!mayWait) return "WouldBlock";
      this.getters.push(waiting);
      return "pending";
    }
    this.items = this.items.filter((other) => other !== item);
    waiting.taker.held += 1;
    const putter = this.putters.shift();
    if (putter !== undefined) {
      this.items.push(putter.item);
      putter.operation.expected = "undefined";
    }
    return describe(item);
  }

  /** `items` is in the order of arrival. */
  inOrder(): Item[] {
    if (this.order === "lifo") return this.items.toReversed();
    return this.order === "fifo"
      ? this.items
      : this.items.toSorted((a, b) => a.priority - b.priority);
  }

  join(operation: Operation): string {
    if (this.unfinished === 0) return "undefined";
    this.joiners.push(operation);
    return "pending";
  }

  taskDone(): string {
    if (this.byGet.held === 0) return "InvalidStateError";
    this.settle(this.byGet, 1);
    return "undefined";
  }

  settle(taker: Taker, count: number): void {
    taker.held -= count;
    this.finish();
  }

  finish(): void {
    if (this.unfinished > 0) return;
    for (const joiner of this.joiners) joiner.expected = "undefined";
    this.joiners = [];
  }

  shutdown(immediate: boolean): Item[] {
    this.isShutDown = true;
    for (const putter of this.putters) putter.operation.expected = "ClosedResourceError";
    this.putters = [];
    for (const getter of this.getters)
      getter.operation.expected = getter.taker.iterates ? "end" : "EndOfStream";
    this.getters = [];
    if (!immediate) return [];
    const dropped = this.inOrder();
    this.items = [];
    this.finish();
    return dropped;
  }

  cancel(operation: Operation): void {
    if (operation.expected !== "pending") return;
    operation.expected = "cancelled";
    this.putters = this.putters.filter((waiting) => waiting.operation !== operation);
    this.getters = this.getters.filter((waiting) => waiting.operation !== operation);
    this.joiners = this.joiners.filter((waiting) => waiting !== operation);
  }
}

/** The queue and its model, side by side. */
class Comparison {
  readonly #model: Model;
  readonly #queue: Queue<Item>;
  readonly #iterators: AsyncIterator<Item, undefined>[];
  readonly #operations: Operation[] = [];
  #lastItem = 0;

  constructor(capacity: number, order: "fifo" | "lifo" | "priority") {
    this.#model = new Model(capacity, order);
    const queueOrder: QueueOrder<Item> =
      order === "priority" ? (a, b) => a.priority - b.priority : order;
    this.#queue = createQueue<Item>(capacity, { order: queueOrder });
    this.#iterators = this.#model.byLoop.map(() => this.#queue[Symbol.asyncIterator]());
  }

  async apply(command: Command): Promise<void> {
    const { do: what, on } = command;
    if (what === "settle") await waitAllTasksBlocked();
    else if (what === "cancel") this.#cancel(on);
    else if (what === "leave") await this.#leave(on % loops);
    else if (what === "shutdown" || what === "immediate") this.#shutdown(what === "immediate");
    else this.#operate(what, command);
    this.#compareStatistics();
  }

  #cancel(on: number): void {
    const operation = this.#operations[on % Math.max(this.#operations.length, 1)];
    if (operation === undefined) return;
    this.#model.cancel(operation);
    operation.scope.cancel();
  }

  async #leave(loop: number): Promise<void> {
    const taker = this.#model.byLoop[loop] as Taker;
    this.#model.settle(taker, taker.held);
    await this.#iterators[loop]?.return?.();
  }

  #shutdown(immediate: boolean): void {
    const expected = this.#model.shutdown(immediate);
    assert.deepEqual(this.#queue.shutdown({ immediate }), expected);
  }

  #operate(what: Operated, { on, cancelled }: Command): void {
    const operation = new Operation();
    const item: Item = { priority: on % 4, id: ++this.#lastItem };
    const mayWait = !what.endsWith("Nowait");
    const isCancelled = cancelled && mayWait && what !== "taskDone";
    const taker = what === "next" ? (this.#model.byLoop[on % loops] as Taker) : this.#model.byGet;
    // The model first: the real thing may settle waits that the model must have seen.
    if (what === "next") this.#model.settle(taker, taker.held);
    if (isCancelled) {
      operation.expected = "cancelled";
      operation.scope.cancel();
    } else if (what === "join") operation.expected = this.#model.join(operation);
    else if (what === "taskDone") operation.expected = this.#model.taskDone();
    else if (what.startsWith("put"))
      operation.expected = this.#model.put({ operation, item, taker }, mayWait);
    else operation.expected = this.#model.get({ operation, item, taker }, mayWait);
    this.#really(what, operation, item, on % loops);
    this.#operations.push(operation);
  }

  #really(what: Operated, operation: Operation, item: Item, loop: number): void {
    const queue = this.#queue;
    const iterator = this.#iterators[loop] as AsyncIterator<Item, undefined>;
    if (what === "putNowait") operation.nowait(() => queue.putNowait(item));
    else if (what === "getNowait") operation.nowait(() => queue.getNowait());
    else if (what === "taskDone") operation.nowait(() => queue.taskDone());
    else if (what === "put") operation.start(() => queue.put(item));
    else if (what === "get") operation.start(() => queue.get());
    else if (what === "join") operation.start(() => queue.join());
    else operation.start(() => iterator.next());
  }

  #compareStatistics(): void {
    const { items, putters, getters, joiners, unfinished, capacity, isShutDown } = this.#model;
    assert.deepEqual(this.#queue.statistics(), {
      size: items.length,
      capacity,
      unfinished,
      isShutDown,
      tasksWaitingPut: putters.length,
      tasksWaitingGet: getters.length,
      tasksWaitingJoin: joiners.length,
    });
  }

  async finish(): Promise<void> {
    for (let at = 0; at < this.#operations.length; at++) this.#cancel(at);
    await Promise.all(this.#operations.map((operation) => operation.done));
    assert.deepEqual(
      this.#operations.map((operation) => operation.outcome),
      this.#operations.map((operation) => operation.expected),
    );
  }
}

for (const order of ["fifo", "lifo", "priority"] as const) {
  test(`Queue, ${order}: every operation ends as a simple model says, whatever is cancelled and shut down when (§2.2, §2.4, §6)`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), commands, fc.nat(), (capacity, list, seed) =>
        run(
          async () => {
            const comparison = new Comparison(capacity, order);
            for (const one of list) await comparison.apply(one);
            await comparison.finish();
          },
          { backend: simulator({ seed }) },
        ),
      ),
      { numRuns: 400, seed: printedSeed },
    );
  });
}
