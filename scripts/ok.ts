/** `npm run ok`: everything that must hold, and one line for each. */

import { runCommand } from "./lib/command.ts";
import { runtimeLimitMs, runtimes } from "./lib/runtimes.ts";

/** Tests have limits of their own, and time to install and compile; this one only keeps a broken step from lasting for ever. */
const stepLimitMs = runtimes.length * runtimeLimitMs + 15 * 60_000;

const steps = ["check", "lint", "test", "docs", "shape"];
const verdicts: string[] = [];

for (const name of steps) {
  console.log(`\n— npm run ${name}`);
  const args = ["run", "--silent", name];
  const { code, elapsedMs } = await runCommand("npm", args, { echo: true, limitMs: stepLimitMs });
  verdicts.push(`${code === 0 ? "ok    " : "FAILED"} ${name} (${(elapsedMs / 1000).toFixed(0)} s)`);
  if (code !== 0) process.exitCode = 1;
}
console.log(`\n${verdicts.join("\n")}`);
