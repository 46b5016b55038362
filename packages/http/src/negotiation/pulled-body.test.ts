import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import {
  BusyResourceError,
  Cancelled,
  CancelScope,
  ClosedResourceError,
  EndOfStream,
  sleep,
} from "arborio";
import { createMemoryPipe } from "arborio/streams";
import { assertCheckpoints, onEveryBackend } from "arborio/testing";
import { type BodyOrigin, PulledBody } from "./pulled-body.ts";

const test = onEveryBackend(nodeTest);

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Bytes that come after a while, and how often they were released. */
class SlowOrigin implements BodyOrigin {
  #rest: Uint8Array;
  released = 0;

  constructor(contents: string) {
    this.#rest = new TextEncoder().encode(contents);
  }

  async pull(maxBytes: number): Promise<Uint8Array> {
    await sleep(1);
    if (this.#rest.length === 0) throw new EndOfStream("over");
    const bytes = this.#rest.slice(0, maxBytes);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  release(): void {
    this.released += 1;
  }
}

test("PulledBody: receives, into memory too, and ends again whenever it is asked", async () => {
  const body = new PulledBody("Body", new SlowOrigin("0123456789"), 10);
  assert.equal(body.length, 10);
  assert.equal(text(await body.receive(3)), "012");
  const view = new Uint8Array(4);
  assert.equal(await body.receiveInto(view), 4);
  assert.equal(text(view), "3456");
  const rest: string[] = [];
  for await (const chunk of body) rest.push(text(chunk));
  assert.deepEqual(rest, ["789"]);
  await assert.rejects(body.receive(), EndOfStream);
  await assert.rejects(body.receive(), EndOfStream);
  assert.deepEqual(await body[Symbol.asyncIterator]().next(), { done: true, value: undefined });
});

test("PulledBody: one task at a time, sizes from 1 on, nothing once it is closed", async () => {
  const origin = new SlowOrigin("0123456789");
  const body = new PulledBody("Body", origin);
  const receiving = body.receive(1);
  await assert.rejects(body.receive(), BusyResourceError);
  assert.equal(text(await receiving), "0");
  for (const wrong of [0, -1, 1.5, Number.NaN, Infinity])
    await assert.rejects(body.receive(wrong), RangeError);
  await assert.rejects(body.receiveInto(new Uint8Array(0)), RangeError);
  assert.equal(text(await body.receive(1)), "1");
  body.close();
  body.close();
  using _again = body;
  assert.equal(origin.released, 1);
  await assert.rejects(body.receive(), ClosedResourceError);
});

test("PulledBody: every receive is a checkpoint, also of what is over or closed", async () => {
  const over = new PulledBody("Body", new SlowOrigin(""));
  await assertCheckpoints(() => over.receive().catch(unlessCancelled));
  const closed = new PulledBody("Body", new SlowOrigin("x"));
  closed.close();
  const scope = new CancelScope();
  let seen: unknown;
  await scope.run(async () => {
    scope.cancel();
    seen = await closed.receive().catch((error: unknown) => error);
  });
  assert.ok(seen instanceof Cancelled);
});

function unlessCancelled(error: unknown): void {
  if (error instanceof Cancelled) throw error;
}

test("PulledBody: who waits when it is closed is told", async () => {
  const [, receiver] = createMemoryPipe();
  const body = new PulledBody("Body", {
    pull: (maxBytes) => receiver.receive(maxBytes),
    release: () => receiver.close(),
  });
  const waiting = assert.rejects(body.receive(), ClosedResourceError);
  body.close();
  await waiting;
});
