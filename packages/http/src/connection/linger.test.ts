import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokenResourceError, now, run, sleep, taskGroup } from "arborio";
import { connectTcp } from "arborio/net";
import { simulator } from "arborio/sim";
import { HttpResponse } from "../web/http-response.ts";
import { openServer } from "../server/open-server.ts";

const PIECE = new Uint8Array(60_000);

// nginx in front, with `proxy_request_buffering off`, made a 502 of a refusal when its sending failed before it had looked.
for (const seed of [1, 2, 3]) {
  test(`a refusal in the middle of a large upload: who reads late can send on meanwhile, and gets it [seed ${seed}]`, () =>
    run(
      async () => {
        const refusal = (): Response => new HttpResponse("no", { status: 403 });
        const options = { port: 8080, host: "127.0.0.1", graceMs: 0 };
        await using _server = await openServer(refusal, options);
        using stream = await connectTcp("127.0.0.1", 8080);
        const head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 12000000\r\n\r\n";
        await stream.send(new TextEncoder().encode(head));
        let text = "";
        await taskGroup(async (group) => {
          const sending = group.startSoon(async () => {
            for (let sent = 0; sent < 12_000_000; sent += PIECE.length) await stream.send(PIECE);
          });
          await sleep(90);
          for await (const bytes of stream) text += new TextDecoder().decode(bytes);
          sending.cancel();
        });
        assert.match(text, /^HTTP\/1\.1 403 [^]*\r\n\r\nno$/);
      },
      { backend: simulator({ seed }) },
    ));
}

test("lingering ends in time, however much comes", () =>
  run(
    async () => {
      const refusal = (): Response => new HttpResponse("no", { status: 403 });
      const options = { port: 8080, host: "127.0.0.1", graceMs: 0 };
      await using server = await openServer(refusal, options);
      using stream = await connectTcp("127.0.0.1", 8080);
      const head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
      await stream.send(new TextEncoder().encode(head));
      await assert.rejects(async () => {
        for (;;) await stream.send(PIECE);
      }, BrokenResourceError);
      assert.ok(now() < 7000, `${now()} ms`);
      assert.ok(server.statistics().bytesReceived < 2_000_000);
    },
    { backend: simulator({ seed: 1 }) },
  ));
