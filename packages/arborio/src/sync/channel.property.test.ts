/** Random operations on a channel, with random cancellation, against a model that is two lists and a buffer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import { Operation } from "./operation.test.kit.ts";
import { createChannel, type ReceiveChannel, type SendChannel } from "./channel.ts";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# channel.property: seed ${printedSeed}`);

type Command =
  | {
      readonly do: "send" | "sendNowait" | "receive" | "receiveNowait" | "next";
      readonly on: number;
    }
  | { readonly do: "cloneSender" | "cloneReceiver"; readonly on: number }
  | { readonly do: "closeSender" | "closeReceiver"; readonly on: number }
  | { readonly do: "cancel"; readonly on: number }
  | { readonly do: "receiveCancelled" | "sendCancelled"; readonly on: number }
  | { readonly do: "settle" };

const index = fc.nat({ max: 30 });
const command = (...names: Exclude<Command["do"], "settle">[]): fc.Arbitrary<Command> =>
  fc.record({ do: fc.constantFrom(...names), on: index }) as fc.Arbitrary<Command>;
const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: command("send", "receive", "next") },
    { weight: 3, arbitrary: command("sendNowait", "receiveNowait") },
    { weight: 3, arbitrary: command("cancel") },
    { weight: 1, arbitrary: command("sendCancelled", "receiveCancelled") },
    { weight: 1, arbitrary: command("cloneSender", "cloneReceiver") },
    { weight: 1, arbitrary: command("closeSender", "closeReceiver") },
    { weight: 2, arbitrary: fc.constant<Command>({ do: "settle" }) },
  ),
  { maxLength: 60 },
);

interface Waiting {
  readonly operation: Operation;
  readonly handle: number;
  /** The item of a sender; whether a receiver is a `for await`. */
  readonly item: number;
  readonly iterating: boolean;
}

class Model {
  readonly capacity: number;
  readonly buffer: number[] = [];
  senders: Waiting[] = [];
  receivers: Waiting[] = [];
  readonly openSenders: Set<number> = new Set([0]);
  readonly openReceivers: Set<number> = new Set([0]);

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  send(waiting: Waiting, mayWait: boolean): string {
    if (!this.openSenders.has(waiting.handle)) return "ClosedResourceError";
    if (this.openReceivers.size === 0) return "BrokenResourceError";
    const receiver = this.receivers.shift();
    if (receiver !== undefined) receiver.operation.expected = String(waiting.item);
    else if (this.buffer.length < this.capacity) this.buffer.push(waiting.item);
    else if (!mayWait) return "WouldBlock";
    else {
      this.senders.push(waiting);
      return "pending";
    }
    return "undefined";
  }

  receive(waiting: Waiting, mayWait: boolean): string {
    if (!this.openReceivers.has(waiting.handle)) return "ClosedResourceError";
    const sender = this.senders.shift();
    if (sender !== undefined) {
      this.buffer.push(sender.item);
      sender.operation.expected = "undefined";
    }
    const item = this.buffer.shift();
    if (item !== undefined) return String(item);
    if (this.openSenders.size === 0) return waiting.iterating ? "end" : "EndOfStream";
    if (!mayWait) return "WouldBlock";
    this.receivers.push(waiting);
    return "pending";
  }

  cancel(operation: Operation): void {
    if (operation.expected !== "pending") return;
    operation.expected = "cancelled";
    this.senders = this.senders.filter((waiting) => waiting.operation !== operation);
    this.receivers = this.receivers.filter((waiting) => waiting.operation !== operation);
  }

  closeSender(handle: number): void {
    this.openSenders.delete(handle);
    for (const waiting of this.senders)
      if (waiting.handle === handle) waiting.operation.expected = "ClosedResourceError";
    this.senders = this.senders.filter((waiting) => waiting.handle !== handle);
    if (this.openSenders.size > 0) return;
    for (const waiting of this.receivers)
      waiting.operation.expected = waiting.iterating ? "end" : "EndOfStream";
    this.receivers = [];
  }

  closeReceiver(handle: number): void {
    this.openReceivers.delete(handle);
    for (const waiting of this.receivers)
      if (waiting.handle === handle) waiting.operation.expected = "ClosedResourceError";
    this.receivers = this.receivers.filter((waiting) => waiting.handle !== handle);
    if (this.openReceivers.size > 0) return;
    this.buffer.length = 0;
    for (const waiting of this.senders) waiting.operation.expected = "BrokenResourceError";
    this.senders = [];
  }
}

