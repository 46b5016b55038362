import assert from "node:assert/strict";
import { waitAllTasksBlocked } from "arborio";
import type { Wire } from "arborio/lowlevel";
import { simTest } from "../connection/raw-client.test.kit.ts";
import { MessageSender } from "./message-sender.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";
import { WebSocketCore } from "./web-socket-core.ts";

/** A wire that takes nothing at once, and is not written to twice. */
class BusyWire implements Wire {
  readonly written: number[][] = [];
  /** What it was given last, which it goes on reading. */
  last: Uint8Array = new Uint8Array(0);
  isBusy = false;
  isEnded = false;
  readonly details: Wire["details"] = {} as Wire["details"];

  open(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {
    assert.equal(this.isBusy, false, "ended while it is busy");
    this.isEnded = true;
  }
  close(): void {}

  write(bytes: Uint8Array): boolean {
    assert.equal(this.isBusy, false, "written to while it is busy");
    assert.equal(this.isEnded, false, "written to behind its end");
    this.isBusy = true;
    this.written.push([...bytes]);
    this.last = bytes;
    return false;
  }
}

function made(): { wire: BusyWire; core: WebSocketCore; sender: MessageSender; take: () => void } {
  const wire = new BusyWire();
  const core = new WebSocketCore(wire, {
    role: "server",
    messageBytesMax: 100,
    allowsCompressed: false,
  });
  const sender = new MessageSender(core, {
    fragmentBytesMax: Infinity,
    deflater: null,
    compressedBytesMin: 0,
  });
  const take = (): void => {
    wire.isBusy = false;
    core.written();
  };
  return { wire, core, sender, take };
}

simTest(
  "MessageSender: who waits for the wire looks again when a control frame was quicker",
  async (group) => {
    const { wire, core, sender, take } = made();
    core.ping(Uint8Array.of(1));
    group.startSoon(() => sender.send("x"));
    await waitAllTasksBlocked();
    take();
    core.ping(Uint8Array.of(2));
    await waitAllTasksBlocked();
    take();
    await waitAllTasksBlocked();
    assert.deepEqual(wire.written, [
      [0x89, 1, 1],
      [0x89, 1, 2],
      [0x81, 1, 0x78],
    ]);
    take();
  },
);

simTest(
  "MessageSender: a message that the wire has taken was sent, though the connection breaks before its task goes on",
  async (group) => {
    const { core, sender, take } = made();
    let isSent = false;
    group.startSoon(async () => {
      await sender.send("x");
      isSent = true;
      await assert.rejects(sender.send("y"), WebSocketClosedError);
    });
    await waitAllTasksBlocked();
    take();
    core.failed(new Error("broken"));
    await waitAllTasksBlocked();
    assert.ok(isSent);
  },
);

simTest(
  "MessageSender: a message that the wire has not taken when the connection breaks was not",
  async (group) => {
    const { core, sender } = made();
    group.startSoon(() => assert.rejects(sender.send("x"), WebSocketClosedError));
    await waitAllTasksBlocked();
    core.failed(new Error("broken"));
  },
);

simTest(
  "MessageSender: what a wire has not taken is not overwritten by what goes out on another one",
  async (group) => {
    const texts = ["x", "y".repeat(100), "z".repeat(4000), "ü".repeat(2000)];
    for (const text of texts) {
      const slow = made();
      group.startSoon(() => slow.sender.send(text));
      await waitAllTasksBlocked();
      const [given] = slow.wire.written;
      for (const other of texts) {
        const quick = made();
        group.startSoon(() => quick.sender.send(other.replaceAll(/./g, "#")));
        await waitAllTasksBlocked();
        quick.take();
      }
      assert.deepEqual([...slow.wire.last], given);
      slow.take();
    }
  },
);

simTest(
  "MessageSender: a large message is handed over in pieces, and each that is taken is a sign of life",
  async (group) => {
    const { wire, core, sender, take } = made();
    let isSent = false;
    group.startSoon(async () => {
      await sender.send(new Uint8Array(200_000).fill(7));
      isSent = true;
    });
    await waitAllTasksBlocked();
    for (let pieces = 1; pieces <= 4; pieces++) {
      assert.equal(wire.written.length, pieces);
      assert.ok(wire.last.length <= 65_536);
      assert.equal(core.signs, pieces - 1);
      assert.equal(isSent, false);
      take();
      await waitAllTasksBlocked();
    }
    assert.ok(isSent);
    const bytes = wire.written.flat();
    assert.equal(bytes.length, 200_000 + 10);
    assert.ok(bytes.slice(10).every((byte) => byte === 7));
  },
);

simTest(
  "WebSocketCore: a connection is ended behind the close frame, and that is written behind what the wire has",
  async (group) => {
    const { wire, core, sender, take } = made();
    group.startSoon(() => sender.send("x"));
    await waitAllTasksBlocked();
    // A frame without a mask.
    core.received(Uint8Array.of(0x81, 0));
    for (const frames of [1, 2]) {
      assert.equal(wire.written.length, frames);
      assert.equal(wire.isEnded, false);
      take();
    }
    assert.deepEqual(wire.written[1], [0x88, 2, 1002 >> 8, 1002 & 0xff]);
    assert.ok(wire.isEnded);
    await waitAllTasksBlocked();
  },
);
