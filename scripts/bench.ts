/** `npm run bench -- core …`: runs the benchmarks, which have their own lock file because their peers are heavy. */

import { spawnSync } from "node:child_process";
import { ensureInstalled } from "./lib/install.ts";
import { root } from "./lib/workspace.ts";

await ensureInstalled("benchmarks");
const args = ["--conditions=@arborio/source", "benchmarks/run.ts", ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;
