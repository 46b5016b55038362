import { BrokenResourceError } from "../../core/errors.ts";
import { taskGroup } from "../../core/task-group.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { random } from "../../core/lowlevel.ts";
import { CancelScope } from "../../core/scope.ts";
import { checkpoint } from "../../core/checkpoint.ts";
import { moveOnAfter, sleep } from "../../sync/timeouts.ts";
import { equal, errorOf, instance, ok, rejects } from "../conformance/assert.ts";
import { checkPattern, pattern, receivePattern, receivePatternToEnd } from "./bytes.ts";
import type { ByteStreamCheck } from "./suite.ts";

/** Cancellation and back-pressure. */
export const cancelling: readonly ByteStreamCheck[] = [
  {
    promise: "cancellation",
    title: "a cancelled receive lost nothing, however it was called",
    async body([left, right]) {
      for (const operation of [
        () => right.receive(),
        () => right.receiveInto(new Uint8Array(10)),
        () => right[Symbol.asyncIterator]().next(),
      ]) {
        const scope = new CancelScope();
        await taskGroup(async (group) => {
          group.startSoon(() => scope.run<unknown>(operation));
          await waitAllTasksBlocked();
          scope.cancel();
        });
        equal(scope.cancelledCaught, true);
      }
      await taskGroup(async (group) => {
        group.startSoon(() => left.send(pattern(10)));
        await receivePattern(right, 10);
      });
    },
  },
  {
    promise: "cancellation",
    title: "receives that are cancelled at random moments lose no byte and double none",
    async body([left, right]) {
      const total = 30_000;
      await taskGroup(async (group) => {
        group.startSoon(async () => {
          for (let sent = 0; sent < total;) {
            const size = Math.min(1 + Math.floor(random() * 400), total - sent);
            await left.send(pattern(size, sent));
            sent += size;
            if (random() < 0.2) await checkpoint();
          }
          await left.sendEof();
        });
        let received = 0;
        while (received < total) {
          const scope = new CancelScope();
          group.startSoon(async () => {
            for (let turns = Math.floor(random() * 4); turns > 0; turns--) await checkpoint();
            if (random() < 0.5) await sleep(random());
            scope.cancel();
          });
          const chunk = await scope.run(() => right.receive(1 + Math.floor(random() * 600)));
          if (chunk === undefined) continue;
          checkPattern(chunk, received);
          received += chunk.length;
        }
        equal(await receivePatternToEnd(right, received), 0);
      });
    },
  },
  {
    promise: "cut-send",
    title: "a send cancelled after its first byte breaks the sending half; receiving goes on",
    async body([left, right], { bufferedBytesMax }) {
      await cutSend(left, bufferedBytesMax);
      await rejects(left.send(pattern(1)), BrokenResourceError);
      await rejects(left.sendEof(), BrokenResourceError);
      await taskGroup(async (group) => {
        group.startSoon(() => right.send(pattern(3)));
        await receivePattern(left, 3);
      });
    },
  },
  {
    promise: "reset",
    title: "a cut send, then close: the other side does not take the part for the whole",
    async body([left, right], { bufferedBytesMax }) {
      await cutSend(left, bufferedBytesMax);
      left.close();
      instance(await errorOf(receivePatternToEnd(right)), BrokenResourceError);
    },
  },
  {
    promise: "backpressure",
    title:
      "send waits while nobody receives, so that a slow reader costs bounded memory; nothing is lost",
    async body([left, right], { bufferedBytesMax }) {
      const piece = 65_536;
      let sent = 0;
      await taskGroup(async (group) => {
        const sending = group.startSoon(async () => {
          while (sent < bufferedBytesMax * 2) {
            await left.send(pattern(piece, sent));
            sent += piece;
          }
          await left.sendEof();
        });
        // Until the buffers are full, as far as anybody can tell from here.
        for (let before = -1; before !== sent; await sleep(20)) before = sent;
        ok(
          sent <= bufferedBytesMax,
          `sent ${sent} bytes that nobody received, at most ${bufferedBytesMax} fit`,
        );
        equal(sending.status, "pending");
        equal(await receivePatternToEnd(right), sent);
      });
    },
  },
];

/** Sends more than fits while nobody receives, and cancels that. */
async function cutSend(
  stream: { send(bytes: Uint8Array): Promise<void> },
  bytes: number,
): Promise<void> {
  const scope = new CancelScope();
  await taskGroup(async (group) => {
    group.startSoon(() => scope.run(() => stream.send(pattern(bytes))));
    await waitAllTasksBlocked();
    scope.cancel();
  });
  equal(scope.cancelledCaught, true);
  await moveOnAfter(0, () => checkpoint());
}
