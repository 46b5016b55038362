/**
 * Why tests were skipped.
 *
 * Node's report says it; Bun's and Deno's do not. There the reason is read, in this order, from a line `# skip TITLE: REASON`
 * that the test file printed, from the literal beside `skip:` in the source, from Node's report of the same test.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestCase } from "./test-case.ts";
import { root } from "./workspace.ts";

/** A skip for want of something that can be installed starts like this; it is a failure where everything must be there. */
const missingToolPattern = /^(needs|missing)\b/i;

/** What {@link SkipReasons} finds where nobody said why. */
export const NO_REASON = "no reason given";

/** How many lines after a test's first line its options may stand. */
const optionLines = 6;

/** Finds the reason of each skip, across runtimes. */
export class SkipReasons {
  readonly #known = new Map<string, string>();

  /** The reason of a skipped test; `output` is what its runtime printed. */
  find(test: TestCase, output: string): string {
    const reason =
      test.detail ||
      printedReason(test, output) ||
      literalReason(test) ||
      this.#known.get(test.name);
    if (!reason) return NO_REASON;
    this.#known.set(test.name, reason);
    return reason;
  }
}

/** Whether a skip says that a tool is missing on this machine. */
export function isMissingTool(reason: string): boolean {
  return missingToolPattern.test(reason);
}

function printedReason(test: TestCase, output: string): string | undefined {
  const title = test.name.split(" > ").at(-1) ?? test.name;
  const start = `# skip ${title}: `;
  const line = output.split("\n").find((one) => one.startsWith(start));
  return line?.slice(start.length).trim();
}

function literalReason(test: TestCase): string | undefined {
  if (test.line === 0 || !test.file.endsWith(".ts")) return undefined;
  let lines: string[];
  try {
    lines = readFileSync(join(root, test.file), "utf8").split("\n");
  } catch {
    return undefined;
  }
  const source = lines.slice(test.line - 1, test.line - 1 + optionLines).join("\n");
  return (
    /\bskip:[^,}]*?(["'`])(.+?)\1/.exec(source)?.[2] ?? /\.skip\((["'`])(.+?)\1\)/.exec(source)?.[2]
  );
}
