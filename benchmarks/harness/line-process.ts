/** A child process that is spoken to in lines: one line in, one line of JSON or text out. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import process from "node:process";
import { CaseError, STDERR_CHARS } from "./case-process.ts";
import type { Command } from "./suite.ts";

/** Longer than the longest work between two lines: then the process hangs. */
const ANSWER_MS_MAX = 30_000;

export class LineProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #stderr = "";

  /** Starts it; `env` is added to the environment. */
  constructor({ command, args }: Command, env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(command, args, {
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdin, stdout, stderr } = this.#child;
    if (stdin === null || stdout === null || stderr === null)
      throw new CaseError(`${command}: no pipes to it`);
    // A process that died says why on stderr; that its input is gone says nothing more.
    stdin.on("error", () => {});
    this.#child.on("error", (error) => (this.#stderr += error.message));
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS);
    });
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /**
   * Says a line, and waits for the answer.
   *
   * @throws CaseError if the process ends or is silent for half a minute
   */
  ask(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    return this.nextLine();
  }

  async nextLine(): Promise<string> {
    // Killed, the process ends its output, which ends the wait.
    let silent = false;
    const timer = setTimeout(() => {
      silent = true;
      this.#child.kill("SIGKILL");
    }, ANSWER_MS_MAX);
    const next = await this.#lines.next();
    clearTimeout(timer);
    if (next.done !== true) return next.value;
    if (silent) throw new CaseError(`no answer for ${ANSWER_MS_MAX / 1000} s`);
    await this.#exited();
    throw new CaseError(this.#stderr.trim() || `ended with ${this.#child.exitCode}, no answer`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    this.#child.kill("SIGKILL");
    await this.#exited();
  }

  async #exited(): Promise<void> {
    const { exitCode, signalCode, pid } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null)
      await once(this.#child, "exit");
  }
}
