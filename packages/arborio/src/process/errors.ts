import { brandError } from "../core/brand.ts";
import { ArborioError } from "../core/errors.ts";
import type { Command } from "./command.ts";
import type { ProcessResult } from "./process-result.ts";

/** So much of a command is in a message, in characters. */
const COMMAND_LENGTH_MAX = 200;
/** So much of the end of standard error is in a message, in characters: about as many lines as fit on a screen. */
const TAIL_LENGTH_MAX = 2000;

/**
 * A program that `runProcess` ran did not end with exit code 0. The message has the end of what it wrote to standard error; `result`
 * has all it wrote. Counterpart: `subprocess.CalledProcessError`.
 *
 * @example What it said
 * ```ts
 * import { run } from "arborio";
 * import { ProcessFailedError, runProcess } from "arborio/process";
 *
 * await run(async () => {
 *   try {
 *     await runProcess(["ls", "/no/such/directory"]);
 *   } catch (error) {
 *     if (!(error instanceof ProcessFailedError)) throw error;
 *     console.log(error.result.exit.code, error.result.stderrText);
 *   }
 * });
 * ```
 */
export class ProcessFailedError extends ArborioError {
  /** What ran, how it ended, and what it wrote. */
  readonly result: ProcessResult;

  /** Made by `runProcess`. */
  constructor(result: ProcessResult) {
    super(
      `runProcess: ${describeCommand(result.command)} ${describeExit(result)}${tailOf(result)}`,
    );
    this.result = result;
  }
}
brandError(ProcessFailedError, "ProcessFailedError");

/** A program that `runProcess` ran wrote more than was allowed; it was ended. Counterpart: Node's `ERR_CHILD_PROCESS_STDIO_MAXBUFFER`. */
export class OutputLimitError extends ArborioError {
  /** What ran. */
  readonly command: Command;
  /** On which of its streams it wrote so much. */
  readonly stream: "stdout" | "stderr";

  /** Made by `runProcess`. */
  constructor(command: Command, stream: "stdout" | "stderr", outputBytesMax: number) {
    super(
      `runProcess: ${describeCommand(command)} wrote more than ${outputBytesMax} bytes to ${stream} and was ended; ` +
        "raise outputBytesMax, or read a stream of openProcess",
    );
    this.command = command;
    this.stream = stream;
  }
}
brandError(OutputLimitError, "OutputLimitError");

/** As one would type it; parts that a shell would not leave alone in quotes. */
function describeCommand(command: Command): string {
  const text = command
    .map((part) => (/^[\w@%+=:,./-]+$/.test(part) ? part : JSON.stringify(part)))
    .join(" ");
  return text.length > COMMAND_LENGTH_MAX ? `${text.slice(0, COMMAND_LENGTH_MAX)}…` : text;
}

function describeExit({ exit }: ProcessResult): string {
  return exit.signal === undefined
    ? `ended with exit code ${exit.code}`
    : `was ended by ${exit.signal}`;
}

function tailOf({ stderr }: ProcessResult): string {
  // One character takes at most 4 bytes; a decoder forgives a cut one.
  const text = new TextDecoder().decode(stderr.subarray(-4 * TAIL_LENGTH_MAX)).trimEnd();
  if (text === "") return "";
  const tail = text.length > TAIL_LENGTH_MAX ? `…${text.slice(-TAIL_LENGTH_MAX)}` : text;
  return `; standard error:\n${tail}`;
}
