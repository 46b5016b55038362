import { describe, test as nodeTest } from "node:test";
import { taskGroup } from "../../index.ts";
import { connectTcp, listenTcp } from "../../net.ts";
import { wrapTls } from "../../net/tls.ts";
import { createMemoryStreamPair } from "../../streams.ts";
import type { ByteStream } from "../../streams/byte-stream.ts";
import { authority, server } from "../certificates.ts";
import { onEveryBackend } from "../every-backend.ts";
import { byteStreamConformance, type ByteStreamPair } from "./index.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 30_000;

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: TEST_MS_MAX }, body));

/** Also in the simulator, which has the runtime's own engine. */
const gaps =
  "Bun" in globalThis
    ? { "half-close": "the TLS of Bun sends nothing after the other side has ended" }
    : {};

/** TLS over both ends of a pair. */
async function secured(left: ByteStream, right: ByteStream): Promise<ByteStreamPair> {
  let client!: ByteStream;
  let served!: ByteStream;
  await taskGroup((group) => {
    group.startSoon(async () => {
      client = await wrapTls(left, {
        side: "client",
        serverName: "localhost",
        trusted: authority,
      });
    });
    group.startSoon(async () => {
      served = await wrapTls(right, { side: "server", identity: server });
    });
  });
  return [client, served];
}

describe("byte stream conformance", () => {
  byteStreamConformance(test, {
    name: "TLS over TCP",
    async makePair() {
      using listener = await listenTcp(0, { host: "127.0.0.1" });
      const left = await connectTcp("127.0.0.1", listener.port);
      return await secured(left, await listener.accept());
    },
    gaps,
  });

  byteStreamConformance(test, {
    name: "TLS over memory",
    makePair: () => secured(...createMemoryStreamPair()),
    gaps,
  });
});
