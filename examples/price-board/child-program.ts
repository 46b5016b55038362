/** Runs the program itself, as a process, on whichever runtime the tests run on. */

import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Longer than any run here should take; a hanging program is then killed, and its test fails. */
const LIMIT_MS = 30_000;

export interface Finished {
  /** `null` if a signal killed it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program while it runs. */
export class ChildProgram {
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;
  readonly #finished: Promise<Finished>;
  #onOutput: () => void = () => {};

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [...runtimeArgs(), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, npm_lifecycle_event: "test", ...env },
    });
    const limit = setTimeout(() => this.#child.kill("SIGKILL"), LIMIT_MS);
    this.#child.stdout?.on("data", (data: Buffer) =>
      this.#output((this.stdout += data.toString())),
    );
    this.#child.stderr?.on("data", (data: Buffer) =>
      this.#output((this.stderr += data.toString())),
    );
    this.#finished = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      // "close" comes when all who could write to its pipes are gone: the program, and whatever it might have left behind.
      this.#child.once("close", (code) => {
        clearTimeout(limit);
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
        this.#onOutput();
      });
    });
  }

  /** Waits for its end. */
  finished(): Promise<Finished> {
    return this.#finished;
  }

  kill(signal: "SIGINT" | "SIGTERM"): void {
    // Not child.kill: on Deno the child then counts as killed by the signal, whatever exit code it chose.
    if (this.#child.pid !== undefined) process.kill(this.#child.pid, signal);
  }

  /** Waits until it has written this to stderr, or has ended. */
  async said(text: string): Promise<void> {
    while (!this.stderr.includes(text) && this.#child.exitCode === null)
      await new Promise<void>((resolve) => (this.#onOutput = resolve));
  }

  /** Stops reading what it prints. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }

  #output(_all: string): void {
    this.#onOutput();
  }
}

/** Runs the program to its end. */
export function runProgram(...args: string[]): Promise<Finished> {
  return new ChildProgram(args).finished();
}

function runtimeArgs(): string[] {
  const here = fileURLToPath(import.meta.url);
  const compiled = here.endsWith(".js");
  const main = join(dirname(here), compiled ? "main.js" : "main.ts");
  if (compiled) return [main];
  const source = "--conditions=@arborio/source";
  return "Deno" in globalThis
    ? ["run", "-A", "--no-check", "--no-lock", source, main]
    : [source, main];
}
