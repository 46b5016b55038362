import { test as nodeTest } from "node:test";
import "../../platform/host.ts";
import type { Files } from "../../platform/files.ts";
import { hostBackend } from "../../platform/host.ts";
import { run } from "../../platform/run.ts";
import { filePermissionsContract, filesContract } from "../../testing/files-contract.ts";
import { testIf } from "../../testing/test-if.test.kit.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 30_000;

const prefix = `files contract [${hostBackend.name}]`;

filesContract(
  (title, body) => {
    void nodeTest(`${prefix} ${title}`, { timeout: TEST_MS_MAX }, () => run(body, { signals: [] }));
  },
  () => hostBackend.files as Files,
);

const testUnlessRoot = testIf(process.getuid?.() !== 0, "root may do everything");
filePermissionsContract(
  (title, body) => testUnlessRoot(`${prefix} ${title}`, () => run(body, { signals: [] })),
  () => hostBackend.files as Files,
);
