import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvalidStateError, run, waitAllTasksBlocked } from "arborio";
import type { Wire } from "arborio/lowlevel";
import { simulator } from "arborio/sim";
import { BufferPool } from "./buffer-pool.ts";
import { utf8Length, WireOutlet } from "./wire-outlet.ts";

/** A wire that copies what it is given, and takes it at once unless told otherwise. */
function recordingWire() {
  const writes: string[] = [];
  const wire = {
    takes: true,
    write(bytes: Uint8Array): boolean {
      writes.push(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
      return this.takes;
    },
  };
  return {
    wire,
    writes,
    outlet: new WireOutlet(wire as unknown as Wire, new BufferPool(), "client"),
  };
}

/** The bytes of a text in UTF-8, each as one character. */
const utf8 = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");

const START: Uint8Array = new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: ");

describe("WireOutlet", () => {
  test("a head, its length and a body are one write, whatever their lengths", () => {
    const bodies = [
      "",
      "hi",
      "ü",
      "a".repeat(64),
      "a".repeat(65),
      "€".repeat(30),
      "b".repeat(8192),
    ];
    for (const body of bodies) {
      const { outlet, writes } = recordingWire();
      const bytes = utf8Length(body);
      outlet.addReadyHead(START, bytes);
      outlet.addUtf8(body, bytes);
      assert.equal(outlet.flush(), true);
      const expected = `HTTP/1.1 200 OK\r\ncontent-length: ${bytes}\r\n\r\n${utf8(body)}`;
      assert.deepEqual(writes, [expected]);
    }
  });

  test("what is collected grows beyond one buffer, and keeps its order", () => {
    const { outlet, writes } = recordingWire();
    let expected = "";
    for (let n = 0; n < 40; n++) {
      outlet.addReadyHead(START, n);
      outlet.addLatin1(`\u00e9${n}`);
      outlet.addBytes(new Uint8Array(1000).fill(0x30 + (n % 10)));
      expected += `HTTP/1.1 200 OK\r\ncontent-length: ${n}\r\n\r\n\u00e9${n}${String(n % 10).repeat(1000)}`;
    }
    assert.equal(outlet.pending, expected.length);
    outlet.flush();
    assert.deepEqual(writes, [expected]);
  });

  test("a buffer that the wire still reads is not written to again", () => {
    const { outlet, wire } = recordingWire();
    const kept: Uint8Array[] = [];
    wire.write = (bytes) => {
      kept.push(bytes);
      return false;
    };
    outlet.addLatin1("first");
    assert.equal(outlet.flush(), false);
    outlet.written();
    outlet.addLatin1("other");
    outlet.flush();
    assert.deepEqual(
      kept.map((bytes) => new TextDecoder().decode(bytes)),
      ["first", "other"],
    );
  });

  test("while the wire has a write nothing is handed over, and nothing of it is lost", () => {
    const { outlet, wire, writes } = recordingWire();
    wire.takes = false;
    outlet.addLatin1("first");
    assert.equal(outlet.flush(), false);
    outlet.addLatin1("second");
    assert.equal(outlet.flush(), false);
    assert.equal(outlet.flushLate(), true);
    assert.throws(() => outlet.write(new Uint8Array(1)), InvalidStateError);
    assert.deepEqual(writes, ["first"]);
    wire.takes = true;
    outlet.written();
    assert.equal(outlet.flush(), true);
    assert.deepEqual(writes, ["first", "second"]);
  });

  test("several who wait for a write have the deadline of the first, until it is done", async () => {
    await run(
      async (group) => {
        const { outlet, wire } = recordingWire();
        wire.takes = false;
        outlet.addLatin1("first");
        outlet.flush();
        const first = group.startSoon(() => outlet.drained(100));
        const second = group.startSoon(() => outlet.drained(200));
        await waitAllTasksBlocked();
        assert.equal(outlet.overdueAt, 100);
        first.cancel();
        await waitAllTasksBlocked();
        assert.equal(outlet.overdueAt, 100);
        outlet.written();
        assert.equal(outlet.overdueAt, Infinity);
        // Another write, before who waited for the first goes on.
        outlet.addLatin1("second");
        outlet.flush();
        const third = group.startSoon(() => outlet.drained(300));
        await waitAllTasksBlocked();
        assert.equal(second.status, "finished");
        assert.equal(outlet.overdueAt, 300);
        third.cancel();
        await waitAllTasksBlocked();
        assert.equal(outlet.overdueAt, Infinity);
      },
      { signals: [], backend: simulator({ seed: 1 }) },
    );
  });

  test("flushLate leaves to the next call what may have been collected just now", () => {
    const { outlet, writes } = recordingWire();
    outlet.isLate = true;
    outlet.addLatin1("first");
    assert.equal(outlet.flushLate(), false);
    outlet.flush();
    outlet.addLatin1("second");
    assert.equal(outlet.flushLate(), false);
    outlet.addLatin1(" and more");
    assert.equal(outlet.isLate, true);
    assert.equal(outlet.flushLate(), true);
    assert.deepEqual(writes, ["first", "second and more"]);
    assert.equal(outlet.isLate, false);
    assert.equal(outlet.flushLate(), true);
    assert.equal(writes.length, 2);
  });

  test("lone surrogates count as what they become", () => {
    for (const text of ["\ud800", "a\udc00b", "é", "\u{1f333}", "plain"])
      assert.equal(utf8Length(text), utf8(text).length);
  });
});
