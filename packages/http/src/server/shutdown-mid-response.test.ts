import assert from "node:assert/strict";
import { test } from "node:test";
import { run, sleep } from "arborio";
import { connectTcp } from "arborio/net";
import { simulator } from "arborio/sim";
import { BufferedByteStream } from "arborio/streams";
import { HttpResponse } from "../web/http-response.ts";
import { openServer } from "./open-server.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const REQUEST = bytesOf("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
const HEAD_END = bytesOf("\r\n\r\n");

async function headOf(stream: BufferedByteStream): Promise<string> {
  return new TextDecoder().decode(await stream.receiveUntil(HEAD_END, 4096));
}

// A client that could not be told may have its next request on its way: with wrk, a request of each connection was lost.
test("Server.close: a connection whose response had begun before is told with the next one, not ended", () =>
  run(
    async () => {
      const server = await openServer(
        () =>
          new HttpResponse(async (sink) => {
            await sink.send("one");
            await sleep(100);
            await sink.send("two");
          }),
        { port: 8080, host: "127.0.0.1" },
      );
      using stream = new BufferedByteStream(await connectTcp("127.0.0.1", 8080));
      await stream.send(REQUEST);
      assert.doesNotMatch(await headOf(stream), /connection: close/);
      await stream.receiveUntil(bytesOf("one\r\n"), 100);
      const closing = server.close();
      await stream.receiveUntil(bytesOf("0\r\n\r\n"), 100);
      await stream.send(REQUEST);
      assert.match(await headOf(stream), /^HTTP\/1\.1 200 [^]*connection: close/);
      await stream.receiveUntil(bytesOf("0\r\n\r\n"), 100);
      await assert.rejects(stream.receive(), { name: "EndOfStream" });
      await closing;
    },
    { backend: simulator({ seed: 1 }) },
  ));
