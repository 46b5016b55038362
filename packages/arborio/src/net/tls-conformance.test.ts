/** A stream of TLS is a byte stream like every other, whatever it stands on. */
import process from "node:process";
import { describe, test as nodeTest } from "node:test";
import { gather } from "../index.ts";
import { connectTcp, listenTcp, wrapTls } from "../net.ts";
import type { ByteStream } from "../streams/byte-stream.ts";
import { createMemoryStreamPair } from "../streams/memory-stream.ts";
import { authority, server as identity } from "../testing/certificates.ts";
import {
  byteStreamConformance,
  type ByteStreamConformanceOptions,
  type ByteStreamPair,
} from "../testing/byte-stream-conformance/index.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { ForeignStream } from "../testing/foreign-stream.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 30_000;
/** Above what is buffered in memory: capacities, slices, and what streams read ahead. */
const MEMORY_BYTES_MAX = 1024 * 1024;

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: TEST_MS_MAX }, body));

/** Also in the simulator, whose TLS is the runtime's own. */
const common: Pick<ByteStreamConformanceOptions, "gaps"> = {
  gaps:
    process.versions["bun"] === undefined
      ? {}
      : { "half-close": "Bun's engine answers the end of the other side with its own" },
};

async function wrapBoth([left, right]: ByteStreamPair): Promise<ByteStreamPair> {
  const [client, server] = await gather([
    () => wrapTls(left, { serverName: "localhost", trusted: authority }),
    () => wrapTls(right, { side: "server", identity }),
  ]);
  return [client as ByteStream, server as ByteStream];
}

describe("TLS", () => {
  byteStreamConformance(test, {
    name: "TLS over TCP",
    async makePair() {
      using listener = await listenTcp(0, { host: "127.0.0.1", tls: { identity } });
      const tls = { trusted: authority };
      const [client, server] = await gather([
        () => connectTcp("127.0.0.1", listener.port, { tls }),
        async () => {
          const stream = await listener.accept();
          await stream.handshake();
          return stream;
        },
      ]);
      return [client, server] as ByteStreamPair;
    },
    ...common,
  });

  byteStreamConformance(test, {
    name: "TLS over memory",
    makePair: () => wrapBoth(createMemoryStreamPair()),
    bufferedBytesMax: MEMORY_BYTES_MAX,
    ...common,
  });

  byteStreamConformance(test, {
    name: "TLS over TLS over memory, the server outside",
    makePair: async () => {
      const [left, right] = await wrapBoth(createMemoryStreamPair());
      return wrapBoth([right, left]);
    },
    bufferedBytesMax: MEMORY_BYTES_MAX,
    ...common,
  });

  byteStreamConformance(test, {
    name: "TLS over a stream of another class",
    makePair: () => {
      const [left, right] = createMemoryStreamPair({ capacity: 1000 });
      return wrapBoth([new ForeignStream(left), new ForeignStream(right)]);
    },
    bufferedBytesMax: MEMORY_BYTES_MAX,
    ...common,
  });
});
