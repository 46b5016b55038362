/** Processes of ours that share a port, on whichever runtime the tests run. */
import assert from "node:assert/strict";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Program } from "./program.test.kit.ts";

export class Worker implements Disposable {
  readonly port: number;
  readonly #program: Program;

  constructor(program: Program, port: number) {
    this.#program = program;
    this.port = port;
  }

  /** Waits until it has got a request. */
  async handles(): Promise<void> {
    await this.#program.until(/^handles requests$/m);
  }

  /** Asks it to end, and waits for it. Gives how many requests it has handled. */
  async drain(): Promise<number> {
    this.#program.signal("SIGTERM");
    const { stdout, stderr } = await this.#program.ended();
    assert.equal(stderr, "");
    return Number(/^handled (\d+)$/m.exec(stdout)?.[1] ?? assert.fail(stdout));
  }

  [Symbol.dispose](): void {
    this.#program[Symbol.dispose]();
  }
}

/** Gives it when it listens. */
export async function startWorker(port: number): Promise<Worker> {
  const program = new Program(process.execPath, [...runtimeArgs(), String(port)]);
  const [, listening] = await program.until(/^listening (\d+)$/m);
  return new Worker(program, Number(listening));
}

function runtimeArgs(): string[] {
  const isCompiled = import.meta.url.endsWith(".js");
  const main = fileURLToPath(
    new URL(`worker/main.test.kit.${isCompiled ? "js" : "ts"}`, import.meta.url),
  );
  if (isCompiled) return [main];
  const source = "--conditions=@arborio/source";
  return "Deno" in globalThis
    ? ["run", "-A", "--no-check", "--no-lock", source, main]
    : [source, main];
}
