import { test } from "node:test";

/** Registers a test with the runner. */
export type RegisterTest = (title: string, body: () => Promise<void>) => void;

/** The runner's `test` if `isPossible`; else one whose tests count as skipped, for a reason that is printed too: not all runners show it. */
export function testIf(isPossible: boolean, reason: string): RegisterTest {
  if (isPossible) return (title, body) => void test(title, body);
  return (title) => {
    console.log(`# skip ${title}: ${reason}`);
    void test(title, { skip: reason }, () => {});
  };
}
