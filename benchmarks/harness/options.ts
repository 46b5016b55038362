/** The command line of the benchmarks. */
import { parseArgs } from "node:util";
import { RUNTIMES, type RuntimeName, type Suite } from "./suite.ts";

export interface BenchOptions {
  readonly suite: Suite;
  /** Where the rows go as JSON. */
  readonly json: string | undefined;
  readonly runtimes: readonly RuntimeName[];
  /** Only these benches; undefined means all. */
  readonly benches: ReadonlySet<string> | undefined;
  /** Only these subjects; undefined means all. */
  readonly subjects: ReadonlySet<string> | undefined;
  readonly rounds: number;
  readonly quick: boolean;
}

/** The command line asks for something that does not exist. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `usage: npm run bench -- SUITE [options]
  --json FILE       write the rows to FILE as JSON
  --runtime NAME    node, bun or deno; may be repeated (default: all three)
  --bench NAME      only this bench; may be repeated
  --subject NAME    only this subject; may be repeated (ratios need arborio)
  --rounds N        rounds of processes (default: 3)
  --quick           small amounts, one round: a smoke test, no figures to quote`;

/** More rounds would not end within the suite's time. */
const ROUNDS_DEFAULT = 3;

const FLAGS = {
  json: { type: "string" },
  runtime: { type: "string", multiple: true },
  bench: { type: "string", multiple: true },
  subject: { type: "string", multiple: true },
  rounds: { type: "string" },
  quick: { type: "boolean", default: false },
} as const;

/**
 * Reads the command line.
 *
 * @throws UsageError if it asks for an unknown suite, option, runtime, bench or subject.
 */
export function parseOptions(args: readonly string[], suites: readonly Suite[]): BenchOptions {
  const { values, positionals } = parse(args);
  const [name, ...more] = positionals;
  if (name === undefined)
    throw new UsageError(`no suite: name one of ${suites.map((s) => s.name).join(", ")}`);
  if (more.length > 0) throw new UsageError(`one suite at a time: ${positionals.join(" ")}`);
  const suite = suites.find((each) => each.name === name);
  if (suite === undefined)
    throw unknown(
      "suite",
      name,
      suites.map((each) => each.name),
    );
  return {
    suite,
    json: values.json,
    runtimes: RUNTIMES.filter(
      (each) => pick("runtime", values.runtime, RUNTIMES)?.has(each) ?? true,
    ),
    benches: pick(
      "bench",
      values.bench,
      suite.benches.map((each) => each.name),
    ),
    subjects: pick(
      "subject",
      values.subject,
      suite.subjects.map((each) => each.name),
    ),
    rounds: values.quick ? 1 : positiveInteger(values.rounds),
    quick: values.quick,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function pick(
  what: string,
  given: readonly string[] | undefined,
  known: readonly string[],
): Set<string> | undefined {
  for (const name of given ?? []) {
    if (!known.includes(name)) throw unknown(what, name, known);
  }
  return given === undefined ? undefined : new Set(given);
}

function positiveInteger(text: string | undefined): number {
  if (text === undefined) return ROUNDS_DEFAULT;
  if (!/^[1-9]\d*$/.test(text))
    throw new UsageError(`--rounds: "${text}", a whole number above 0 is needed`);
  return Number(text);
}

function unknown(what: string, given: string, known: readonly string[]): UsageError {
  return new UsageError(`unknown ${what} "${given}": there are ${known.join(", ")}`);
}
