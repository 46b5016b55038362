import type { ProcessExit } from "../platform/processes.ts";
import type { Command } from "./command.ts";

/** What `runProcess` returns. */
export class ProcessResult {
  /** What ran. */
  readonly command: Command;
  /** How it ended. */
  readonly exit: ProcessExit;
  /** What it wrote to standard output; empty if that was no pipe. */
  readonly stdout: Uint8Array;
  /** What it wrote to standard error; likewise. */
  readonly stderr: Uint8Array;

  /** @internal */
  constructor(command: Command, exit: ProcessExit, stdout: Uint8Array, stderr: Uint8Array) {
    this.command = command;
    this.exit = exit;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** `stdout` as text in UTF-8; what is none becomes U+FFFD. */
  get stdoutText(): string {
    return new TextDecoder().decode(this.stdout);
  }

  /** `stderr` as text in UTF-8; likewise. */
  get stderrText(): string {
    return new TextDecoder().decode(this.stderr);
  }
}
