/** What the command line asks for. */

import { resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";

/** The program cannot start: its arguments or its file are wrong. Exit code 2. */
export class UsageError extends Error {}

/** Everything the board can be told from outside. */
export interface Options {
  /** A file with the URLs of real sources; without it, the program starts its own. */
  readonly urlsFile: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
  /** A source that refuses us (401, 403) ends the board. */
  readonly fatal: boolean;
  /** Requests in flight at once. */
  readonly concurrency: number;
  /** For one request, with its body. */
  readonly timeoutMs: number;
  /** For the whole board. */
  readonly deadlineMs: number;
  /** Further tries after the first one failed. */
  readonly retries: number;
}

const HOUR_MS = 3_600_000;

export const USAGE = `Prices from many HTTP sources on one board.

Usage: npm run demo -- [options]

  --urls FILE        real sources: one URL per line, with an optional name before it; "#" begins a comment
  --json             one JSON document instead of the table
  --concurrency N    requests in flight at once (default 6)
  --timeout MS       for one request (default 800; with --urls 5000)
  --deadline MS      for the whole board (default 3000; with --urls 20000)
  --retries N        further tries after a timeout, a lost connection or a status that passes (default 2)
  --fatal            a source that refuses us (401, 403) ends the board, and the rest is cancelled
  --help             this text

Exit codes: 0 prices were found · 1 none, or a fatal refusal · 2 wrong usage · 130 Ctrl-C · 143 SIGTERM
`;

export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  // Our own sources are next door; real ones are not.
  const [timeout, deadline] = values.urls === undefined ? ["800", "3000"] : ["5000", "20000"];
  return {
    urlsFile: values.urls === undefined ? undefined : resolve(startFolder(), values.urls),
    json: values.json,
    help: values.help,
    fatal: values.fatal,
    concurrency: wholeNumber("--concurrency", values.concurrency, 1, 1000),
    timeoutMs: wholeNumber("--timeout", values.timeout ?? timeout, 1, HOUR_MS),
    deadlineMs: wholeNumber("--deadline", values.deadline ?? deadline, 1, HOUR_MS),
    retries: wholeNumber("--retries", values.retries, 0, 100),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        urls: { type: "string" },
        json: { type: "boolean", default: false },
        concurrency: { type: "string", default: "6" },
        timeout: { type: "string" },
        deadline: { type: "string" },
        retries: { type: "string", default: "2" },
        fatal: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    // Its first sentence says what is wrong; the rest explains how to pass arguments that begin with "-".
    const [what = ""] = error instanceof Error ? error.message.split(/\. |\n/) : [];
    throw new UsageError(what, { cause: error });
  }
}

/** Where the person is who typed a relative path: npm runs scripts in the package's folder, wherever it was called. */
function startFolder(): string {
  const { npm_lifecycle_event: script, INIT_CWD: folder } = process.env;
  return script === "demo" && folder !== undefined ? folder : process.cwd();
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(
    `${option}: got ${JSON.stringify(text)}, needs a whole number from ${min} to ${max}`,
  );
}
