import { run } from "arborio";
import { random } from "arborio/lowlevel";
import { simulator } from "arborio/sim";
import { EXIT } from "../exit-codes.ts";
import { findModule, loadModule } from "../host/load-module.ts";
import type { Shell } from "../host/shell.ts";
import { chooseMain, exitCodeOf } from "./choose-main.ts";
import { startDevChecks } from "./dev-checks.ts";
import { runOnThisMachine } from "./run-on-this-machine.ts";

/** What `arborio run` was told. */
export interface RunFileOptions {
  readonly file: string;
  /** For the program. */
  readonly args: readonly string[];
  readonly backend: "host" | "simulator";
  /** Of the simulator. Default: one by chance. */
  readonly seed?: number;
  /** Milliseconds between the first signal and the cancellation of everything. */
  readonly graceMs: number;
  readonly dev: boolean;
}

/**
 * Runs a module's main.
 *
 * @returns the exit code.
 * @throws UsageError if there is nothing to run; InterruptedError after a signal; whatever the module or its main throws.
 */
export async function runFile(options: RunFileOptions, shell: Shell): Promise<number> {
  const { file, args, graceMs, dev } = options;
  const path = findModule(file);
  // Before it is loaded: what stands outside of main may look at them.
  shell.setProgram(path, args);
  const main = chooseMain(file, await loadModule(path));
  const runOptions = { graceMs, dev, name: main.name === "" ? "main" : main.name };
  if (options.backend === "simulator") {
    const seed = options.seed ?? Math.floor(random() * 2 ** 32);
    shell.warn(`arborio: simulated with --seed ${seed}`);
    return exitCodeOf(
      await run((group) => main(group, args), { ...runOptions, backend: simulator({ seed }) }),
    );
  }
  const code = await runOnThisMachine(shell, runOptions, async (group) => {
    if (dev) startDevChecks(shell, group);
    return exitCodeOf(await main(group, args));
  });
  return code ?? EXIT.ok;
}
