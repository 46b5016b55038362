import assert from "node:assert/strict";
import { describe, test as nodeTest } from "node:test";
import "../platform/host.ts";
import { byteStreamConformance } from "../testing/byte-stream-conformance/index.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { ForeignStream } from "../testing/foreign-stream.ts";
import { createMemoryStreamPair } from "./memory-stream.ts";
import { StreamWire } from "./stream-wire.ts";
import { WireStream } from "./wire-stream.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 30_000;

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: TEST_MS_MAX }, body));

describe("StreamWire", () => {
  byteStreamConformance(test, {
    name: "a stream over a wire over a stream",
    makePair() {
      const [left, right] = createMemoryStreamPair({ capacity: 1000 });
      return [left, right].map(
        (end) => new WireStream(new StreamWire(new ForeignStream(end)), "WireStream"),
      ) as [WireStream, WireStream];
    },
    bufferedBytesMax: 262_144,
  });
  void assert;
});
