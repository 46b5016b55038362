/** Runs other programs, always with a limit: a hanging child is ended with all its children, and says so. */

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { root } from "./workspace.ts";

/** How {@link runCommand} runs a program. */
export interface CommandOptions {
  /** Working directory; the repository by default. */
  readonly cwd?: string;
  /** Variables added to this process's own, or, if `undefined`, left out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** When to end it, in milliseconds; 10 minutes by default. */
  readonly limitMs?: number;
  /** Whether its output goes to ours as it comes, too; false by default. */
  readonly echo?: boolean;
}

/** What became of a program. */
export interface CommandResult {
  /** Exit code; 1 when a signal ended it. */
  readonly code: number;
  /** Standard output and error, in the order they came. */
  readonly output: string;
  /** Whether the limit ended it. */
  readonly timedOut: boolean;
  /** Wall-clock time taken. */
  readonly elapsedMs: number;
}

/** Longer than any honest step here; a step that knows better says so. */
const limitMsDefault = 600_000;

/** What ends this process, and then all that it runs, which is in groups of its own and hears nothing of Ctrl-C. */
const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ends the groups that run. */
const running: Set<() => void> = new Set();

/** Between asking a hanging program to end and ending it with its children. */
const lastWordsMs = 2_000;

/** Runs a program to its end, without standard input, and collects what it printed. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // a process group of its own, so that its children can be ended with it
    });
    const chunks: Buffer[] = [];
    let timedOut = false;
    const endGroup = (): void => killGroup(child.pid);
    let timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGTERM"); // a test runner then still tells what it was waiting for
      timer = setTimeout(endGroup, lastWordsMs);
    }, options.limitMs ?? limitMsDefault);
    watchEnd(endGroup);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        if (options.echo) process.stdout.write(chunk);
      });
    }
    child.on("error", (error) => {
      clearTimeout(timer);
      forget(endGroup);
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      forget(endGroup);
      endGroup(); // whatever it left behind
      const output = Buffer.concat(chunks).toString("utf8");
      resolve({ code: code ?? 1, output, timedOut, elapsedMs: performance.now() - startedAt });
    });
  });
}

/** Runs a program and ends this process with its output when it fails. */
export async function mustRun(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = await runCommand(program, args, options);
  if (result.code !== 0) {
    if (!options.echo) process.stdout.write(result.output);
    const why = result.timedOut ? "ran into its limit" : `exit code ${result.code}`;
    console.error(`Failed: ${program} ${args.join(" ")}: ${why}`);
    process.exit(1);
  }
  return result;
}

/** Has it called when this process ends, unless by SIGKILL. */
function watchEnd(endGroup: () => void): void {
  if (running.size === 0) {
    process.on("exit", endAll);
    for (const signal of endingSignals) process.on(signal, endBySignal);
  }
  running.add(endGroup);
}

function forget(endGroup: () => void): void {
  running.delete(endGroup);
  if (running.size > 0) return;
  process.off("exit", endAll);
  for (const signal of endingSignals) process.off(signal, endBySignal);
}

function endAll(): void {
  for (const endGroup of running) endGroup();
}

/** Ends as if nobody had listened. */
function endBySignal(signal: NodeJS.Signals): void {
  process.exit(128 + constants.signals[signal]);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
