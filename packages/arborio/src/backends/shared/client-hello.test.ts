import assert from "node:assert/strict";
import { connect } from "node:tls";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import { type ClientHello, HelloCollector, readClientHello } from "./client-hello.ts";

/** What the runtime's own engine sends first. */
function realHello(serverName: string): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const duplex = new Duplex({
      read() {},
      write(chunk: Uint8Array, _encoding, done) {
        done();
        resolve(new Uint8Array(chunk));
        setImmediate(() => socket.destroy());
      },
    });
    duplex.on("error", () => {});
    const socket = connect({ socket: duplex, servername: serverName });
    socket.on("error", () => {});
  });
}

/** The same handshake message in records with so many bytes each. */
function inRecords(hello: Uint8Array, size: number): Uint8Array {
  const message = hello.subarray(5);
  const records: number[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(22, 3, 1, part.length >> 8, part.length & 0xff, ...part);
  }
  return new Uint8Array(records);
}

/** What the collector says to each byte, as long as it differs from what it said before. */
function byteByByte(bytes: Uint8Array): ClientHello[] {
  const collector = new HelloCollector();
  const said: ClientHello[] = [];
  for (const byte of bytes) {
    const hello = collector.add(new Uint8Array([byte]));
    if (said.at(-1)?.kind !== hello.kind) said.push(hello);
    if (hello.kind !== "incomplete") break;
  }
  assert.deepEqual(collector.bytes, bytes.subarray(0, collector.bytes.length));
  return said;
}

describe("readClientHello", () => {
  test("the name in a real hello, whole, byte by byte, and in many records", async () => {
    const hello = await realHello("example.test");
    const expected: ClientHello = { kind: "hello", serverName: "example.test" };
    assert.deepEqual(readClientHello(hello), expected);
    for (const bytes of [hello, inRecords(hello, 100), inRecords(hello, 1)])
      assert.deepEqual(byteByByte(bytes), [{ kind: "incomplete" }, expected]);
  });

  test("a hello without a name", async () => {
    assert.deepEqual(readClientHello(await realHello("")), {
      kind: "hello",
      serverName: undefined,
    });
  });

  test("a part of a hello, of any length, is incomplete", async () => {
    const hello = await realHello("example.test");
    for (let length = 0; length < hello.length; length++)
      assert.equal(readClientHello(hello.subarray(0, length)).kind, "incomplete", `${length}`);
  });

  test("what is no TLS is told from its first byte, or its second", () => {
    assert.deepEqual(readClientHello(new TextEncoder().encode("G")), { kind: "not-tls" });
    assert.deepEqual(readClientHello(new Uint8Array([0x80])), { kind: "not-tls" });
    assert.deepEqual(readClientHello(new Uint8Array([22])), { kind: "incomplete" });
    assert.deepEqual(readClientHello(new Uint8Array([22, 4])), { kind: "not-tls" });
  });

  test("malformed hellos are left to the engine, and never throw", async () => {
    const hello = await realHello("example.test");
    for (let at = 5; at < hello.length; at++) {
      const changed = hello.slice();
      changed[at] = 0xff;
      const found = readClientHello(changed);
      assert.ok(["hello", "incomplete"].includes(found.kind), `byte ${at}: ${found.kind}`);
    }
    const other = hello.slice();
    other[5] = 2;
    assert.deepEqual(readClientHello(other), { kind: "hello", serverName: undefined });
  });

  test("a hello that never ends is left to the engine after 32 KiB", () => {
    const message = new Uint8Array(5 + 4 + 16_384);
    message.set([1, 0, 0x40, 0], 5);
    const endless = inRecords(message, 1);
    assert.equal(readClientHello(endless.subarray(0, 32_768)).kind, "incomplete");
    assert.equal(readClientHello(endless.subarray(0, 32_769)).kind, "hello");
  });
});
