/** What a producer may do with a body that it sends, and what it may not. */
import assert from "node:assert/strict";
import { InvalidStateError, moveOnAfter, sleep } from "arborio";
import { testClient } from "../testing/test-client.ts";
import { HttpResponse, type HttpResponseInit } from "../web/http-response.ts";
import { get, RawClient, simTest } from "./raw-client.test.kit.ts";

const LARGE = "x".repeat(200_000);

/** Without this, the head of the next response was taken for the rest of the piece: another client's, behind a proxy. */
const INITS: Readonly<Record<string, HttpResponseInit>> = {
  "in chunks": {},
  "of known length": { headers: { "content-length": String(LARGE.length + 4) } },
};
for (const [name, init] of Object.entries(INITS)) {
  simTest(
    `a body ${name} is broken off when a send was cancelled and its producer goes on`,
    async () => {
      const reported: unknown[] = [];
      const thrown: unknown[] = [];
      await using client = testClient(
        (request) => {
          if (request.url.endsWith("/second")) return new HttpResponse("second");
          return new HttpResponse(async (sink) => {
            await moveOnAfter(50, () => sink.send(LARGE));
            await sink.send("tail").catch((error: unknown) => thrown.push(error));
          }, init);
        },
        { onError: (error) => void reported.push(error) },
      );
      const raw = new RawClient(client.connect(1000));
      await raw.send(get() + get("/second"));
      await sleep(1000);
      const [text, end] = await raw.rest();
      assert.equal(end, "reset");
      assert.ok(!text.includes("tail") && !text.includes("second"), text.slice(-100));
      assert.ok(thrown[0] instanceof InvalidStateError);
      assert.ok(reported.length === 1 && reported[0] instanceof InvalidStateError);
    },
  );
}

simTest("a body is broken off, too, when a send was cancelled before it began", async () => {
  // A compressor has made its pieces from ones that came before, and cannot make them again.
  const reported: unknown[] = [];
  await using client = testClient(
    () =>
      new HttpResponse(async (sink) => {
        await sink.send("one");
        await moveOnAfter(0, () => sink.send("two"));
        await sleep(10);
      }),
    { onError: (error) => void reported.push(error) },
  );
  const raw = new RawClient(client.connect());
  await raw.send(get());
  const [text, end] = await raw.rest();
  assert.match(text, /\r\n3\r\none\r\n$/);
  assert.equal(end, "reset");
  assert.ok(reported.length === 1 && reported[0] instanceof InvalidStateError);
});
