/** `npm run docs`: every public symbol is documented, and every example in a docstring or guide runs and is right. */

import { join } from "node:path";
import { runCommand } from "./lib/command.ts";
import { ensureInstalled } from "./lib/install.ts";
import { findFiles, packageFolders, readJson, root } from "./lib/workspace.ts";

/** For the examples of all packages together. */
const examplesLimitMs = 300_000;

/** `deno doc` cannot find the declarations inside @types/node, nor `dist`: it needs neither. */
const noisePattern = /^Warning .*\n\s+at file:.*\n/gm;

/** What an example prints whose claim is wrong. */
const failedAssertion = /^Assertion failed/m;

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

await ensureInstalled("runtimes");
const deno = join(root, "runtimes/node_modules/.bin/deno");
/** Backends are not for users, and the one of the web fails when it is loaded, on purpose; a command does its work then. */
const sources = findFiles(["packages/*/src/**/*.ts"]).filter(
  (path) => !path.includes(".test.") && !path.includes("/backends/") && !path.endsWith("/main.ts"),
);
const guides = findFiles(["README.md", "docs/*.md"]);

await step("Documentation", ["doc", "--lint", ...packageFolders().flatMap(entriesOf)]);
await step("Examples", [
  "test",
  "--doc",
  "--allow-all",
  "--no-check", // tsc checks types, once
  "--no-lock",
  "--conditions=@arborio/source",
  ...sources,
  ...guides,
]);

async function step(name: string, args: string[]): Promise<void> {
  const env = { NO_COLOR: "1" };
  const { code, output, timedOut } = await runCommand(deno, args, {
    limitMs: examplesLimitMs,
    env,
  });
  // `console.assert` only prints.
  const isWrong = failedAssertion.test(output);
  if (code === 0 && !isWrong) {
    console.log(`${name}: ${output.trim().split("\n").at(-1) ?? "ok"}`);
    return;
  }
  process.stdout.write(output.replace(noisePattern, ""));
  console.log(`${name}: ${timedOut ? `ended after ${examplesLimitMs / 1000} s` : "failed"}`);
  process.exitCode = 1;
}

/** The sources of a package's public entries. */
function entriesOf(folder: string): string[] {
  const { exports } = readJson(join(folder, "package.json")) as Manifest;
  return Object.values(exports).flatMap((target) => {
    const source = typeof target === "string" ? undefined : target["@arborio/source"];
    return source === undefined ? [] : [join(folder, source)];
  });
}
