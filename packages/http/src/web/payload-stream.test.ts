import assert from "node:assert/strict";
import { test } from "node:test";
import { run, sleep, sleepForever, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { cancelEverywhere } from "arborio/testing";
import { HttpResponse } from "./http-response.ts";
import { payloadStream } from "./payload-stream.ts";

const PIECE_BYTES = 10_000;

test("payloadStream: a producer begins when it is read, and goes no further than it is read", () =>
  run(
    async () => {
      let sent = 0;
      const stream = payloadStream(async (sink) => {
        for (let count = 0; count < 100; count += 1) {
          await sink.send(new Uint8Array(PIECE_BYTES));
          sent += 1;
        }
      });
      await sleep(1);
      assert.equal(sent, 0);
      await stream.receive(1);
      await sleep(1);
      assert.ok(sent > 0 && sent < 20, `${sent} pieces for one byte`);
      let bytes = 1;
      for await (const chunk of stream) bytes += chunk.length;
      assert.equal(bytes, 100 * PIECE_BYTES);
      await assert.rejects(stream.receive(), { name: "EndOfStream" });
    },
    { backend: simulator({ seed: 1 }) },
  ));

test("payloadStream: closing a producer's stream cancels it, whatever it waits for", () =>
  run(
    async () => {
      for (const waits of [() => sleepForever(), undefined]) {
        let ended = "";
        const stream = payloadStream(async (sink) => {
          try {
            await sink.send("x");
            await waits?.();
            for (;;) await sink.send(new Uint8Array(PIECE_BYTES));
          } finally {
            ended = "yes";
          }
        });
        await stream.receive(1);
        await sleep(1);
        stream.close();
        await sleep(1);
        assert.equal(ended, "yes");
        await assert.rejects(stream.receive(), { name: "ClosedResourceError" });
      }
    },
    { backend: simulator({ seed: 1 }) },
  ));

test("payloadStream: a stream that is closed before it was read never begins its producer", () =>
  run(async () => {
    let begun = false;
    const stream = payloadStream(async () => {
      begun = true;
    });
    stream.close();
    await assert.rejects(stream.receive(), { name: "ClosedResourceError" });
    assert.equal(begun, false);
  }));

test("payloadStream: what a producer sent before it failed is received, then its error", () =>
  run(async () => {
    const failure = new Error("broken");
    const stream = payloadStream(async (sink) => {
      await sink.send("one");
      throw failure;
    });
    const view = new Uint8Array(10);
    assert.equal(await stream.receiveInto(view), 3);
    await assert.rejects(stream.receive(), failure);
    await assert.rejects(stream.receive(), failure);
  }));

test("payloadStream: the web stream of a producer that is cancelled cancels it", () =>
  run(
    async () => {
      let ended = false;
      const response = new HttpResponse(async (sink) => {
        try {
          for (;;) await sink.send(new Uint8Array(PIECE_BYTES));
        } finally {
          ended = true;
        }
      });
      const reader = response.body?.getReader();
      await reader?.read();
      await reader?.cancel();
      await sleep(1);
      assert.equal(ended, true);
    },
    { backend: simulator({ seed: 1 }) },
  ));

test("producers: a body read in a scope that is cancelled takes its producer with it, at every checkpoint", async () => {
  await run(
    () =>
      cancelEverywhere(async (round) => {
        let running = 0;
        round.after(() => assert.equal(running, 0));
        const response = new HttpResponse(async (sink) => {
          running += 1;
          try {
            await taskGroup(async (group) => {
              group.startSoon(() => sleep(5));
              await sink.send("one");
            });
            await sink.send("two");
          } finally {
            running -= 1;
          }
        });
        assert.equal(await response.text(), "onetwo");
      }),
    { backend: simulator({ seed: 1 }) },
  );
});
