import { equal, ok } from "../conformance/assert.ts";
import { checkPattern } from "../byte-stream-conformance/bytes.ts";
import { type ContractCheck, quiet } from "./suite.ts";

/** Ends and failures of wires. */
export const ending: readonly ContractCheck[] = [
  ...(["tcp", "unix"] as const).map((kind): ContractCheck => ({
    title: `Wire.end (${kind}): the other side gets everything, then the end; the other direction goes on; no failure`,
    async body(bench) {
      const [left, right] = await bench.pair(kind);
      await left.send(300_000);
      left.wire.end();
      await right.untilEndOf(left);
      await right.send(300_000);
      await left.until("bytes after the end", () => left.bytes === right.sent);
      right.wire.end();
      await left.untilEndOf(right);
      await quiet();
      left.check();
      right.check();
      equal(left.failure, undefined);
      equal(right.failure, undefined);
    },
  })),
  {
    title: "Wire.end: after a write that waits",
    async body(bench) {
      const [left, right] = await bench.pair();
      right.wire.pause();
      await left.fill();
      left.wire.end();
      right.wire.resume();
      await right.untilEndOf(left);
      await left.until("written", () => !left.waits);
    },
  },
  {
    title: "Wire: both may end at the same time",
    async body(bench) {
      const [left, right] = await bench.pair();
      left.wire.end();
      right.wire.end();
      await left.until("the end", () => left.hasEnded);
      await right.until("the end", () => right.hasEnded);
      await quiet();
      equal(left.failure ?? right.failure, undefined);
    },
  },
  {
    title: "Wire.open: an end without bytes is told after it, and writing works",
    async body(bench) {
      const [near, far] = await bench.wires();
      const left = bench.open(near);
      left.wire.end();
      await quiet();
      const right = bench.open(far);
      await right.untilEndOf(left);
      right.write(10);
      await left.until("bytes", () => left.bytes === 10);
    },
  },
  {
    title: "Acceptor.accepted: a client that is gone at once leaves its end",
    async body(bench) {
      const listener = await bench.listen();
      const near = await bench.connect(listener.target);
      near.close(false);
      const far = await listener.next();
      await quiet();
      const right = bench.open(far);
      await right.until("the end", () => right.hasEnded);
      await quiet();
      equal(right.failure, undefined);
    },
  },
  {
    title:
      "Acceptor.accepted: a client that writes, ends and is gone at once leaves its bytes and its end",
    async body(bench) {
      const listener = await bench.listen();
      const left = bench.open(await bench.connect(listener.target));
      left.write(100);
      left.wire.end();
      left.close(false);
      const far = await listener.next();
      await quiet();
      const right = bench.open(far);
      await right.untilEndOf(left);
    },
  },
  ...(["tcp", "unix"] as const).map((kind): ContractCheck => ({
    title: `Wire.close (${kind}): in order, loses nothing that was taken`,
    async body(bench) {
      const [left, right] = await bench.pair(kind);
      right.wire.pause();
      while (left.sent < 200_000 && left.write(10_000)) {
        // Without a turn of the host between the last of them and the close.
      }
      if (left.waits) {
        right.wire.resume();
        await left.until("written", () => !left.waits);
      }
      left.close(false);
      await quiet();
      right.wire.resume();
      await right.untilEndOf(left);
    },
  })),
  {
    title: "Wire.close: in order, right after the last write was written",
    async body(bench) {
      const [left, right] = await bench.pair();
      right.wire.pause();
      await left.fill();
      right.wire.resume();
      await left.until("written", () => !left.waits);
      left.close(false);
      await right.untilEndOf(left);
    },
  },
  {
    title: "Wire.close: abortively, the other side is told of a failure, once, and of no end",
    async body(bench) {
      const [left, right] = await bench.pair();
      left.write(10);
      await right.until("bytes", () => right.bytes === 10);
      left.close(true);
      await right.untilFailed("ECONNRESET");
      equal(right.hasEnded, false);
      await quiet();
      right.check();
    },
  },
  {
    title: "Wire.close: abortively, while a write waits; nothing more is told",
    async body(bench) {
      const [left, right] = await bench.pair();
      right.wire.pause();
      await left.fill();
      left.close(true);
      await quiet();
      right.wire.resume();
      await right.untilFailed("ECONNRESET");
      left.check();
    },
  },
  {
    title: "Wire.close: abortively on a Unix socket, the other side sees an end or a failure",
    async body(bench) {
      const [left, right] = await bench.pair("unix");
      left.write(10);
      await right.until("bytes", () => right.bytes === 10);
      left.close(true);
      await right.until("an end", () => right.hasEnded || right.failure !== undefined);
    },
  },
  {
    title:
      "WireReceiver: is told nothing after close, whatever the other side does, and a second close does nothing",
    async body(bench) {
      for (const abortively of [false, true]) {
        const [left, right] = await bench.pair();
        right.close(false);
        right.wire.close(true);
        left.write(1000);
        await quiet();
        if (abortively) left.close(true);
        else left.wire.end();
        await quiet();
        right.check();
      }
    },
  },
  {
    title: "WireReceiver.failed: a reset while a write waits; it is not written",
    async body(bench) {
      const [left, right] = await bench.pair();
      right.wire.pause();
      await left.fill();
      right.close(true);
      await left.untilFailed("ECONNRESET", "EPIPE");
      ok(left.waits, "not written");
      await quiet();
      left.check();
    },
  },
  {
    title: "WireReceiver.failed: writing to a side that is gone",
    async body(bench) {
      const [left, right] = await bench.pair();
      right.close(false);
      await left.until("the end", () => left.hasEnded || left.failure !== undefined);
      for (let round = 0; round < 200 && left.failure === undefined; round++) {
        if (!left.waits) left.write(1000);
        if (left.failure === undefined) await quiet();
      }
      await left.untilFailed("ECONNRESET", "EPIPE");
      await quiet();
      left.check();
    },
  },
  {
    title:
      "WireReceiver.failed: a write that finds out of a reset before anything else, while bytes wait to be read",
    async body(bench) {
      for (const count of [1000, 100_000]) {
        const [left, right] = await bench.pair();
        left.onBytes = (chunk, start) => {
          checkPattern(chunk, start);
          left.wire.pause();
        };
        while (right.sent < 200_000 && right.write(10_000)) {
          // All in one turn of the host, so that nothing is read in between.
        }
        right.close(true);
        left.write(count);
        await left.untilFailed("ECONNRESET", "EPIPE");
        await quiet();
        left.check();
      }
    },
  },
  {
    title: "WireReceiver.failed: a reset that came before open is told after it",
    async body(bench) {
      const [near, far] = await bench.wires();
      near.close(true);
      await quiet();
      const right = bench.open(far);
      await right.untilFailed("ECONNRESET");
      await quiet();
      right.check();
    },
  },
  {
    title: "Wire.close: before open gives the connection back",
    async body(bench) {
      for (const abortively of [false, true]) {
        const [near, far] = await bench.wires();
        const left = bench.open(near);
        left.write(10);
        far.close(abortively);
        far.close(false);
        await left.until("an end", () => left.hasEnded || left.failure !== undefined);
      }
    },
  },
];
