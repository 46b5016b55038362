import process from "node:process";
import { parseArgs } from "node:util";

/** What the options of a program are, with their defaults. A number stands for a whole number; options without a default have `""`. */
type Defaults = Readonly<Record<string, number | string>>;

/** The values of options, and what stands beside them. */
type Arguments<T extends Defaults> = {
  readonly [K in keyof T]: T[K] extends number ? number : string;
} & { readonly rest: readonly string[] };

/**
 * Reads the arguments of the program: `--name VALUE` for each of `defaults`. `--help` prints the usage. If something is wrong, that and the usage are printed, and the program
 * ends with the exit code 2.
 */
export function readArguments<const T extends Defaults>(usage: string, defaults: T): Arguments<T> {
  try {
    const entries = Object.entries(defaults);
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        help: { type: "boolean" },
        ...Object.fromEntries(entries.map(([name]) => [name, { type: "string" }] as const)),
      },
    });
    const given: Readonly<Record<string, unknown>> = values;
    if (given["help"] === true) {
      console.log(`Usage: main.ts ${usage}`);
      process.exit(0);
    }
    const read = entries.map(([name, value]) => {
      const text = given[name];
      if (typeof text !== "string") return [name, value];
      return [name, typeof value === "number" ? wholeNumber(`--${name}`, text) : text];
    });
    return { ...Object.fromEntries(read), rest: positionals } as Arguments<T>;
  } catch (error) {
    return exitWith(usage, (error as Error).message);
  }
}

/** Says what is wrong with the arguments, and ends the program. */
export function exitWith(usage: string, why: string): never {
  console.error(`${why}\nUsage: main.ts ${usage}`);
  process.exit(2);
}

/** A port that stands beside the options. */
export function portFrom(usage: string, text: string): number {
  try {
    return wholeNumber("port", text);
  } catch (error) {
    return exitWith(usage, (error as Error).message);
  }
}

function wholeNumber(name: string, text: string): number {
  const most = name.endsWith("port") ? 65_535 : Number.MAX_SAFE_INTEGER;
  if (/^\d+$/.test(text) && Number(text) <= most) return Number(text);
  throw new RangeError(`${name}: got "${text}", needs a whole number up to ${most}`);
}
