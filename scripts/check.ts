/** `npm run check`: type-checks everything, packages first. */

import { join } from "node:path";
import { runCommand } from "./lib/command.ts";
import { ensureInstalled } from "./lib/install.ts";
import { exists, packageFolders, root } from "./lib/workspace.ts";

const tsc = join(root, "node_modules/typescript/bin/tsc");
const projects = [...packageFolders(), "."];

// The benchmarks' peers are heavy: someone who does not touch them need not install them. CI does.
if (exists("benchmarks/tsconfig.json")) {
  if (process.env["CI"]) await ensureInstalled("benchmarks");
  if (exists("benchmarks/node_modules")) projects.push("benchmarks");
  else console.log("benchmarks: not checked: needs `npm ci --prefix benchmarks`");
}

for (const project of projects) {
  const { code, output } = await runCommand(process.execPath, [
    tsc,
    "-p",
    project,
    "--noEmit",
    "--pretty",
    "false",
  ]);
  console.log(
    `${project === "." ? "scripts, shape-tests, examples" : project}: ${code === 0 ? "ok" : "failed"}`,
  );
  if (code !== 0) {
    process.stdout.write(output);
    process.exitCode = 1;
  }
}
