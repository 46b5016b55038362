/** Cancelled at each checkpoint: no half frame, no lost message, nobody left waiting, and the connection given back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { createMemoryStreamPair } from "arborio/streams";
import { cancelEverywhere } from "arborio/testing";
import { FrameParser } from "../protocol/websocket/frame-parser.ts";
import { echo, RawPeer, runOver } from "./raw-peer.test.kit.ts";

for (const capacity of [65_536, 50]) {
  void test(`cancelEverywhere: a server that sends, receives, streams and closes, over ${capacity} bytes`, async () => {
    await run(
      async () => {
        const sweep = await cancelEverywhere(async (round) => {
          const [near, far] = createMemoryStreamPair({ capacity });
          const sent: Uint8Array[] = [];
          let isOver = false;
          round.after(() => {
            assert.ok(isOver, "the other side was told of the end");
            // Whole frames, whatever was cancelled.
            const parser = new FrameParser({ role: "client" });
            for (const bytes of sent) parser.push(bytes);
            while (parser.next() !== undefined);
          });
          await taskGroup(async (group) => {
            group.startSoon(async () => {
              try {
                const peer = new RawPeer(near, "client");
                await peer.send(1, "hello");
                for (;;) {
                  const seen = await peer.next();
                  if (seen.startsWith("close")) await peer.close(1000);
                  if (seen === "end" || seen === "reset") return;
                }
              } finally {
                isOver = true;
                near.close();
              }
            });
            await runOver(far, async (socket) => {
              assert.equal(await socket.receive(), "hello");
              await socket.send("x".repeat(120));
              await socket.sendStream("text", ["one", "two"]);
              await taskGroup(async (inner) => {
                inner.startSoon(() => socket.send("a"));
                inner.startSoon(() => socket.send("b"));
              });
              await socket.close(1000, "done");
            });
          });
        });
        assert.ok(sweep.rounds.entry > 5 && sweep.rounds.waiting > 3, JSON.stringify(sweep));
      },
      { signals: [], backend: simulator({ seed: 1 }) },
    );
  });
}

void test("cancelEverywhere: two of ours, one of them cancelled: the other one is told", async () => {
  await run(
    async () => {
      await cancelEverywhere(async (round) => {
        const [left, right] = createMemoryStreamPair({ capacity: 100 });
        let isOver = false;
        round.after(() => assert.ok(isOver));
        await taskGroup(async (group) => {
          group.startSoon(async () => {
            try {
              await runOver(left, echo);
            } finally {
              isOver = true;
            }
          });
          await runOver(
            right,
            async (socket) => {
              for (const text of ["one", "x".repeat(300)]) {
                await socket.send(text);
                assert.equal(await socket.receive(), text);
              }
            },
            { role: "client" },
          );
        });
      });
    },
    { signals: [], backend: simulator({ seed: 2 }) },
  );
});
