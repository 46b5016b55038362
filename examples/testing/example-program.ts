/** An example as its user runs it: a process of its own, on whichever runtime the tests run. For tests. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { abandonOnCancel } from "arborio";

/** Killed when disposed of. */
export class ExampleProgram implements Disposable {
  readonly #child: ChildProcess;
  #printed = "";
  #code: number | null | undefined = undefined;
  #changed: () => void = () => {};

  /** @param name the example's folder. */
  constructor(name: string, args: readonly string[]) {
    this.#child = spawn(process.execPath, [...runtimeArgs(name), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#printed += text;
        this.#changed();
      });
    }
    this.#child.on("close", (code) => {
      this.#code = code;
      this.#changed();
    });
  }

  /** All that it has printed, on both streams. */
  get printed(): string {
    return this.#printed;
  }

  /** Waits until it has printed something like this. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#printed);
      if (found !== null) return found;
      assert.equal(this.#code, undefined, `it ended without ${pattern}:\n${this.#printed}`);
      await this.#change();
    }
  }

  /** Presses Ctrl-C. Not `ChildProcess.kill`: on Deno it then counts as killed, whatever exit code it chose. */
  interrupt(): void {
    if (this.#child.pid !== undefined && this.#code === undefined)
      process.kill(this.#child.pid, "SIGINT");
  }

  /** Waits for its end. Gives its exit code. */
  async ended(): Promise<number | null> {
    while (this.#code === undefined) await this.#change();
    return this.#code;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }

  #change(): Promise<void> {
    return abandonOnCancel(new Promise<void>((resolve) => (this.#changed = resolve)));
  }
}

function runtimeArgs(name: string): string[] {
  const isCompiled = import.meta.url.endsWith(".js");
  const main = new URL(`../${name}/main.${isCompiled ? "js" : "ts"}`, import.meta.url);
  const path = fileURLToPath(main);
  if (isCompiled) return [path];
  const source = "--conditions=@arborio/source";
  return "Deno" in globalThis
    ? ["run", "-A", "--no-check", "--no-lock", source, path]
    : [source, path];
}
