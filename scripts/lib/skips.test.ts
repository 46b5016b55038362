import assert from "node:assert/strict";
import { test } from "node:test";
import { isMissingTool, NO_REASON, SkipReasons } from "./skips.ts";
import type { TestCase } from "./test-case.ts";

const skipped = (name: string, detail = ""): TestCase => ({
  name,
  file: "",
  line: 0,
  outcome: "skipped",
  detail,
});

test("SkipReasons: a runtime that does not tell takes the reason that another one told", () => {
  const reasons = new SkipReasons();
  assert.equal(reasons.find(skipped("a > b", "no moon"), ""), "no moon");
  assert.equal(reasons.find(skipped("a > b"), ""), "no moon");
  assert.equal(reasons.find(skipped("other"), ""), NO_REASON);
});

test("SkipReasons: a printed line tells the reason", () => {
  const output = "running\n# skip b: no sockets here\n";
  assert.equal(new SkipReasons().find(skipped("a > b"), output), "no sockets here");
});

test("isMissingTool: only a reason that starts with what is needed", () => {
  assert.equal(isMissingTool("needs python3-trio"), true);
  assert.equal(isMissingTool("missing: curl"), true);
  assert.equal(isMissingTool("Bun has no such signal"), false);
});
