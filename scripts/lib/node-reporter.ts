/**
 * A reporter for `node --test`: a JSON list of test cases.
 *
 * Node's own JUnit report leaves out a test that fails after its subtests passed, a hook that throws, and an error thrown
 * after its test has ended; a library about owning every promise must see all three.
 *
 * It runs inside each tested Node, 22 included: no newer syntax than that has, and types that can be stripped.
 */

import { resolve } from "node:path";
import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";
import type { TestCase } from "./test-case.ts";

type Ended = Extract<TestEvent, { type: "test:pass" | "test:fail" }>;

/** A test that has ended; the suite around it, if any, is reported after it. */
interface Entry {
  readonly nesting: number;
  readonly test: TestCase;
  /** Whether it only holds other tests, and adds no failure of its own. */
  readonly isContainer: boolean;
}

/** How Node reports, as a mere remark, an error that came after its test. */
const lateErrorPattern = /asynchronous activity after the test ended/;

/** What Node calls a failure that only repeats that of a test inside. */
const inheritedFailures: readonly unknown[] = ["subtestsFailed", "cancelledByParent"];

/** What is said of a file whose process ended well, but not its tests: Node counts it as passed. */
const NO_END = "no test of it ran, or its process ended before its tests did, with exit code 0";

/** Collects the test cases of all files and writes them at the end. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const entries = new Map<string, Entry[]>();
  const stderr = new Map<string, string>();
  /** Files whose processes have ended well, and those whose tests have all ended. In any order. */
  const ended = new Set<string>();
  const summarized = new Set<string>();
  for await (const event of source) {
    const file = fileOf(event);
    const earlier = entries.get(file) ?? [];
    if (event.type === "test:summary") {
      summarized.add(file);
    } else if (isWholeFile(event) && hasPassed(event)) {
      ended.add(file);
    } else if (event.type === "test:stderr") {
      stderr.set(file, (stderr.get(file) ?? "") + event.data.message);
    } else if (event.type === "test:diagnostic" && lateErrorPattern.test(event.data.message)) {
      entries.set(file, [...earlier, failure(file, event.data.message, "error after a test")]);
    } else if (event.type === "test:pass" || event.type === "test:fail") {
      entries.set(file, addEnded(earlier, event, file, stderr.get(file) ?? ""));
    }
  }
  for (const file of ended) {
    if (!summarized.has(file))
      entries.set(file, [...(entries.get(file) ?? []), failure(file, NO_END)]);
  }
  const tests = [...entries.values()].flat().filter((entry) => !entry.isContainer);
  yield JSON.stringify(tests.map((entry) => entry.test));
}

function failure(file: string, detail: string, name: string = file): Entry {
  return {
    nesting: 0,
    test: { name, file, line: 0, outcome: "failed", detail },
    isContainer: false,
  };
}

/** Whether it is about a file as a whole, which Node makes a test if it has none, or cannot be run. */
function isWholeFile({ type, data }: TestEvent): boolean {
  if (type !== "test:complete" && type !== "test:pass" && type !== "test:fail") return false;
  return data.nesting === 0 && data.file !== undefined && resolve(data.name) === data.file;
}

function hasPassed(event: TestEvent): boolean {
  if (event.type === "test:complete") return event.data.details.passed;
  return event.type === "test:pass";
}

function fileOf(event: TestEvent): string {
  const data: object = event.data ?? {};
  // What a file printed is told with its name as it was given.
  return "file" in data && typeof data.file === "string" ? resolve(data.file) : "";
}

/** Adds a test, and its title to those that ended inside it: the ones nested deeper since. */
function addEnded(earlier: readonly Entry[], event: Ended, file: string, stderr: string): Entry[] {
  const { name, nesting, line = 0 } = event.data;
  const before = earlier.findLastIndex((entry) => entry.nesting <= nesting) + 1;
  const inside = earlier.slice(before).map((entry) => ({
    ...entry,
    test: { ...entry.test, name: `${name} > ${entry.test.name}` },
  }));
  const failed = isFailure(event);
  const skipped = event.data.skip ?? event.data.todo;
  const isSkip = skipped !== undefined && skipped !== false;
  const test: TestCase = {
    name,
    file,
    line,
    outcome: isSkip ? "skipped" : failed ? "failed" : "passed",
    detail: isSkip ? reasonOf(event) : failed ? describeError(event, stderr) : "",
  };
  const holdsOthers = inside.length > 0 || event.data.details.type === "suite";
  const isContainer = holdsOthers && (!failed || isInherited(event));
  return [...earlier.slice(0, before), ...inside, { nesting, test, isContainer }];
}

function isFailure(event: Ended): event is Extract<Ended, { type: "test:fail" }> {
  return event.type === "test:fail";
}

function reasonOf({ data: { skip, todo } }: Ended): string {
  if (typeof skip === "string") return skip;
  if (typeof todo === "string") return `to do: ${todo}`;
  return "";
}

function isInherited(event: Ended): boolean {
  if (!isFailure(event)) return false;
  const { error } = event.data.details;
  return "failureType" in error && inheritedFailures.includes(error.failureType);
}

function describeError(event: Ended, stderr: string): string {
  if (!isFailure(event)) return "";
  const { cause, message } = event.data.details.error;
  const text = cause === undefined || typeof cause === "string" ? message : inspect(cause);
  // A file fails as a whole when it cannot be loaded, or when its process dies: its last words say why.
  return isWholeFile(event) ? `${text}\n${stderr}`.trim() : text;
}
