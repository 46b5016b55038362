/** Random messages in random fragments and pieces, over streams of random room, with and without compression: each comes back as it was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "arborio";
import { simulator } from "arborio/sim";
import { createMemoryStreamPair, HookedByteStream } from "arborio/streams";
import fc from "fast-check";
import { echo, RawPeer, runOver } from "./raw-peer.test.kit.ts";

const NUM_RUNS = 40;
/** Printed, so that a run can be repeated. */
const [seed = 0] = fc.sample(fc.nat(), 1);
console.log(`# web-socket.property: seed ${seed}`);

const DEFLATE = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 10,
  clientMaxWindowBits: 15,
};

const text = fc.string({ unit: "binary", maxLength: 300 });
const message = fc.oneof(text, fc.uint8Array({ maxLength: 600 }));
const world = fc.record({
  seed: fc.nat(1000),
  capacity: fc.integer({ min: 0, max: 2000 }),
  fragmentBytesMax: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 200 })),
});

test("WebSocketConnection: random messages between two of ours come back as they were, in order", async () => {
  const property = fc.asyncProperty(
    fc.array(message, { maxLength: 6 }),
    world,
    fc.boolean(),
    async (messages, { seed: order, capacity, fragmentBytesMax }, isCompressed) => {
      const options = {
        fragmentBytesMax,
        ...(isCompressed ? { deflate: DEFLATE, compression: { messageBytesMin: 0 } } : {}),
      };
      await run(
        async (group) => {
          const [left, right] = createMemoryStreamPair({ capacity });
          group.startSoon(() => runOver(left, echo, options));
          await runOver(
            right,
            async (socket) => {
              group.startSoon(async () => {
                for (const one of messages) await socket.send(one);
              });
              for (const one of messages) assert.deepEqual(await socket.receive(), one);
            },
            { ...options, role: "client" },
          );
        },
        { signals: [], backend: simulator({ seed: order }) },
      );
    },
  );
  await fc.assert(property, { seed, numRuns: NUM_RUNS });
});

test("WebSocketConnection: random fragments in random pieces are put together again", async () => {
  const fragments = fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 5 });
  const property = fc.asyncProperty(
    fc.array(fragments, { maxLength: 4 }),
    world,
    fc.integer({ min: 1, max: 50 }),
    async (messages, { seed: order, capacity }, pieceBytes) => {
      await run(
        async (group) => {
          const [near, far] = createMemoryStreamPair({ capacity });
          // A stream without a wire of its own, so that it is received from in pieces.
          const cut = new HookedByteStream(far, { chunkBytes: pieceBytes });
          group.startSoon(() => runOver(cut, echo));
          const peer = new RawPeer(near, "client");
          group.startSoon(async () => {
            for (const parts of messages)
              for (const [index, part] of parts.entries())
                await peer.send(index === 0 ? 2 : 0, part, index === parts.length - 1);
          });
          for (const parts of messages) {
            const whole = parts.flatMap((part) => [...part]);
            assert.equal(await peer.next(), `binary ${whole.join()}`);
          }
          group.startSoon(() => peer.close(1000));
          assert.equal(await peer.next(), "close 1000");
          near.close();
        },
        { signals: [], backend: simulator({ seed: order }) },
      );
    },
  );
  await fc.assert(property, { seed, numRuns: NUM_RUNS });
});
