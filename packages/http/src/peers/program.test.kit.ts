/** A program that is not ours, while it runs. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { abandonOnCancel } from "arborio";

export interface ProgramOptions {
  readonly cwd?: string;
  /** What it reads from its standard input, which then ends. Without it the input stays open, for `type`. */
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** How a program has ended, and all that it has printed. */
export interface Ended {
  /** `null` if a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly bytes: Uint8Array;
  readonly stderr: string;
}

/** Killed when disposed of. */
export class Program implements Disposable {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #bytes: Uint8Array[] = [];
  #stdout = "";
  #stderr = "";
  #code: number | null | undefined = undefined;
  #failure: Error | null = null;
  #changed: () => void = () => {};

  constructor(command: string, args: readonly string[], options: ProgramOptions = {}) {
    const { cwd, input, env = {} } = options;
    this.#name = command;
    this.#child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    // It may end before it has read everything: then it says itself why.
    this.#child.stdin?.on("error", () => {});
    if (input !== undefined) this.#child.stdin?.end(input);
    const decoder = new TextDecoder();
    this.#child.stdout?.on("data", (chunk: Uint8Array) => {
      this.#bytes.push(chunk);
      this.#stdout += decoder.decode(chunk, { stream: true });
      this.#changed();
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stderr += chunk;
      this.#changed();
    });
    this.#child.on("error", (error) => {
      this.#failure = error;
      this.#changed();
    });
    this.#child.on("close", (code) => {
      this.#code = code;
      this.#changed();
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get hasEnded(): boolean {
    return this.#code !== undefined;
  }

  /** Waits until it has printed something like this, on either stream. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
      if (found !== null) return found;
      assert.equal(
        this.#code,
        undefined,
        `${this.#name} ended without ${pattern}:\n${this.printed}`,
      );
      await this.#change();
    }
  }

  /** Waits until it has ended and closed its output. */
  async ended(): Promise<Ended> {
    while (this.#code === undefined) await this.#change();
    const bytes = new Uint8Array(await new Blob(this.#bytes as BlobPart[]).arrayBuffer());
    return { code: this.#code, stdout: this.#stdout, stderr: this.#stderr, bytes };
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Not `ChildProcess.kill`: on Deno the program then counts as killed by the signal, whatever exit code it chose. */
  signal(name: "SIGINT" | "SIGTERM" | "SIGKILL" | "SIGHUP" | "SIGQUIT"): void {
    if (this.#code === undefined && this.#child.pid !== undefined)
      process.kill(this.#child.pid, name);
  }

  /** What it has printed so far, on both streams. */
  get printed(): string {
    return `${this.#stdout}\n${this.#stderr}`;
  }

  [Symbol.dispose](): void {
    this.#child.stdin?.destroy();
    this.#child.kill("SIGKILL");
  }

  async #change(): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    await abandonOnCancel(new Promise<void>((resolve) => (this.#changed = resolve)));
  }
}

/** Runs a program to its end. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Ended> {
  using program = new Program(command, args, { input: "", ...options });
  return await program.ended();
}
