import {
  BrokenResourceError,
  BusyResourceError,
  ClosedResourceError,
  EndOfStream,
} from "../../core/errors.ts";
import { taskGroup } from "../../core/task-group.ts";
import { sleep } from "../../sync/timeouts.ts";
import { waitAllTasksBlocked } from "../../core/idle.ts";
import { equal, errorOf, ok, rejects } from "../conformance/assert.ts";
import { pattern, receivePattern, receivePatternToEnd, sendUntilFailure } from "./bytes.ts";
import type { ByteStreamCheck } from "./suite.ts";

/** Ends of directions and of streams, on this side and on the other. */
export const ending: readonly ByteStreamCheck[] = [
  {
    promise: "half-close",
    title:
      "sendEof: the other side gets everything, then EndOfStream, again and again; the other direction goes on",
    async body([left, right]) {
      await taskGroup(async (group) => {
        group.startSoon(async () => {
          await left.send(pattern(1000));
          await left.sendEof();
          await left.sendEof();
        });
        equal(await receivePatternToEnd(right), 1000);
      });
      for (let again = 0; again < 2; again++) {
        await rejects(right.receive(), EndOfStream);
        await rejects(right.receiveInto(new Uint8Array(1)), EndOfStream);
        equal((await right[Symbol.asyncIterator]().next()).done, true);
      }
      await rejects(left.send(pattern(1)), ClosedResourceError);
      await taskGroup(async (group) => {
        group.startSoon(async () => {
          await right.send(pattern(1000));
          await right.sendEof();
        });
        equal(await receivePatternToEnd(left), 1000);
      });
    },
  },
  {
    promise: "half-close",
    title: "sendEof: a receive that waits on the other side gets EndOfStream, an iteration ends",
    async body([left, right]) {
      await taskGroup(async (group) => {
        group.startSoon(() => rejects(right.receive(), EndOfStream));
        group.startSoon(async () => {
          for await (const chunk of left) ok(false, `needed no bytes, got ${chunk.length}`);
        });
        await waitAllTasksBlocked();
        await left.sendEof();
        await right.sendEof();
      });
    },
  },
  {
    promise: "closing",
    title:
      "close: everything throws ClosedResourceError, also what waits; what was received is gone; a second close does nothing",
    async body([left, right]) {
      await taskGroup(async (group) => {
        group.startSoon(() => right.send(pattern(10)));
        await receivePattern(left, 1);
        group.startSoon(async () => {
          await rejects(
            (async () => {
              for (;;) await left.receive();
            })(),
            ClosedResourceError,
          );
        });
        await waitAllTasksBlocked();
        await sleep(5);
        left.close();
        left.close();
      });
      for (const operation of [
        () => left.receive(),
        () => left.receiveInto(new Uint8Array(1)),
        () => left[Symbol.asyncIterator]().next(),
        () => left.send(pattern(1)),
        () => left.sendEof(),
      ])
        await rejects(operation(), ClosedResourceError);
    },
  },
  {
    promise: "closing",
    title: "close: a send that waits gets ClosedResourceError",
    async body([left], { bufferedBytesMax }) {
      await taskGroup(async (group) => {
        group.startSoon(() =>
          rejects(left.send(new Uint8Array(bufferedBytesMax)), ClosedResourceError),
        );
        await waitAllTasksBlocked();
        left.close();
      });
    },
  },
  {
    promise: "closing",
    title: "close: what send had sent still arrives, then the stream ends",
    async body([left, right]) {
      await taskGroup(async (group) => {
        group.startSoon(async () => {
          await left.send(pattern(100_000));
          left.close();
        });
        equal(await receivePatternToEnd(right), 100_000);
      });
    },
  },
  {
    promise: "closing",
    title:
      "close: the other side's sends fail with BrokenResourceError sooner or later, and keep failing",
    async body([left, right]) {
      left.close();
      ok((await sendUntilFailure(right)) instanceof BrokenResourceError);
      await rejects(right.send(pattern(1)), BrokenResourceError);
      await rejects(right.sendEof(), BrokenResourceError);
    },
  },
  {
    promise: "closing",
    title: "close: the other side's send that waits fails with BrokenResourceError",
    async body([left, right], { bufferedBytesMax }) {
      await taskGroup(async (group) => {
        group.startSoon(() =>
          rejects(right.send(new Uint8Array(bufferedBytesMax)), BrokenResourceError),
        );
        await waitAllTasksBlocked();
        await sleep(5);
        left.close();
      });
    },
  },
  {
    promise: "closing",
    title: "using and await using close the stream",
    async body([left, right]) {
      {
        using _left = left;
        await using _right = right;
      }
      await rejects(left.receive(), ClosedResourceError);
      await rejects(right.receive(), ClosedResourceError);
    },
  },
  {
    promise: "busy",
    title:
      "a second receiver gets BusyResourceError at once, the first is not disturbed; sending is another direction",
    async body([left, right]) {
      await taskGroup(async (group) => {
        group.startSoon(() => receivePattern(right, 3));
        await waitAllTasksBlocked();
        await rejects(right.receive(), BusyResourceError);
        await rejects(right.receiveInto(new Uint8Array(1)), BusyResourceError);
        await rejects(right[Symbol.asyncIterator]().next(), BusyResourceError);
        group.startSoon(() => right.send(pattern(2)));
        await receivePattern(left, 2);
        await left.send(pattern(3));
      });
    },
  },
  {
    promise: "busy",
    title: "a second sender gets BusyResourceError at once, the first is not disturbed",
    async body([left, right], { bufferedBytesMax }) {
      await taskGroup(async (group) => {
        group.startSoon(async () => {
          await left.send(pattern(bufferedBytesMax));
          await left.sendEof();
        });
        await waitAllTasksBlocked();
        await rejects(left.send(pattern(1)), BusyResourceError);
        await rejects(left.sendEof(), BusyResourceError);
        equal(await receivePatternToEnd(right), bufferedBytesMax);
      });
    },
  },
  {
    promise: "reset",
    title: "close in the middle of a send: the other side does not take the part for the whole",
    async body([left, right], { bufferedBytesMax }) {
      await taskGroup(async (group) => {
        group.startSoon(() => rejects(left.send(pattern(bufferedBytesMax)), ClosedResourceError));
        await waitAllTasksBlocked();
        left.close();
      });
      ok((await errorOf(receivePatternToEnd(right))) instanceof BrokenResourceError);
    },
  },
  {
    promise: "iteration",
    title: "for await gives all chunks and ends; leaving it early closes nothing",
    async body([left, right]) {
      await taskGroup(async (group) => {
        const sending = group.startSoon(() => left.send(pattern(2000)));
        let count = 0;
        for await (const chunk of right) {
          count += chunk.length;
          break;
        }
        ok(count > 0);
        group.startSoon(() => right.send(pattern(1)));
        await receivePattern(left, 1);
        group.startSoon(async () => {
          await sending.wait();
          await left.sendEof();
        });
        count += await receivePatternToEnd(right, count);
        equal(count, 2000);
      });
    },
  },
];
