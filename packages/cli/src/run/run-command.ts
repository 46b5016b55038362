import { Option } from "commander";
import type { CommandSite } from "../command-line.ts";
import { parseCount, parseDuration } from "../option-values.ts";
import { UsageError } from "../command-error.ts";

interface Values {
  readonly backend: "host" | "simulator";
  readonly seed?: number;
  readonly grace: number;
  readonly dev?: true;
}

/** Adds `arborio run`. */
export function addRunCommand({ program, shell, act }: CommandSite): void {
  program
    .command("run")
    .summary("run a module's main")
    .showHelpAfterError("(try it with --help; options of the program go behind --)")
    .description(
      "Runs the exported main(group, args) of a module, or its default export, in a run of its own. Ctrl-C asks it to end, a second one cancels it, a third one ends the process. A whole number that main returns is the exit code.",
    )
    .argument("<file>", "the module; TypeScript as far as the runtime takes it")
    .argument("[args...]", "arguments for main and process.argv; after -- also those with dashes")
    .addOption(
      new Option(
        "--backend <name>",
        "where it runs: on this machine, or with virtual time, a seeded order and a network in memory",
      )
        .choices(["host", "simulator"])
        .default("host"),
    )
    .option(
      "--seed <number>",
      "the seed of the simulator (default: one by chance, which is printed)",
      parseCount(0, 2 ** 32 - 1),
    )
    .addOption(
      new Option(
        "--grace <time>",
        "how long it may take to end after the first Ctrl-C, such as 10s",
      )
        .argParser(parseDuration)
        .default(0, "none"),
    )
    .option(
      "--dev",
      "say what is late, blocked or not awaited; print the tasks at Ctrl-\\ (SIGQUIT)",
    )
    .action(
      act(async (file: string, args: string[], values: Values) => {
        const { backend, seed, grace: graceMs, dev } = values;
        if (seed !== undefined && backend !== "simulator")
          throw new UsageError("--seed is for --backend simulator");
        const options = { file, args, backend, graceMs, dev: dev === true };
        // Loaded when it is needed: `--help` shall be quick.
        const { runFile } = await import("./run-file.ts");
        return await runFile(seed === undefined ? options : { ...options, seed }, shell);
      }),
    );
}
