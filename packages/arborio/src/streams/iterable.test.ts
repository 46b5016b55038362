import assert from "node:assert/strict";
import { describe, test as nodeTest } from "node:test";
import { BrokenResourceError, EndOfStream } from "../index.ts";
import { fromIterable, itemsFromIterable } from "../streams.ts";
import { onEveryBackend } from "../testing/every-backend.ts";

const TEST_MS_MAX = 20_000;
const test = onEveryBackend((title, body) => nodeTest(title, { timeout: TEST_MS_MAX }, body));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (chunk: Uint8Array): string => new TextDecoder().decode(chunk);

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let all = "";
  for await (const chunk of stream) all += text(chunk);
  return all;
}

describe("iterables", () => {
  test("fromIterable: sync, async and promised chunks; not iterable is refused", async () => {
    assert.equal(await readAll(fromIterable(["a", "b"].map(bytes))), "ab");
    assert.equal(await readAll(fromIterable([Promise.resolve(bytes("c"))] as never)), "c");
    const later = (async function* () {
      await Promise.resolve();
      yield bytes("d");
    })();
    assert.equal(await readAll(fromIterable(later)), "d");
    assert.throws(() => fromIterable(5 as never), /got 5, needs an iterable/);
  });

  test("itemsFromIterable: close calls the iterator's return, once", async () => {
    let returned = 0;
    const stream = itemsFromIterable(
      (function* () {
        try {
          for (let n = 0; ; n++) yield n;
        } finally {
          returned += 1;
        }
      })(),
    );
    assert.equal(await stream.receive(), 0);
    stream.close();
    stream.close();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    assert.equal(returned, 1);
  });

  test("itemsFromIterable, fromIterable: an iterator that gives no result, or one that throws, breaks the stream", async () => {
    const throwing = {
      get done(): boolean {
        throw new RangeError("no result");
      },
    };
    for (const result of [undefined, null, 5, "x", throwing]) {
      const iterable = { [Symbol.asyncIterator]: () => ({ next: async () => result }) };
      for (const stream of [
        itemsFromIterable(iterable as never),
        fromIterable(iterable as never),
      ]) {
        await assert.rejects(stream.receive(), (error: unknown) => {
          assert.ok(error instanceof BrokenResourceError);
          assert.match(error.message, result === throwing ? /no result/ : /needs an object/);
          return true;
        });
      }
    }
  });

  test("itemsFromIterable: any `done` that is true to `for await` is the end", async () => {
    for (const method of [Symbol.asyncIterator, Symbol.iterator]) {
      const stream = itemsFromIterable({
        [method]: () => ({ next: () => ({ done: 1 }) }),
      } as never);
      await assert.rejects(stream.receive(), EndOfStream);
    }
  });

  test("itemsFromIterable: a promise that rejects ends the iterator that gave it", async () => {
    const log: string[] = [];
    const stream = itemsFromIterable(
      (function* () {
        try {
          yield Promise.reject(new RangeError("no item"));
        } finally {
          log.push("ended");
          // eslint-disable-next-line no-unsafe-finally
          throw new Error("not to be seen");
        }
      })(),
    );
    await assert.rejects(stream.receive(), /no item/);
    assert.deepEqual(log, ["ended"]);
  });
});
