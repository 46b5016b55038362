import { Command, CommanderError } from "commander";
import { CommandError } from "./command-error.ts";
import { EXIT } from "./exit-codes.ts";
import type { Shell } from "./host/shell.ts";
import { addFetchCommand } from "./fetch/fetch-command.ts";
import { addRunCommand } from "./run/run-command.ts";
import { addServeCommand } from "./serve/serve-command.ts";

/** What a sub-command needs to be added: the command above it, and where to leave its exit code. */
export interface CommandSite {
  readonly program: Command;
  readonly shell: Shell;
  /** Wraps an action: what it returns becomes the exit code. */
  readonly act: <Arguments extends unknown[]>(
    action: (...args: Arguments) => Promise<number>,
  ) => (...args: Arguments) => Promise<void>;
}

/**
 * Reads the command line, does what it says, and gives the exit code.
 *
 * @throws whatever a program that was run throws.
 */
export async function runCommandLine(shell: Shell): Promise<number> {
  let code: number = EXIT.ok;
  const program = createProgram(shell);
  const act: CommandSite["act"] =
    (action) =>
    async (...args) => {
      code = await action(...args);
    };
  for (const add of [addRunCommand, addServeCommand, addFetchCommand]) add({ program, shell, act });
  try {
    await program.parseAsync([...shell.args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommandError) {
      shell.warn(`arborio: ${error.message}`);
      return error.exitCode;
    }
    // It has said what is wrong; a help or a version that was asked for is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw error;
  }
}

function createProgram(shell: Shell): Command {
  return new Command("arborio")
    .description("Runs programs, serves handlers and fetches files, with structured concurrency.")
    .version(shell.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .exitOverride()
    .showHelpAfterError("(try it with --help)")
    .configureOutput({
      writeOut: (text) => shell.write(text),
      writeErr: (text) => shell.warn(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, "arborio: ")),
    })
    .addHelpText(
      "after",
      "\nExit codes: 0 all went well, 1 something failed, 2 the command line is wrong, 130 interrupted (128 + the number of a signal).",
    );
}
