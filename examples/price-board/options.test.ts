import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions, UsageError } from "./options.ts";

function refusal(...args: string[]): string {
  try {
    parseOptions(args);
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message;
  }
  assert.fail(`accepted: ${args.join(" ")}`);
}

test("parseOptions: without arguments, the demo's own sources and short times", () => {
  assert.deepEqual(parseOptions([]), {
    urlsFile: undefined,
    json: false,
    help: false,
    fatal: false,
    concurrency: 6,
    timeoutMs: 800,
    deadlineMs: 3000,
    retries: 2,
  });
});

test("parseOptions: real sources get more time, unless told otherwise", () => {
  const { timeoutMs, deadlineMs } = parseOptions(["--urls", "/a/file", "--timeout", "70"]);
  assert.deepEqual([timeoutMs, deadlineMs], [70, 20_000]);
});

test("parseOptions: unknown options and stray arguments are named", () => {
  assert.match(refusal("--speed", "9"), /--speed/);
  assert.match(refusal("prices.txt"), /prices\.txt/);
  assert.match(refusal("--urls"), /--urls/);
  assert.match(refusal("--json=yes"), /--json/);
});

test("parseOptions: a bad number is shown, with what is needed", () => {
  assert.equal(
    refusal("--concurrency", "0"),
    '--concurrency: got "0", needs a whole number from 1 to 1000',
  );
  for (const bad of ["1.5", "1e3", "", "0x10", "ten", "-1", " 5", "99999999999"])
    assert.match(refusal(`--timeout=${bad}`), /--timeout: got .* needs a whole number/);
});
