import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import type { TestEvent } from "node:test/reporters";
import report from "./node-reporter.ts";
import type { TestCase } from "./test-case.ts";

const file = resolve("a.test.ts");

test("node-reporter: suites around a test are part of its name and are not counted", async () => {
  const tests = await reported([
    ended("inner", 2),
    ended("middle", 1, { type: "suite" }),
    ended("outer", 0, { type: "suite" }),
    ended("alone", 0),
  ]);
  assert.deepEqual(names(tests), ["outer > middle > inner: passed", "alone: passed"]);
});

test("node-reporter: a test that fails after its subtests passed is a failure of its own", async () => {
  const tests = await reported([ended("child", 1), ended("parent", 0, { error: new Error("no") })]);
  assert.deepEqual(names(tests), ["parent > child: passed", "parent: failed"]);
  assert.match(tests[1]?.detail ?? "", /^Error: no/);
});

test("node-reporter: a suite that fails because of a test inside is not counted twice", async () => {
  const tests = await reported([
    ended("child", 1, { error: new Error("no") }),
    ended("parent", 0, { error: new Error("1 subtest failed"), failureType: "subtestsFailed" }),
  ]);
  assert.deepEqual(names(tests), ["parent > child: failed"]);
});

test("node-reporter: a skip keeps its reason", async () => {
  const [skipped] = await reported([ended("later", 0, { skip: "needs a moon" })]);
  assert.deepEqual([skipped?.outcome, skipped?.detail], ["skipped", "needs a moon"]);
});

test("node-reporter: an error after its test is a failure", async () => {
  const message = 'Error: Test "a" generated asynchronous activity after the test ended.';
  const tests = await reported([
    ended("a", 0),
    { type: "test:diagnostic", data: { file, message, nesting: 0 } } as TestEvent,
  ]);
  assert.deepEqual(names(tests), ["a: passed", "error after a test: failed"]);
});

test("node-reporter: a file that cannot be loaded tells why", async () => {
  const tests = await reported([
    { type: "test:stderr", data: { file: "a.test.ts", message: "no such module\n" } } as TestEvent,
    ended("a.test.ts", 0, { error: new Error("test failed") }),
  ]);
  assert.match(tests[0]?.detail ?? "", /test failed[^]*no such module/);
});

test("node-reporter: a file whose process ended well, but not all of its tests, is a failure", async () => {
  const summary = { type: "test:summary", data: { file, success: true } } as TestEvent;
  const complete = {
    type: "test:complete",
    data: { name: "a.test.ts", nesting: 0, file, details: { passed: true } },
  } as TestEvent;
  const whole = ended("a.test.ts", 0);
  for (const events of [
    [ended("a", 0), summary, complete],
    [complete, ended("a", 0), summary],
  ])
    assert.deepEqual(names(await reported(events)), ["a: passed"]);
  const [told] = await reported([complete, whole]);
  assert.deepEqual([told?.name, told?.outcome], [file, "failed"]);
  assert.match(told?.detail ?? "", /no test of it ran/);
  const late = names(await reported([ended("a", 0), complete]));
  assert.deepEqual(late, ["a: passed", `${file}: failed`]);
});

interface EndedOptions {
  readonly type?: "suite" | "test";
  readonly error?: Error;
  readonly failureType?: string;
  readonly skip?: string;
}

function ended(name: string, nesting: number, options: EndedOptions = {}): TestEvent {
  const { type = "test", error: cause, failureType = "testCodeFailure", skip } = options;
  const error = cause && Object.assign(new Error(cause.message, { cause }), { failureType });
  const data = { name, nesting, file, line: 1, details: { type, error }, skip };
  return { type: error ? "test:fail" : "test:pass", data } as unknown as TestEvent;
}

async function reported(events: TestEvent[]): Promise<TestCase[]> {
  async function* source(): AsyncGenerator<TestEvent> {
    yield* events;
  }
  const text = await Array.fromAsync(report(source()));
  return JSON.parse(text.join("")) as TestCase[];
}

function names(tests: readonly TestCase[]): string[] {
  return tests.map(({ name, outcome }) => `${name}: ${outcome}`);
}
