/**
 * The entry of the benchmarks: `npm run bench -- core`, `-- net`, `-- http`, `-- http-client`, `-- websocket`, `-- fs`,
 * `-- process`, `-- threads`.
 *
 * Each case runs in a process of its own, the subjects of a bench one after another, round by round; see the README.
 * More suites go into `suites`.
 */
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { coreSuite } from "./core/suite.ts";
import { surveyMachine, type Machine } from "./harness/hosts.ts";
import { parseOptions, USAGE, UsageError, type BenchOptions } from "./harness/options.ts";
import { formatSkips, formatTables } from "./harness/report.ts";
import { oursFailed, runSuite } from "./harness/runner.ts";
import { fsSuite } from "./fs/suite.ts";
import { httpSuite } from "./http/suite.ts";
import { httpClientSuite } from "./http-client/suite.ts";
import { processSuite } from "./process/suite.ts";
import { threadsSuite } from "./threads/suite.ts";
import { websocketSuite } from "./websocket/suite.ts";
import { netSuite } from "./net/suite.ts";

const suites = [
  coreSuite,
  netSuite,
  httpSuite,
  httpClientSuite,
  websocketSuite,
  fsSuite,
  processSuite,
  threadsSuite,
];

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), suites);
  const machine = await surveyMachine(options.runtimes, options.suite);
  console.log(formatVersions(options, machine));
  const outcome = await runSuite(options, machine, (line) => console.error(line));
  console.log(formatTables(options.suite.benches, outcome.rows, { targets: !options.quick }));
  console.log(`\n${formatSkips(outcome)}`);
  if (options.json !== undefined)
    await writeFile(options.json, `${JSON.stringify(outcome.rows, null, 2)}\n`);
  return oursFailed(outcome.failures) ? EXIT_FAILED : 0;
}

/** What is compared with what: without versions a figure means nothing. */
function formatVersions(options: BenchOptions, machine: Machine): string {
  const runtimes = [...machine.runtimes].map(([name, found]) => [
    name,
    "version" in found ? found.version : undefined,
  ]);
  const lines = [...runtimes, ...machine.packages, ...machine.python].map(
    ([name, version]) => `  ${name} ${version ?? "is not installed"}`,
  );
  return [
    `suite ${options.suite.name}${options.quick ? ", quick: no figures to quote" : ""}`,
    ...lines,
  ].join("\n");
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
}
