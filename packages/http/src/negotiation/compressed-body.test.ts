import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { EndOfStream, now, run, shielded, sleep } from "arborio";
import { createDecompressor } from "arborio/lowlevel";
import { simulator } from "arborio/sim";
import { type ByteReceiveStream, createMemoryPipe, fromIterable } from "arborio/streams";
import { cancelEverywhere, onEveryBackend } from "arborio/testing";
import { HttpResponse } from "../web/http-response.ts";
import { responseParts } from "../web/response-parts.ts";
import { answer, decompressed, encode, JSON_TYPE, TEXT } from "./compress.test.kit.ts";
import { FLUSH_AFTER_MS } from "./compressed-body.ts";
import { PulledBody } from "./pulled-body.ts";
import { CONTENT_CODINGS, type ContentCoding } from "./content-coding.ts";

const test = onEveryBackend(nodeTest);

/** What can be decompressed of what came so far. */
async function soFar(chunks: readonly Uint8Array[], coding: ContentCoding): Promise<string> {
  using decompressor = createDecompressor(coding);
  const pieces: Uint8Array[] = [];
  for (const chunk of chunks) pieces.push(...(await decompressor.transform(chunk)));
  return Buffer.concat(pieces).toString();
}

for (const coding of CONTENT_CODINGS) {
  nodeTest(`compress: ${coding}: a stream that pauses is not held back`, async () => {
    await run(
      async (group) => {
        const [sender, receiver] = createMemoryPipe();
        const wrapped = await answer(
          new HttpResponse(receiver, { headers: { "content-type": "text/event-stream" } }),
          coding,
        );
        assert.equal(wrapped.headers.get("content-encoding"), coding);
        using body = responseParts(wrapped).payload as ByteReceiveStream;
        const begin = now();
        group.startSoon(async () => {
          for (const event of ["one", "two", "three"]) {
            await sender.send(encode(`data: ${event}\n\n`));
            await sleep(1000);
          }
          sender.close();
        });
        const chunks: Uint8Array[] = [];
        let text = "";
        for (const event of ["one", "two", "three"]) {
          const due = { one: 0, two: 1000, three: 2000 }[event] as number;
          while (!text.endsWith(`data: ${event}\n\n`)) {
            chunks.push(await body.receive());
            text = await soFar(chunks, coding);
          }
          const late = now() - begin - due;
          assert.ok(late <= 2 * FLUSH_AFTER_MS + 1, `${event} came ${late} ms late`);
        }
        for await (const chunk of body) chunks.push(chunk);
        assert.equal(decompressed(Buffer.concat(chunks), coding), text);
      },
      { backend: simulator({ seed: 1 }) },
    );
  });
}

nodeTest("compress: a stream that comes without a pause is not flushed in between", async () => {
  await run(
    async () => {
      const sizeOf = async (body: Uint8Array[]): Promise<number> => {
        const response = new HttpResponse(fromIterable(body), { headers: JSON_TYPE });
        return (await (await answer(response, "gzip")).arrayBuffer()).byteLength;
      };
      const bytes = encode(TEXT);
      const pieces = Array.from({ length: Math.ceil(bytes.length / 50) }, (_, index) =>
        bytes.subarray(50 * index, 50 * index + 50),
      );
      const whole = await sizeOf([bytes]);
      assert.ok((await sizeOf(pieces)) < whole * 1.1);
    },
    { backend: simulator({ seed: 1 }) },
  );
});

nodeTest(
  "compress: cancelled at every checkpoint, nothing is lost, and all is closed",
  async () => {
    await run(
      () =>
        cancelEverywhere(async (round) => {
          const [source, isOpen] = watched([TEXT.slice(0, 2000), TEXT.slice(2000)]);
          round.after(() => assert.equal(isOpen(), false));
          const response = new HttpResponse(source, { headers: JSON_TYPE });
          const wrapped = await answer(response, "gzip");
          using body = responseParts(wrapped).payload as ByteReceiveStream;
          const received: Uint8Array[] = [];
          const receiveAll = async (): Promise<void> => {
            try {
              for (;;) received.push(await body.receive(100));
            } catch (error) {
              if (!(error instanceof EndOfStream)) throw error;
            }
          };
          try {
            await receiveAll();
          } finally {
            // Whenever it was cancelled, the rest is still to be had.
            await shielded(receiveAll);
            assert.equal(decompressed(Buffer.concat(received), "gzip"), TEXT);
          }
        }),
      { backend: simulator({ seed: 1 }) },
    );
  },
);

/** A stream of these, which pauses before each, so that what was compressed is put out; and whether it is open. */
function watched(texts: readonly string[], failure?: Error): [ByteReceiveStream, () => boolean] {
  const left = [...texts];
  let open = true;
  const stream = new PulledBody("Source", {
    async pull() {
      await sleep(20);
      const text = left.shift();
      if (text !== undefined) return encode(text);
      throw failure ?? new EndOfStream("over");
    },
    release() {
      open = false;
    },
  });
  return [stream, () => open];
}

test("compress: a source that fails, fails the body, and is closed", async () => {
  const failure = new Error("the disk is gone");
  const [failing, isOpen] = watched([TEXT], failure);
  const response = await answer(new HttpResponse(failing, { headers: JSON_TYPE }));
  await assert.rejects(response.arrayBuffer(), /the disk is gone/);
  assert.equal(isOpen(), false);
  const [early, isEarlyOpen] = watched([], failure);
  const answering = answer(new HttpResponse(early, { headers: JSON_TYPE }), "gzip");
  await assert.rejects(async () => (await answering).arrayBuffer(), /the disk is gone/);
  assert.equal(isEarlyOpen(), false);
});

test("compress: a source that fails while it is looked at is closed", async () => {
  let open = true;
  const source = new PulledBody("Source", {
    pull: () => Promise.reject(new Error("at once")),
    release() {
      open = false;
    },
  });
  await assert.rejects(answer(new HttpResponse(source, { headers: JSON_TYPE })), /at once/);
  assert.equal(open, false);
});
