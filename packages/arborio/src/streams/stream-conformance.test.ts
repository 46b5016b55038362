/** Every byte stream of this folder keeps the promises of byte streams. */
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { byteStreamConformance } from "../testing/byte-stream-conformance/index.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { BufferedByteStream } from "./buffered-byte-stream.ts";
import { createMemoryPipe } from "./memory-pipe.ts";
import { createMemoryStreamPair } from "./memory-stream.ts";
import { StapledByteStream } from "./stapled-stream.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 30_000;
/** Above what is buffered in memory: the capacity, and what streams read ahead. */
const BUFFERED_BYTES_MAX = 262_144;

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: TEST_MS_MAX }, body));

byteStreamConformance(test, {
  name: "memory",
  makePair: () => createMemoryStreamPair(),
  bufferedBytesMax: BUFFERED_BYTES_MAX,
});

byteStreamConformance(test, {
  name: "memory with 10 bytes of room",
  makePair: () => createMemoryStreamPair({ capacity: 10 }),
  bufferedBytesMax: BUFFERED_BYTES_MAX,
});

byteStreamConformance(test, {
  name: "lockstep",
  makePair: () => createMemoryStreamPair({ capacity: 0 }),
  bufferedBytesMax: BUFFERED_BYTES_MAX,
});

byteStreamConformance(test, {
  name: "buffered",
  makePair() {
    const [left, right] = createMemoryStreamPair();
    return [new BufferedByteStream(left), new BufferedByteStream(right)];
  },
  bufferedBytesMax: BUFFERED_BYTES_MAX,
});

byteStreamConformance(test, {
  name: "stapled",
  makePair() {
    const [toRight, fromLeft] = createMemoryPipe();
    const [toLeft, fromRight] = createMemoryPipe();
    return [new StapledByteStream(toRight, fromRight), new StapledByteStream(toLeft, fromLeft)];
  },
  bufferedBytesMax: BUFFERED_BYTES_MAX,
});
