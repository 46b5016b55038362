/** What tests of `runInProcess` have in common. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../index.ts";
import {
  currentDefaultProcessLimiter,
  moduleAt,
  type ModuleHandle,
  workerStatistics,
} from "../threads.ts";
import * as processKit from "./process-work.test.kit.ts";
import * as workKit from "./work.test.kit.ts";

const TEST_MS_MAX = 60_000;

export const work: ModuleHandle<typeof workKit> = moduleAt(workKit.url);
export const processWork: ModuleHandle<typeof processKit> = moduleAt(processKit.url);

/** A test in a run on the host, that ends with all processes idle. */
export function hostTest(title: string, body: () => Promise<void>): void {
  test(title, { timeout: TEST_MS_MAX }, () =>
    run(
      async () => {
        await body();
        assertNothingHeld();
      },
      { signals: [] },
    ),
  );
}

export function assertNothingHeld(): void {
  assert.equal(workerStatistics("process").busy, 0);
  assert.equal(currentDefaultProcessLimiter().borrowedTokens, 0);
}

/** Calls `fn` with the path of a file that is not there. */
export async function withPath(fn: (path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "arborio-test-"));
  try {
    await fn(join(directory, "told"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
