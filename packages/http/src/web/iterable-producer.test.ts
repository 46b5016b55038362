import assert from "node:assert/strict";
import { test } from "node:test";
import { currentScope, moveOnAfter, now, run, shielded, sleep, sleepForever } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import type { BodySink } from "./body-producer.ts";
import { producerFrom } from "./iterable-producer.ts";

/** Keeps what is sent. */
function sinkInto(sent: (Uint8Array | string)[]): BodySink {
  return {
    async send(piece) {
      await sleep(1);
      sent.push(piece);
    },
  };
}

const SIMULATED = { backend: simulator({ seed: 1 }) };

test("producerFrom: sends piece by piece, in the scope of who sends", () =>
  run(async () => {
    const sent: (Uint8Array | string)[] = [];
    const scope = currentScope();
    async function* pieces(): AsyncGenerator<string> {
      assert.equal(currentScope(), scope);
      yield "a";
      assert.deepEqual(sent, ["a"]);
      await sleep(1);
      yield "b";
    }
    await producerFrom(pieces())(sinkInto(sent));
    assert.deepEqual(sent, ["a", "b"]);
  }, SIMULATED));

test("producerFrom: cancelled, the generator's finally has run, wherever it waited", () =>
  run(async () => {
    for (const where of ["in the generator", "in the sink"]) {
      let ended = false;
      async function* pieces(): AsyncGenerator<string> {
        try {
          yield "a";
          if (where === "in the generator") await sleepForever();
          yield "b";
        } finally {
          // What it cleans up takes its time.
          await shielded(() => sleep(5));
          ended = true;
        }
      }
      const sink: BodySink = {
        send: (piece) => (piece === "b" ? sleepForever() : sleep(1)),
      };
      await moveOnAfter(10, () => producerFrom(pieces())(sink));
      assert.equal(ended, true, where);
    }
  }, SIMULATED));

test("producerFrom: what cannot be cancelled holds nobody up, and is told", () =>
  run(async () => {
    let returned = 0;
    const iterable = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<string>>(() => {}),
        return() {
          returned += 1;
          return new Promise<IteratorResult<string>>(() => {});
        },
      }),
    };
    const before = now();
    await moveOnAfter(10, () => producerFrom(iterable)(sinkInto([])));
    assert.equal(returned, 1);
    assert.ok(now() - before < 5000, `${now() - before} ms`);
  }, SIMULATED));

test("producerFrom: a sink that fails ends the iterator, and its error is the one to see", () =>
  run(async () => {
    const failure = new Error("gone");
    let ended = false;
    const iterable = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: false, value: "a" }),
        return(): Promise<IteratorResult<string>> {
          ended = true;
          return Promise.reject(new Error("while leaving"));
        },
      }),
    };
    const sink: BodySink = { send: () => Promise.reject(failure) };
    await assert.rejects(producerFrom(iterable)(sink), failure);
    assert.equal(ended, true);
  }));

test("producerFrom: an iterator that has ended is not told to", () =>
  run(async () => {
    let returned = 0;
    const iterable = {
      [Symbol.asyncIterator]: () => ({
        next: (): Promise<IteratorResult<string>> =>
          Promise.resolve({ done: true, value: undefined }),
        return(): Promise<IteratorResult<string>> {
          returned += 1;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    await producerFrom(iterable)(sinkInto([]));
    assert.equal(returned, 0);
  }));

test("producerFrom: what fails while it is cancelled is not lost", () =>
  run(async () => {
    const failure = new Error("while cleaning up");
    async function* pieces(): AsyncGenerator<string> {
      try {
        yield "a";
        await sleepForever();
      } catch {
        throw failure;
      }
    }
    await assert.rejects(
      moveOnAfter(10, () => producerFrom(pieces())(sinkInto([]))),
      failure,
    );
  }, SIMULATED));

test("producerFrom: cancelled at every checkpoint", async () => {
  await run(
    () =>
      cancelEverywhere(async (round) => {
        let open = 0;
        round.after(() => assert.equal(open, 0));
        async function* pieces(): AsyncGenerator<string> {
          open += 1;
          try {
            yield "a";
            await sleep(3);
            yield "b";
          } finally {
            open -= 1;
          }
        }
        const sent: (Uint8Array | string)[] = [];
        await producerFrom(pieces())(sinkInto(sent));
        assert.deepEqual(sent, ["a", "b"]);
      }),
    SIMULATED,
  );
});
