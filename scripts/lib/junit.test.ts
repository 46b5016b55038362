import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJunit } from "./junit.ts";

const bun = `<testsuites name="bun test" tests="3">
  <testsuite name="a.test.ts" file="a.test.ts" tests="3">
    <testcase name="first" classname="" file="a.test.ts" line="3" />
    <testsuite name="suite" file="a.test.ts" line="7">
      <testcase name="a &lt; b" classname="suite" file="a.test.ts" line="10">
        <failure type="E" message="short">long &amp; wide&#10;text</failure>
      </testcase>
      <testcase name="later" file="a.test.ts" line="12"><skipped /></testcase>
    </testsuite>
  </testsuite>
</testsuites>`;

const deno = `<testsuites name="deno test" tests="3" failures="2">
    <testsuite name="./a.test.ts" tests="1">
        <testcase name="suite" classname="./a.test.ts" line="7" col="1">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
        <testcase name="hook &gt; inside" classname="./a.test.ts" line="8"></testcase>
        <testcase name="hook" classname="./a.test.ts" line="8"><failure message="boom">boom</failure></testcase>
    </testsuite>
    <testsuite name="ext:deno_node/testing.ts" tests="1">
        <testcase name="suite &gt; fails" classname="ext:deno_node/testing.ts" line="1" col="2">
            <failure message="no">Error: no</failure>
        </testcase>
    </testsuite>
</testsuites>`;

test("parseJunit: Bun's nested suites become names, its file suites do not", () => {
  const file = "a.test.ts";
  assert.deepEqual(parseJunit(bun), [
    { name: "first", file, line: 3, outcome: "passed", detail: "" },
    { name: "suite > a < b", file, line: 10, outcome: "failed", detail: "long & wide\ntext" },
    { name: "suite > later", file, line: 12, outcome: "skipped", detail: "" },
  ]);
});

test("parseJunit: Deno's suites count only when they failed by themselves", () => {
  const outcomes = parseJunit(deno).map(({ name, outcome }) => `${name}: ${outcome}`);
  assert.deepEqual(outcomes, ["hook > inside: passed", "hook: failed", "suite > fails: failed"]);
});
