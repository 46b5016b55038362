import { random } from "../../core/lowlevel.ts";
import { taskGroup } from "../../core/task-group.ts";
import { CancelScope } from "../../core/scope.ts";
import { Event } from "../../sync/event.ts";
import { assertCheckpoints } from "../checkpoints.ts";
import { equal, ok, rejects } from "../conformance/assert.ts";
import {
  checkPattern,
  pattern,
  receivePattern,
  receivePatternToEnd,
  SharingBytes,
} from "./bytes.ts";
import type { ByteStreamCheck } from "./suite.ts";

/** Bytes arrive, in order, in chunks that mean nothing. */
export const transfer: readonly ByteStreamCheck[] = [
  {
    promise: "transfer",
    title: "what is sent arrives, whole and in order, in both directions at once",
    async body([left, right]) {
      const sizes = [1, 2, 1000, 65_536, 65_537, 300_000];
      const total = sizes.reduce((sum, size) => sum + size, 0);
      await taskGroup(async (group) => {
        for (const [from, to] of [
          [left, right],
          [right, left],
        ] as const) {
          group.startSoon(async () => {
            let start = 0;
            for (const size of sizes) {
              await from.send(pattern(size, start));
              start += size;
            }
          });
          group.startSoon(() => receivePattern(to, total));
        }
      });
    },
  },
  {
    promise: "transfer",
    title: "any sizes of sends and of receives give the same bytes",
    async body([left, right]) {
      const total = 20_000;
      await taskGroup(async (group) => {
        group.startSoon(async () => {
          for (let sent = 0; sent < total;) {
            const size = Math.min(1 + Math.floor(random() * 700), total - sent);
            await left.send(pattern(size, sent));
            sent += size;
          }
        });
        for (let received = 0; received < total;) {
          const max = 1 + Math.floor(random() * 700);
          const bytes = random() < 0.5 ? await right.receive(max) : await receivedInto(max);
          ok(bytes.length >= 1 && bytes.length <= max);
          checkPattern(bytes, received);
          received += bytes.length;
        }

        async function receivedInto(max: number): Promise<Uint8Array> {
          const view = new Uint8Array(max);
          return view.subarray(0, await right.receiveInto(view));
        }
      });
    },
  },
  {
    promise: "transfer",
    title: "sending nothing sends nothing, and is allowed",
    async body([left, right]) {
      await left.send(new Uint8Array(0));
      await taskGroup(async (group) => {
        group.startSoon(() => left.send(pattern(3)));
        await receivePattern(right, 3);
      });
    },
  },
  {
    promise: "chunks",
    title: "receive(maxBytes) returns at least one byte, at most maxBytes, and keeps the rest",
    async body([left, right]) {
      await taskGroup(async (group) => {
        group.startSoon(() => left.send(pattern(10)));
        const first = await right.receive(3);
        ok(first.length >= 1 && first.length <= 3);
        checkPattern(first, 0);
        await receivePattern(right, 10 - first.length, first.length);
      });
    },
  },
  {
    promise: "chunks",
    title:
      "receiveInto(view) fills from the start of the view, and touches nothing behind what it tells",
    async body([left, right]) {
      await taskGroup(async (group) => {
        group.startSoon(() => left.send(pattern(5)));
        let count = 0;
        while (count < 5) {
          const whole = new Uint8Array(40).fill(255);
          const received = await right.receiveInto(whole.subarray(8, 38));
          ok(received >= 1 && received <= 5);
          checkPattern(whole.subarray(8, 8 + received), count);
          ok(whole.subarray(0, 8).every((byte) => byte === 255));
          ok(whole.subarray(8 + received).every((byte) => byte === 255));
          count += received;
        }
      });
    },
  },
  {
    promise: "arguments",
    title: "wrong arguments are refused, and change nothing",
    async body([left, right]) {
      for (const maxBytes of [0, -1, 1.5, Number.NaN])
        await rejects(right.receive(maxBytes), RangeError);
      await rejects(right.receive("1" as never), TypeError);
      await rejects(right.receiveInto(new Uint8Array(0)), RangeError);
      await rejects(right.receiveInto([1] as never), TypeError);
      for (const bytes of ["text", [1, 2], new ArrayBuffer(2), undefined])
        await rejects(left.send(bytes as never), TypeError);
      await taskGroup(async (group) => {
        group.startSoon(() => left.send(pattern(4)));
        await receivePattern(right, 4);
      });
    },
  },
  {
    promise: "memory",
    title: "what was received is the receiver's: nothing that happens later changes it",
    async body([left, right]) {
      await taskGroup(async (group) => {
        const kept: Uint8Array[] = [];
        group.startSoon(async () => {
          for (let start = 0; start < 5000; start += 100) await left.send(pattern(100, start));
          await left.sendEof();
        });
        let count = 0;
        for await (const chunk of right) {
          equal(
            Object.getPrototypeOf(chunk),
            Uint8Array.prototype,
            "a chunk's class is the runtime's",
          );
          kept.push(chunk);
          count += chunk.length;
        }
        equal(count, 5000);
        let start = 0;
        for (const chunk of kept) {
          checkPattern(chunk, start);
          start += chunk.length;
          chunk.fill(0);
        }
      });
    },
  },
  {
    promise: "memory",
    title: "what was sent may be changed as soon as send has ended, whatever class it is of",
    async body([left, right]) {
      await taskGroup(async (group) => {
        group.startSoon(async () => {
          const buffers = [new Uint8Array(1000), new SharingBytes(new ArrayBuffer(1000))] as const;
          for (let start = 0; start < 10_000; start += 1000) {
            const buffer = buffers[(start / 1000) % 2] as Uint8Array;
            buffer.set(pattern(1000, start));
            await left.send(buffer);
            buffer.fill(255);
          }
          await left.sendEof();
        });
        equal(await receivePatternToEnd(right), 10_000);
      });
    },
  },
  {
    promise: "checkpoints",
    title:
      "every operation is a checkpoint, also when it need not wait; cancelled before, it has no effect",
    async body([left, right]) {
      await taskGroup(async (group) => {
        const go = new Event();
        group.startSoon(async () => {
          // A stream without a buffer takes these as they are received, at the very end.
          await assertCheckpoints(() => left.send(pattern(20)));
          await go.wait();
          await left.send(pattern(5, 20));
          await assertCheckpoints(() => left.sendEof());
        });
        equal((await assertCheckpoints(() => right.receive(1))).length, 1);
        equal(await assertCheckpoints(() => right.receiveInto(new Uint8Array(1))), 1);
        const cancelled = new CancelScope();
        cancelled.cancel();
        let passed = 0;
        await cancelled.run(async () => {
          for (const operation of [
            () => left.send(pattern(20)),
            () => left.sendEof(),
            () => right.receive(),
            () => right.receiveInto(new Uint8Array(5)),
            () => right[Symbol.asyncIterator]().next(),
          ]) {
            await operation().then(
              () => (passed += 1),
              () => {},
            );
          }
        });
        equal(passed, 0);
        go.set();
        equal(await receivePatternToEnd(right, 2), 23);
      });
    },
  },
];
