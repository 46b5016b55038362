/** Whose fault it is when a body breaks off that is made of the request's. */
import assert from "node:assert/strict";
import { sleep } from "arborio";
import type { MemoryStream } from "arborio/streams";
import { testClient } from "../testing/test-client.ts";
import { HttpResponse } from "../web/http-response.ts";
import { lines, RawClient, simTest } from "./raw-client.test.kit.ts";

const HEAD = lines("POST / HTTP/1.1", "host: a", "transfer-encoding: chunked", "");

/** Without this, every client could write stacks into the log. */
const FAULTS: Readonly<
  Record<string, (raw: RawClient, stream: MemoryStream) => Promise<void> | void>
> = {
  "that is no chunk": (raw) => raw.send("5\r\nhelloXX"),
  "that is too large": (raw) => raw.send(`7d0\r\n${"x".repeat(2000)}\r\n`),
  "that the client leaves in the middle of": async (raw) => raw.stream.sendEof(),
  "of a client that breaks the connection": (_raw, stream) => stream.abort(),
};
for (const [name, misbehave] of Object.entries(FAULTS)) {
  simTest(`a response of a body ${name} breaks off, and is nobody's error`, async () => {
    const reported: unknown[] = [];
    await using client = testClient((request) => new HttpResponse(request.body), {
      limits: { bodyBytesMax: 1000 },
      onError: (error) => void reported.push(error),
    });
    const stream = client.connect();
    const raw = new RawClient(stream);
    await raw.send(`${HEAD}3\r\nabc\r\n`);
    assert.equal((await raw.head()).status, 200);
    assert.equal(await raw.piece(), "abc");
    await misbehave(raw, stream);
    await sleep(10_000);
    assert.equal(client.statistics().connectionsOpen, 0);
    assert.deepEqual(reported, []);
  });
}
