import { describe, test as nodeTest } from "node:test";
import { connectTcp, listenTcp } from "../../net.ts";
import { onEveryBackend } from "../every-backend.ts";
import { byteStreamConformance } from "./index.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 30_000;

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: TEST_MS_MAX }, body));

describe("byte stream conformance", () => {
  byteStreamConformance(test, {
    name: "TCP",
    async makePair() {
      using listener = await listenTcp(0, { host: "127.0.0.1" });
      const left = await connectTcp("127.0.0.1", listener.port);
      return [left, await listener.accept()];
    },
    test: { skip: { backend: "simulator", reason: "its network comes later" } },
  });
});
