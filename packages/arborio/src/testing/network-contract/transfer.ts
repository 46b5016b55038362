import { equal, ok } from "../conformance/assert.ts";
import { checkPattern } from "../byte-stream-conformance/bytes.ts";
import { sleep } from "../../sync/timeouts.ts";
import { type ContractCheck, quiet } from "./suite.ts";

/** What was read already when `pause` is called may still come: a few reads of the runtime, no more. */
const AFTER_PAUSE_BYTES_MAX = 8 * 1024 * 1024;

/** Bytes on their way. */
export const transfer: readonly ContractCheck[] = [
  {
    title: "Wire: carries bytes both ways, in order, as plain Uint8Arrays",
    async body(bench) {
      const [left, right] = await bench.pair();
      left.write(1000);
      right.write(2000);
      await right.until("1000 bytes", () => right.bytes === 1000);
      await left.until("2000 bytes", () => left.bytes === 2000);
      left.write(1);
      await right.until("one more", () => right.bytes === 1001);
    },
  },
  {
    title: "Wire.open: what came before is told after it, the end too",
    async body(bench) {
      const [near, far] = await bench.wires();
      const left = bench.open(near);
      left.write(5000);
      left.wire.end();
      await quiet();
      const right = bench.open(far);
      await right.untilEndOf(left);
    },
  },
  {
    title: "Wire.open: who does not open presses back",
    async body(bench) {
      const [near, far] = await bench.wires();
      const left = bench.open(near);
      await left.fill();
      const right = bench.open(far);
      await left.until("the write that waited is written", () => !left.waits);
      await right.until("everything", () => right.bytes === left.sent);
    },
  },
  {
    title: "WireReceiver.received: the memory is the receiver's, to keep and to change",
    async body(bench) {
      const [left, right] = await bench.pair();
      for (let round = 1; round <= 50; round++) {
        left.write(700);
        await right.until("a chunk", () => right.bytes === round * 700);
      }
      let start = 0;
      for (const chunk of right.chunks) {
        checkPattern(chunk, start);
        start += chunk.length;
      }
      right.onBytes = (chunk, place) => {
        checkPattern(chunk, place);
        chunk.fill(255);
      };
      for (let round = 51; round <= 100; round++) {
        left.write(700);
        await right.until("a chunk", () => right.bytes === round * 700);
      }
    },
  },
  {
    title: "Wire.write: the bytes may be changed as soon as they are handed over",
    async body(bench) {
      const [left, right] = await bench.pair();
      right.onBytes = (chunk) => {
        ok(chunk.every((byte) => byte === 7));
      };
      const bytes = new Uint8Array(3000);
      for (let round = 1; round <= 20; round++) {
        bytes.fill(7);
        left.waits = !left.wire.write(bytes);
        await left.until("written", () => !left.waits);
        bytes.fill(8);
        await right.until("a chunk", () => right.bytes === round * 3000);
      }
    },
  },
  {
    title: "Wire.pause: presses back on the sender, whose write is written once, after resume",
    async body(bench) {
      const [left, right] = await bench.pair();
      right.wire.pause();
      await left.fill();
      ok(right.bytes <= AFTER_PAUSE_BYTES_MAX, `${right.bytes} bytes came while paused`);
      const { bytes } = right;
      await quiet();
      equal(right.bytes, bytes, "bytes while paused");
      right.wire.resume();
      await left.until("the write that waited is written", () => !left.waits);
      await right.until("everything", () => right.bytes === left.sent);
    },
  },
  {
    title: "Wire.pause: in the middle of a stream, again and again",
    async body(bench) {
      const [left, right] = await bench.pair();
      let pauses = 0;
      right.onBytes = (chunk, start) => {
        checkPattern(chunk, start);
        right.wire.pause();
        pauses += 1;
      };
      const total = 1024 * 1024;
      let sent = 0;
      while (right.bytes < total) {
        if (!left.waits && sent < total) {
          left.write(32_768);
          sent += 32_768;
        }
        await sleep(1);
        right.wire.resume();
      }
      right.check();
      ok(pauses > 1, "paused");
    },
  },
  {
    title: "WireReceiver.written: not for an earlier write that had nothing to wait for",
    async body(bench) {
      for (const first of [10, 100_000]) {
        const [left, right] = await bench.pair();
        right.wire.pause();
        // The first one of a connection may have to wait: the runtime may not know yet that there is room.
        while (!left.write(first)) await left.until("written", () => !left.waits);
        left.write(16 * 1024 * 1024);
        ok(left.waits, "16 MiB have to wait");
        await quiet();
        ok(left.waits, "they wait as long as nobody reads");
        right.wire.resume();
        await left.until("written", () => !left.waits);
        await right.until("everything", () => right.bytes === left.sent);
      }
    },
  },
  {
    title: "Wire.write: small ones that have to wait are written too",
    async body(bench) {
      const [left, right] = await bench.pair();
      right.wire.pause();
      await left.fill();
      right.wire.resume();
      for (let round = 0; round < 3; round++) {
        await left.until("written", () => !left.waits);
        right.wire.pause();
        while (left.write(200)) {
          // Until there is no room.
        }
        right.wire.resume();
      }
      await left.until("written", () => !left.waits);
      await right.until("everything", () => right.bytes === left.sent);
    },
  },
  {
    title: "Wire.pause: the other direction goes on",
    async body(bench) {
      const [left, right] = await bench.pair();
      right.wire.pause();
      await left.fill();
      await right.send(4 * 1024 * 1024);
      await left.until("everything", () => left.bytes === right.sent);
      ok(left.waits, "the direction that is paused waits");
      right.wire.resume();
      await right.until("everything", () => right.bytes === left.sent);
    },
  },
  {
    title: "Wire.details: both ends agree on their addresses; nothing is secured",
    async body(bench) {
      for (const kind of ["tcp", "unix"] as const) {
        const [left, right] = await bench.pair(kind);
        const near = left.wire.details;
        const far = right.wire.details;
        for (const end of [near, far]) {
          equal(end.securing, false);
          equal(end.tls, undefined);
          end.setOptions({ noDelay: false, keepAliveMs: 60_000 });
          end.setOptions({ noDelay: true, keepAliveMs: false });
        }
        equal(JSON.stringify(near.localAddress), JSON.stringify(far.remoteAddress));
        equal(JSON.stringify(near.remoteAddress), JSON.stringify(far.localAddress));
        ok(near.localAddress !== undefined && near.remoteAddress !== undefined, "addresses");
      }
    },
  },
];
