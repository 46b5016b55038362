/**
 * `npm run gaps`: runs the probes of `packages/arborio/src/testing/gaps` on every runtime and in the simulator, and writes what each
 * cannot do to `docs/gaps.md`.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AreaResults,
  type Column,
  renderPage,
} from "../packages/arborio/src/testing/gaps/page.test.kit.ts";
import { mustRun } from "./lib/command.ts";
import { compiledPath, compileTests } from "./lib/compile.ts";
import { ensureInstalled } from "./lib/install.ts";
import { type Runtime, runtimes } from "./lib/runtimes.ts";
import { root } from "./lib/workspace.ts";

const program = "packages/arborio/src/testing/gaps/main.test.kit.ts";
const page = "docs/gaps.md";
/** For all probes on one runtime; each has a shorter limit of its own. */
const limitMs = 120_000;

interface Printed {
  readonly host: AreaResults;
  readonly simulated: AreaResults;
}

const names: Readonly<Record<string, string>> = { bun: "Bun", deno: "Deno" };

await ensureInstalled("runtimes");
if (runtimes.some(({ fromSource }) => !fromSource)) await compileTests();
const columns: Column[] = [];
const versions: string[] = [];
const simulators: Column[] = [];
for (const runtime of [...runtimes].sort(byName)) {
  const name = names[runtime.name] ?? runtime.name.replace("node-", "Node ");
  const { host, simulated } = await probe(runtime);
  requireTestable(name, host);
  columns.push({ name, results: host });
  simulators.push({ name, results: simulated });
  versions.push(await versionOf(runtime, name));
  console.log(`${name}: ${countGaps(host)} gaps`);
}
const [simulator] = simulators;
for (const { name, results } of simulators) {
  if (JSON.stringify(results) === JSON.stringify(simulator?.results)) continue;
  fail(`The simulator is not the same on ${name} as on ${simulator?.name}`);
}
columns.push({ name: "simulator", results: simulator?.results ?? {} });
const before = readFileSync(join(root, page), { encoding: "utf8", flag: "a+" });
writeFileSync(join(root, page), renderPage(columns, versions));
await mustRun("npx", ["oxfmt", page]);
const isSame = readFileSync(join(root, page), "utf8") === before;
console.log(isSame ? `${page} was right` : `${page} is new: look at what has changed`);

async function probe(runtime: Runtime): Promise<Printed> {
  const path = runtime.fromSource ? program : compiledPath(program);
  const { output } = await mustRun(runtime.program, [...runtime.scriptArgs, path], {
    limitMs,
    env: { NO_COLOR: "1" },
  });
  const line = output.split("\n").find((one) => one.startsWith("{"));
  if (line === undefined) fail(`${runtime.name} printed no results:\n${output}`);
  return JSON.parse(line) as Printed;
}

function requireTestable(name: string, results: AreaResults): void {
  const untestable = Object.values(results)
    .flat()
    .filter(({ verdict }) => verdict === "untestable");
  for (const { feature, reason } of untestable)
    fail(`${name}: this machine cannot tell about ${feature}: ${reason}`);
}

async function versionOf({ program: path }: Runtime, name: string): Promise<string> {
  const { output } = await mustRun(path, ["--version"], { env: { NO_COLOR: "1" } });
  const [version = ""] = /\d+\.\d+\.\d+/.exec(output) ?? [];
  return `${name.split(" ")[0]} ${version}`;
}

function countGaps(results: AreaResults): number {
  return Object.values(results)
    .flat()
    .filter(({ verdict }) => verdict === "no").length;
}

/** Node 22 before 26: the page reads from old to new. */
function byName(one: Runtime, other: Runtime): number {
  const isNode = (runtime: Runtime): boolean => runtime.name.startsWith("node-");
  return isNode(one) && isNode(other) ? one.name.localeCompare(other.name) : 0;
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
