import type { TaskGroup } from "arborio";
import { UsageError } from "../command-error.ts";

/** What `arborio run` runs: it gets the run's root group, and the arguments of the command line. */
export type Main = (group: TaskGroup, args: readonly string[]) => unknown;

/**
 * The function of a module that is to be run: `main`, else the default export, or its `main`: Node gives all that a CommonJS module exports as
 * that.
 *
 * @throws UsageError if there is none.
 */
export function chooseMain(file: string, module: Readonly<Record<string, unknown>>): Main {
  const { main, default: whole } = module;
  const inWhole = (whole as { main?: unknown } | null | undefined)?.main;
  const candidates = main === undefined ? [whole, inWhole] : [main];
  const found = candidates.find((one) => typeof one === "function");
  if (found !== undefined) return found as Main;
  const got =
    main !== undefined
      ? "exports a main that is no function"
      : whole === undefined
        ? "exports neither main nor a default"
        : "exports no main, and a default that is no function";
  throw new UsageError(`${file} ${got}; it needs: export async function main(group, args) { … }`);
}

/** The exit code that a `main` asked for by what it returned: a whole number from 0 to 255; anything else is none. */
export function exitCodeOf(value: unknown): number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 255
    ? value
    : 0;
}
