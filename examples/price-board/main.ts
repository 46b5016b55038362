/**
 * `npm run demo`: prices from many HTTP sources on one board. See README.md beside it.
 *
 * This file: arguments in, exit code out. What shows the library is in fill-board.ts and fetch-price.ts.
 */

import process from "node:process";
import { type Options, parseOptions, USAGE, UsageError } from "./options.ts";
import { readSources } from "./source-list.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  // Who reads us may stop reading: `npm run demo | head -1`.
  process.stdout.on("error", () => process.exit());
  try {
    const options = parseOptions(args);
    if (!options.help) return await show(options);
    process.stdout.write(USAGE);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nTry: npm run demo -- --help\n`);
    return 2;
  }
}

async function show(options: Options): Promise<number> {
  const sources = options.urlsFile === undefined ? undefined : readSources(options.urlsFile);
  // Loaded when it is needed: help, and what is wrong with the arguments, come at once.
  const { showBoard, showDemo } = await import("./show-board.ts");
  return await (sources === undefined ? showDemo(options) : showBoard(options, sources));
}
