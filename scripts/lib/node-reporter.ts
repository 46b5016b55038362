/**
 * A reporter for `node --test`: a JSON list of test cases.
 *
 * Node's own JUnit report leaves out a test that fails after its subtests passed, a hook that throws, and an error thrown
 * after its test has ended; a library about owning every promise must see all three.
 *
 * It runs inside each tested Node, 22 included: no newer syntax than that has, and types that can be stripped.
 */

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

/** Collects the test cases of all files and writes them at the end. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const entries = new Map<string, Entry[]>();
  const stderr = new Map<string, string>();
  for await (const event of source) {
    const file = fileOf(event);
    const earlier = entries.get(file) ?? [];
    if (event.type === "test:stderr") {
      stderr.set(file, (stderr.get(file) ?? "") + event.data.message);
    } else if (event.type === "test:diagnostic" && lateErrorPattern.test(event.data.message)) {
      const test = { name: "error after a test", file, line: 0, detail: event.data.message };
      const entry: Entry = { nesting: 0, test: { ...test, outcome: "failed" }, isContainer: false };
      entries.set(file, [...earlier, entry]);
    } else if (event.type === "test:pass" || event.type === "test:fail") {
      entries.set(file, addEnded(earlier, event, file, stderr.get(file) ?? ""));
    }
  }
  const tests = [...entries.values()].flat().filter((entry) => !entry.isContainer);
  yield JSON.stringify(tests.map((entry) => entry.test));
}

function fileOf(event: TestEvent): string {
  const data: object = event.data ?? {};
  return "file" in data && typeof data.file === "string" ? data.file : "";
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
    detail: isSkip ? reasonOf(event) : failed ? describeError(event, file, stderr) : "",
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

function describeError(event: Ended, file: string, stderr: string): string {
  if (!isFailure(event)) return "";
  const { cause, message } = event.data.details.error;
  const text = cause === undefined || typeof cause === "string" ? message : inspect(cause);
  // A file fails as a whole when it cannot be loaded, or when its process dies: its last words say why.
  const isWholeFile = event.data.nesting === 0 && file.endsWith(event.data.name);
  return isWholeFile ? `${text}\n${stderr}`.trim() : text;
}