/** The channel and its model, side by side. */
class Comparison {
  readonly #model: Model;
  readonly #senders: SendChannel<number>[];
  readonly #receivers: ReceiveChannel<number>[];
  readonly operations: Operation[] = [];
  #lastItem = 0;

  constructor(capacity: number) {
    this.#model = new Model(capacity);
    const [sender, receiver] = createChannel<number>(capacity);
    this.#senders = [sender];
    this.#receivers = [receiver];
  }

  async apply(command: Command): Promise<void> {
    if (command.do === "settle") await waitAllTasksBlocked();
    else if (command.do === "cancel") this.#cancel(command.on);
    else if (/^(clone|close)/.test(command.do)) this.#change(command.do, command.on);
    else this.#operate(command.do, command.on);
    this.compareStatistics();
  }

  #cancel(on: number): void {
    const operation = this.operations[on % Math.max(this.operations.length, 1)];
    if (operation === undefined) return;
    this.#model.cancel(operation);
    operation.scope.cancel();
  }

  #change(what: string, on: number): void {
    const model = this.#model;
    const sender = on % this.#senders.length;
    const receiver = on % this.#receivers.length;
    if (what === "closeSender") {
      model.closeSender(sender);
      this.#senders[sender]?.close();
    } else if (what === "closeReceiver") {
      model.closeReceiver(receiver);
      this.#receivers[receiver]?.close();
    } else if (what === "cloneSender" && model.openSenders.has(sender)) {
      model.openSenders.add(this.#senders.length);
      this.#senders.push((this.#senders[sender] as SendChannel<number>).clone());
    } else if (what === "cloneReceiver" && model.openReceivers.has(receiver)) {
      model.openReceivers.add(this.#receivers.length);
      this.#receivers.push((this.#receivers[receiver] as ReceiveChannel<number>).clone());
    }
  }

  #operate(what: string, on: number): void {
    const operation = new Operation();
    const cancelled = what.endsWith("Cancelled");
    const sends = what.startsWith("send");
    const handle = on % (sends ? this.#senders : this.#receivers).length;
    const item = ++this.#lastItem;
    const waiting: Waiting = { operation, handle, item, iterating: what === "next" };
    const mayWait = !what.endsWith("Nowait");
    // The model first: the real thing may settle waits that the model must have seen.
    if (cancelled) operation.expected = "cancelled";
    else if (sends) operation.expected = this.#model.send(waiting, mayWait);
    else operation.expected = this.#model.receive(waiting, mayWait);
    if (cancelled) operation.scope.cancel();
    const sender = this.#senders[handle] as SendChannel<number>;
    const receiver = this.#receivers[handle] as ReceiveChannel<number>;
    if (what === "sendNowait") operation.nowait(() => sender.sendNowait(item));
    else if (what === "receiveNowait") operation.nowait(() => receiver.receiveNowait());
    else if (sends) operation.start(() => sender.send(item));
    else if (what === "next") operation.start(() => receiver[Symbol.asyncIterator]().next());
    else operation.start(() => receiver.receive());
    this.operations.push(operation);
  }

  compareStatistics(): void {
    const { buffer, senders, receivers, openSenders, openReceivers, capacity } = this.#model;
    assert.deepEqual(this.#senders[0]?.statistics(), {
      currentBufferUsed: buffer.length,
      maxBufferSize: capacity,
      openSendChannels: openSenders.size,
      openReceiveChannels: openReceivers.size,
      tasksWaitingSend: senders.length,
      tasksWaitingReceive: receivers.length,
    });
  }

  async finish(): Promise<void> {
    for (let at = 0; at < this.operations.length; at++) this.#cancel(at);
    await Promise.all(this.operations.map((operation) => operation.done));
    assert.deepEqual(
      this.operations.map((operation) => operation.outcome),
      this.operations.map((operation) => operation.expected),
    );
  }
}

test("Channel: every operation ends as a simple model says, whatever is cancelled and closed when (§2.2, §2.4, §6)", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 3 }), commands, fc.nat(), (capacity, list, seed) =>
      run(
        async () => {
          const comparison = new Comparison(capacity);
          for (const one of list) await comparison.apply(one);
          await comparison.finish();
        },
        { backend: simulator({ seed }) },
      ),
    ),
    { numRuns: 1000, seed: printedSeed },
  );
});
