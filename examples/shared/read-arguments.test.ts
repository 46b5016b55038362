import assert from "node:assert/strict";
import { test } from "node:test";
import { failAfter, gather, run } from "arborio";
import { ExampleProgram } from "../testing/example-program.ts";

/** Bun gives a test five seconds unless told otherwise. */
const LONG = { timeout: 60_000 };

/** What is printed for such arguments of such a program. */
const cases: readonly (readonly [program: string, args: readonly string[], printed: RegExp])[] = [
  ["gateway", ["--bogus"], /^Unknown option '--bogus'.*\nUsage: main\.ts \[--port PORT\]/],
  ["gateway", ["--deadline=1.5"], /^--deadline: got "1\.5", needs a whole number/],
  [
    "web-chat",
    ["65536"],
    /^port: got "65536", needs a whole number up to 65535\nUsage: main\.ts \[PORT\]\n$/,
  ],
];

test(
  "readArguments: what is wrong is said, with the usage, and the exit code is 2; --help is no mistake",
  LONG,
  () =>
    run(
      () =>
        failAfter(40_000, async () => {
          await gather(
            cases.map(([name, args, printed]) => async () => {
              using program = new ExampleProgram(name, args);
              assert.equal(await program.ended(), 2);
              assert.match(program.printed, printed);
            }),
          );
          using program = new ExampleProgram("gateway", ["--help"]);
          assert.equal(await program.ended(), 0);
          assert.match(program.printed, /^Usage: main\.ts \[--port PORT\]/);
        }),
      { signals: [] },
    ),
);
