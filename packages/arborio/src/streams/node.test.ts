import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Duplex, PassThrough, Readable, Writable } from "node:stream";
import { describe, test as nodeTest } from "node:test";
import { BrokenResourceError, taskGroup } from "../index.ts";
import {
  type ByteStream,
  fromIterable,
  fromNodeDuplex,
  fromNodeReadable,
  fromNodeWritable,
  fromStreamPair,
  fromWritableStream,
  toNodeDuplex,
  toNodeReadable,
  toNodeWritable,
} from "../streams.ts";
import { byteStreamConformance } from "../testing/byte-stream-conformance/index.ts";
import { onEveryBackend } from "../testing/every-backend.ts";

const TEST_MS_MAX = 20_000;
const test = onEveryBackend((title, body) => nodeTest(title, { timeout: TEST_MS_MAX }, body));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (chunk: Uint8Array): string => new TextDecoder().decode(chunk);

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let all = "";
  for await (const chunk of stream) all += text(chunk);
  return all;
}

describe("Node streams", () => {
  test("fromNodeReadable: the bytes, then the end", async () => {
    assert.equal(
      await readAll(
        fromNodeReadable(
          Readable.from([Buffer.from("ab"), Buffer.from("c")], { objectMode: false }),
        ),
      ),
      "abc",
    );
  });

  test("fromNodeReadable: an error is a BrokenResourceError; destroyed before the end too; already ended ends", async () => {
    const failing = new Readable({ read() {} });
    const stream = fromNodeReadable(failing);
    failing.destroy(new RangeError("disk on fire"));
    await assert.rejects(stream.receive(), /disk on fire/);
    const destroyed = new Readable({ read() {} });
    destroyed.destroy();
    await assert.rejects(fromNodeReadable(destroyed).receive(), /destroyed before its end/);
    const ended = Readable.from([Buffer.from("x")], { objectMode: false });
    await readAll(ended as AsyncIterable<Uint8Array>);
    await assert.rejects(fromNodeReadable(ended).receive(), /end/);
  });

  test("fromNodeReadable: one that was paused before flows; what one was destroyed with before is the cause", async () => {
    const paused = new PassThrough();
    paused.pause();
    paused.end("abc");
    assert.equal(await readAll(fromNodeReadable(paused)), "abc");
    const failed = new Readable({ read() {} });
    failed.on("error", () => {});
    failed.destroy(new RangeError("disk on fire"));
    await assert.rejects(fromNodeReadable(failed).receive(), /disk on fire/);
  });

  test("fromNodeWritable: what _write throws breaks the stream; a callback at once is as good as a late one", async () => {
    const throwing = fromNodeWritable(
      new Writable({
        write() {
          throw new RangeError("cannot write");
        },
      }),
    );
    const sending = throwing.send(bytes("a"));
    await assert.rejects(sending, /cannot write/);
    await assert.rejects(throwing.send(bytes("b")), BrokenResourceError);
    const imitation = Object.assign(new Writable(), {
      write: (_chunk: Uint8Array, written: () => void) => (written(), true),
    });
    await fromNodeWritable(imitation as never).send(bytes("a"));
  });

  test("fromNodeDuplex: close of a transform that still has something to give, and was paused, destroys it", async () => {
    let left = 10;
    let ended = (): void => {};
    const transform = new Duplex({
      highWaterMark: 1000,
      // It ends as a compressor does: when its last bytes have found room.
      read() {
        while (left > 0) {
          left -= 1;
          if (!this.push(new Uint8Array(1000))) return;
        }
        ended();
      },
      write(_chunk, _encoding, processed) {
        for (let count = 0; count < 100; count++) this.push(new Uint8Array(1000));
        processed();
      },
      final(processed) {
        left = 10;
        ended = processed;
        this._read(0);
      },
    });
    left = 0;
    const stream = fromNodeDuplex(transform);
    await stream.send(bytes("a"));
    // More than is read ahead: it is paused.
    await stream.receive(1);
    const closed = new Promise<void>((resolve) => void transform.on("close", resolve));
    stream.close();
    await closed;
  });

  test("fromNodeReadable: what is no stream of bytes is refused", () => {
    assert.throws(() => fromNodeReadable(Readable.from(["x"])), /needs a readable stream of bytes/);
    assert.throws(() => fromNodeWritable({} as never), /needs a writable stream of bytes/);
  });

  test("fromNodeDuplex: there and back through a PassThrough, more than its buffers take", async () => {
    const stream: ByteStream = fromNodeDuplex(new PassThrough());
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        for (let count = 0; count < 50; count++)
          await stream.send(new Uint8Array(10_000).fill(count));
        await stream.sendEof();
      });
      let total = 0;
      for await (const chunk of stream) total += chunk.length;
      assert.equal(total, 500_000);
    });
  });

  test("fromNodeWritable: send waits for the callback; a failed write breaks the stream", async () => {
    const log: string[] = [];
    const writable = new Writable({
      write(chunk: Uint8Array, _encoding, processed) {
        log.push(text(chunk));
        processed(log.length === 2 ? new Error("full") : null);
      },
    });
    const stream = fromNodeWritable(writable);
    await stream.send(bytes("a"));
    await assert.rejects(stream.send(bytes("b")), /full/);
    await assert.rejects(stream.send(bytes("c")), BrokenResourceError);
    assert.deepEqual(log, ["a", "b"]);
  });

  test("toNodeReadable, toNodeWritable, toNodeDuplex: Node's streams over ours", async () => {
    assert.equal(
      await readAll(
        toNodeReadable(fromIterable([bytes("ab")]), Readable) as AsyncIterable<Uint8Array>,
      ),
      "ab",
    );
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const node = toNodeDuplex(fromStreamPair({ readable, writable }), Duplex);
    node.end("hello");
    assert.equal(await readAll(node as AsyncIterable<Uint8Array>), "hello");
    const sunk: string[] = [];
    const sink = fromWritableStream(
      new WritableStream<Uint8Array>({ write: (chunk) => void sunk.push(text(chunk)) }),
    );
    const out = toNodeWritable(sink, Writable);
    await new Promise<void>((resolve) => void out.end("x", () => resolve()));
    assert.deepEqual(sunk, ["x"]);
  });

  test("fromNodeWritable: close destroys also a stream that failed and does not do so itself", async () => {
    const told: string[] = [];
    const writable = new Writable({
      autoDestroy: false,
      write: (_chunk, _encoding, processed) => processed(new Error("full")),
      final: (processed) => {
        told.push("ended");
        processed();
      },
      destroy: (_error, processed) => {
        told.push("destroyed");
        processed(null);
      },
    });
    const stream = fromNodeWritable(writable);
    await assert.rejects(stream.send(bytes("a")), BrokenResourceError);
    stream.close();
    assert.deepEqual(told, ["destroyed"]);
  });

  test("fromNodeDuplex: close destroys also a stream that others have ended, or that fails at its end", async () => {
    for (const [endedBefore, failure] of [
      [true, null],
      [false, new Error("full")],
      [false, null],
    ] as const) {
      const duplex = new Duplex({
        autoDestroy: false,
        read: () => {},
        write: (_chunk, _encoding, processed) => processed(),
        final: (processed) => processed(failure),
      });
      const stream = fromNodeDuplex(duplex);
      if (endedBefore) await new Promise<void>((resolve) => void duplex.end(resolve));
      const over = new Promise<void>((resolve) => void duplex.once("close", resolve));
      stream.close();
      await over;
    }
  });
});

describe("byte stream conformance", () => {
  byteStreamConformance(test, {
    name: "fromNodeDuplex",
    makePair: async () => {
      const server = createServer({ allowHalfOpen: true });
      await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
      const accepted = new Promise<Socket>((resolve) => void server.once("connection", resolve));
      const { port } = server.address() as AddressInfo;
      const left = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      const right = await accepted;
      server.close();
      return [fromNodeDuplex(left), fromNodeDuplex(right)];
    },
    gaps: { reset: "the streams of Node have no way to tell the other side of a failure" },
    test: { skip: { backend: "simulator", reason: "its sockets are the runtime's own" } },
  });
});
