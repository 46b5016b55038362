import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test as nodeTest } from "node:test";
import { connectTcp, connectUnix, listenTcp, listenUnix } from "../../net.ts";
import { onEveryBackend } from "../every-backend.ts";
import { byteStreamConformance } from "./index.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 30_000;
const SEEDS = [1, 2, 3];

const test = onEveryBackend((title, body) => nodeTest(title, { timeout: TEST_MS_MAX }, body));
const folder = mkdtempSync(join(tmpdir(), "arborio-conformance-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let sockets = 0;

describe("byte stream conformance", () => {
  byteStreamConformance(test, {
    name: "TCP",
    async makePair() {
      using listener = await listenTcp(0, { host: "127.0.0.1" });
      const left = await connectTcp("127.0.0.1", listener.port);
      return [left, await listener.accept()];
    },
    test: { seeds: SEEDS },
  });

  byteStreamConformance(test, {
    name: "Unix",
    async makePair() {
      const path = join(folder, `${(sockets += 1)}.sock`);
      using listener = await listenUnix(path);
      const left = await connectUnix(path);
      return [left, await listener.accept()];
    },
    gaps: { reset: "a Unix socket cannot be reset: the other side sees an end" },
    test: { seeds: SEEDS },
  });
});
