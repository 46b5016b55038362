/** What tests of threads have in common that run on the host and in the simulator. */
import { test as runnerTest } from "node:test";
import { type BackendTest, onEveryBackend } from "../testing.ts";

/** Runs each test on the host and in the simulator. */
export const test: BackendTest = onEveryBackend(runnerTest);

/** For tests in which a thread is blocked. */
export const onHost = {
  skip: { backend: "simulator", reason: "its threads cannot be blocked" },
} as const;

/** For tests in which a thread ends itself. */
export const withExit = {
  skip: { backend: "simulator", reason: "process.exit would end the test" },
} as const;

/** Where a module with work for threads is, in source or compiled: `kitUrl("portal")`. */
export function kitUrl(name: string): URL {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`./${name}.test.kit.${extension}`, import.meta.url);
}
