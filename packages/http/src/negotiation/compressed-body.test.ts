import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { EndOfStream, moveOnAfter, now, run, sleep } from "arborio";
import { createDecompressor } from "arborio/lowlevel";
import { simulator } from "arborio/sim";
import { type ByteReceiveStream, createMemoryPipe, fromIterable } from "arborio/streams";
import { cancelEverywhere, onEveryBackend } from "arborio/testing";
import { HttpResponse } from "../web/http-response.ts";
import { responseParts } from "../web/response-parts.ts";
import { answer, decompressed, encode, JSON_TYPE, TEXT } from "./compress.test.kit.ts";
import { FLUSH_AFTER_MS } from "./compressed-body.ts";
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
  "compress: cancelled at every checkpoint, nothing is lost and nothing stays open",
  async () => {
    await run(
      () =>
        cancelEverywhere(async (round) => {
          let open = 0;
          const source = fromIterable([encode(TEXT.slice(0, 2000)), encode(TEXT.slice(2000))]);
          const close = source.close.bind(source);
          open += 1;
          source.close = () => {
            open = 0;
            close();
          };
          round.after(() => assert.equal(open, 0));
          const received: Uint8Array[] = [];
          let body: ByteReceiveStream | undefined;
          try {
            const response = new HttpResponse(source, { headers: JSON_TYPE });
            const wrapped = await answer(response, "gzip");
            body = responseParts(wrapped).payload as ByteReceiveStream;
            // A receive that is cancelled by this deadline, at whatever step, loses nothing.
            for (let delay = 0; delay < 3; delay++) {
              const chunk = await moveOnAfter(delay, () =>
                (body as ByteReceiveStream).receive(100),
              );
              if (chunk !== undefined) received.push(chunk);
            }
            for (;;) received.push(await body.receive(100));
          } catch (error) {
            if (!(error instanceof EndOfStream)) throw error;
            assert.equal(decompressed(Buffer.concat(received), "gzip"), TEXT);
          } finally {
            body?.close();
            if (body === undefined) source.close();
          }
        }),
      { backend: simulator({ seed: 1 }) },
    );
  },
);

test("compress: a source that fails, fails the body, and is closed", async () => {
  const failing = (async function* () {
    yield encode(TEXT);
    throw new Error("the disk is gone");
  })();
  const response = await answer(new HttpResponse(fromIterable(failing), { headers: JSON_TYPE }));
  await assert.rejects(response.arrayBuffer(), /the disk is gone/);
  const early: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.reject(new Error("from the beginning")),
    }),
  };
  await assert.rejects(
    answer(new HttpResponse(fromIterable(early), { headers: JSON_TYPE })),
    /from the beginning/,
  );
});
