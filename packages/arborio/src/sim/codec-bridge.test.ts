import assert from "node:assert/strict";
import { test } from "node:test";
import type { Codec, CodecSettings, Compression } from "../platform/compression.ts";
import type { Completion } from "../platform/network.ts";
import { VirtualClock } from "./clock.ts";
import { bridgeCompression } from "./codec-bridge.ts";
import { HostBridge } from "./host-bridge.ts";

const SETTINGS: CodecSettings = {
  direction: "compress",
  format: "gzip",
  level: undefined,
  windowBits: undefined,
  ignoresTrailing: false,
};

/** A codec that answers when the test says so, as one in another thread. */
class SlowCodec implements Codec {
  readonly reads: Completion<Uint8Array | null>[] = [];
  readonly log: string[] = [];
  readonly ended = false;

  write(input: Uint8Array, ending: string): void {
    this.log.push(`write ${input.length} ${ending}`);
  }

  read(completion: Completion<Uint8Array | null>): void {
    this.reads.push(completion);
  }

  reset(): void {
    this.log.push("reset");
  }

  close(): void {
    this.log.push("close");
  }
}

function createWorld(): {
  clock: VirtualClock;
  /** Bridged ones, with what is behind them. */
  open: () => [Codec, SlowCodec];
  turns: () => void;
} {
  const queue: (() => void)[] = [];
  const hostTurn = (turn: () => void): void => void queue.push(turn);
  const clock = new VirtualClock(hostTurn);
  const bridge = new HostBridge(clock, hostTurn);
  const slow: SlowCodec[] = [];
  const compression: Compression = {
    formats: ["gzip"],
    convert: (_settings, input) => input,
    open() {
      slow.push(new SlowCodec());
      return slow.at(-1) as SlowCodec;
    },
  };
  const bridged = bridgeCompression(compression, bridge);
  return {
    clock,
    open: () => [bridged.open(SETTINGS), slow.at(-1) as SlowCodec],
    turns() {
      for (let turn = queue.shift(); turn !== undefined; turn = queue.shift()) turn();
    },
  };
}

test("bridged codec: the world stands still until the host has answered, however long it takes", () => {
  const { clock, open, turns } = createWorld();
  const [codec, slow] = open();
  const log: string[] = [];
  clock.onStuck(() => log.push("stuck"));
  codec.write(new Uint8Array(3), "finish");
  codec.read({
    succeed: (bytes) => log.push(`got ${bytes?.length} at ${clock.now()}`),
    fail: assert.fail,
  });
  clock.setTimer(1, () => log.push("timer"));
  turns();
  turns();
  assert.deepEqual(log, []);
  slow.reads[0]?.succeed(new Uint8Array(2));
  turns();
  assert.deepEqual(log, ["got 2 at 0", "timer", "stuck"]);
  assert.deepEqual(slow.log, ["write 3 finish"]);
});

test("bridged codec: answers come in the order of the codecs, when all have come", () => {
  const { open, turns } = createWorld();
  const [[one, slowOne], [two, slowTwo]] = [open(), open()];
  const log: string[] = [];
  two.read({ succeed: () => log.push("two"), fail: assert.fail });
  one.read({ succeed: () => assert.fail(), fail: (error) => log.push(error.message) });
  slowTwo.reads[0]?.succeed(null);
  turns();
  assert.deepEqual(log, []);
  slowOne.reads[0]?.fail(new Error("one"));
  turns();
  assert.deepEqual(log, ["one", "two"]);
});

test("bridged codec: closed while it reads, it tells nothing and the world goes on", () => {
  const { clock, open, turns } = createWorld();
  const [codec, slow] = open();
  codec.read({ succeed: () => assert.fail(), fail: assert.fail });
  turns();
  codec.reset();
  codec.close();
  slow.reads[0]?.succeed(null);
  let fired = false;
  clock.setTimer(1, () => (fired = true));
  turns();
  assert.ok(fired);
  assert.deepEqual(slow.log, ["reset", "close"]);
});
