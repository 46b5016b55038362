import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, test as nodeTest } from "node:test";
import {
  CancelScope,
  ClosedResourceError,
  EndOfStream,
  taskGroup,
  waitAllTasksBlocked,
} from "../index.ts";
import { dispatchEvents, type EventStream, itemsFromIterable, receiveEvents } from "../streams.ts";
import { onEveryBackend } from "../testing/every-backend.ts";

const TEST_MS_MAX = 20_000;
const test = onEveryBackend((title, body) => nodeTest(title, { timeout: TEST_MS_MAX }, body));

describe("events", () => {
  test("receiveEvents: events of a target, in order, also those that came before receive", async () => {
    const target = new EventTarget();
    using events = receiveEvents<Event>(target, "tick");
    target.dispatchEvent(new Event("tick"));
    target.dispatchEvent(new Event("other"));
    assert.equal((await events.receive()).type, "tick");
    await taskGroup(async (group) => {
      const receiving = group.startSoon(() => events.receive());
      await waitAllTasksBlocked();
      const event = new Event("tick");
      target.dispatchEvent(event);
      assert.equal(await receiving.result(), event);
    });
  });

  test("receiveEvents: the arguments of an emitter; close removes every listener", async () => {
    const emitter = new EventEmitter();
    const events = receiveEvents<[number, string]>(emitter, "data", {
      endOn: ["end"],
      failOn: ["error"],
    });
    emitter.emit("data", 1, "one");
    assert.deepEqual(await events.receive(), [1, "one"]);
    events.close();
    assert.deepEqual(emitter.eventNames(), []);
    await assert.rejects(events.receive(), ClosedResourceError);
  });

  for (const [overflow, left, dropped] of [
    ["drop-oldest", [3, 4], 3],
    ["drop-newest", [0, 1], 3],
  ] as const) {
    test(`receiveEvents: overflow "${overflow}" keeps ${left.join(" and ")}, and counts`, async () => {
      const emitter = new EventEmitter();
      using events = receiveEvents<[number]>(emitter, "n", { capacity: 2, overflow });
      for (let n = 0; n < 5; n++) emitter.emit("n", n);
      assert.deepEqual(events.statistics(), { waiting: 2, dropped });
      assert.deepEqual([await events.receive(), await events.receive()], [[left[0]], [left[1]]]);
    });
  }

  test('receiveEvents: overflow "break" gives what waits, then a BrokenResourceError; it listens no more', async () => {
    const emitter = new EventEmitter();
    using events = receiveEvents<[number]>(emitter, "n", { capacity: 2, overflow: "break" });
    for (let n = 0; n < 5; n++) emitter.emit("n", n);
    assert.deepEqual(await events.receive(), [0]);
    assert.deepEqual(await events.receive(), [1]);
    await assert.rejects(events.receive(), /more than 2 events/);
    assert.deepEqual(emitter.eventNames(), []);
  });

  test("receiveEvents: endOn ends after what came before, failOn breaks with its cause", async () => {
    const emitter = new EventEmitter();
    const ending = receiveEvents<[number]>(emitter, "n", { endOn: ["end"] });
    emitter.emit("n", 1);
    emitter.emit("end");
    emitter.emit("n", 2);
    assert.deepEqual(await Array.fromAsync(ending), [[1]]);
    const failing = receiveEvents(emitter, "n", { failOn: ["error"] });
    const failure = new Error("gone");
    emitter.emit("error", failure);
    await assert.rejects(failing.receive(), (error: Error) => error.cause === failure);
  });

  test("receiveEvents: closed, ended or broken by another listener of the same event, it takes no more of it", async () => {
    const emitter = new EventEmitter();
    const stops: ((stream: EventStream<[number]>) => void)[] = [
      (stream) => stream.close(),
      () => void emitter.emit("end"),
      () => void emitter.emit("error", new RangeError("gone")),
    ];
    const outcomes: string[] = [];
    for (const stop of stops) {
      const before = (): void => stop(stream);
      emitter.on("n", before);
      const stream = receiveEvents<[number]>(emitter, "n", { endOn: ["end"], failOn: ["error"] });
      emitter.emit("n", 1);
      emitter.removeListener("n", before);
      outcomes.push(await stream.receive().then(String, (error: Error) => error.name));
      assert.equal(stream.statistics().waiting, 0);
    }
    assert.deepEqual(outcomes, ["ClosedResourceError", "EndOfStream", "BrokenResourceError"]);
  });

  test("receiveEvents: what comes first, the end or the failure, is what it was", async () => {
    const emitter = new EventEmitter();
    const stream = receiveEvents(emitter, "n", { endOn: ["over"], failOn: ["over"] });
    emitter.emit("over");
    await assert.rejects(stream.receive(), EndOfStream);
  });

  test("receiveEvents: close is no end, also for who waits", async () => {
    for (const wait of [
      (stream: EventStream<unknown>) => stream.receive(),
      (stream: EventStream<unknown>) => stream[Symbol.asyncIterator]().next(),
    ]) {
      const stream = receiveEvents(new EventEmitter(), "n");
      await taskGroup(async (group) => {
        group.startSoon(() => assert.rejects(wait(stream), ClosedResourceError));
        await waitAllTasksBlocked();
        stream.close();
      });
    }
  });

  test("receiveEvents: an iterator whose next was cancelled goes on", async () => {
    const emitter = new EventEmitter();
    const iterator = receiveEvents(emitter, "n", { endOn: ["end"] })[Symbol.asyncIterator]();
    const cut = new CancelScope();
    cut.cancel();
    await cut.run(() => iterator.next());
    emitter.emit("n", 1);
    emitter.emit("end");
    assert.deepEqual(await iterator.next(), { done: false, value: [1] });
    assert.deepEqual(await iterator.next(), { done: true, value: undefined });
    assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  });

  test("receiveEvents: wrong arguments are refused, and nothing listens", () => {
    const emitter = new EventEmitter();
    assert.throws(
      () => receiveEvents({} as never, "x"),
      /needs an EventTarget or an event emitter/,
    );
    assert.throws(() => receiveEvents(emitter, "x", { capacity: 0 }), RangeError);
    assert.throws(() => receiveEvents(emitter, "x", { overflow: "wait" as never }), RangeError);
    for (const [wrong, message] of [
      [() => receiveEvents(emitter, undefined as never), /got undefined, needs the name of/],
      [() => receiveEvents(emitter, "x", null as never), /got null, needs an object such as/],
      [() => receiveEvents(emitter, "x", { endOn: "end" as never }), /endOn \}\): got "end"/],
      [() => receiveEvents(emitter, "x", { failOn: "error" as never }), /failOn \}\): got "error"/],
    ] as const)
      assert.throws(
        wrong,
        (error: Error) => error instanceof TypeError && message.test(error.message),
      );
    assert.deepEqual(emitter.eventNames(), []);
  });

  test("dispatchEvents: an event for each item, until the end", async () => {
    const target = new EventTarget();
    const seen: string[] = [];
    target.addEventListener("a", (event) => void seen.push(event.type));
    const items = itemsFromIterable(["a", "b", "a"]);
    assert.equal(await dispatchEvents(items, target, (item) => new Event(item)), 3);
    assert.deepEqual(seen, ["a", "a"]);
  });

  test("dispatchEvents: wrong arguments are refused before an item is received", async () => {
    const items = itemsFromIterable(["a"]);
    await assert.rejects(
      dispatchEvents(items, {} as never, (item) => new Event(item)),
      /dispatchEvents: got an object of Object, needs an EventTarget/,
    );
    await assert.rejects(dispatchEvents(items, new EventTarget(), null as never), TypeError);
    assert.equal(await items.receive(), "a");
  });
});
