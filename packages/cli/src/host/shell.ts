/**
 * The process that the command runs in. Nothing outside this folder touches the runtime: everything else gets a `Shell`, which tests make
 * of plain values.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { styleText } from "node:util";

import { type LiveArea, openLiveArea } from "./live-area.ts";
import { LostOutput } from "./lost-output.ts";
import { guardSignals, type SignalGuard } from "./signal-guard.ts";

/** How a piece of text is set off in a terminal. */
export type Style = "bold" | "dim" | "green" | "red" | "yellow";

/** Standard output or standard error. */
export type OutputName = "output" | "error";

/** What the command sees of its process. */
export interface Shell {
  /** Arguments after the command's own name. */
  readonly args: readonly string[];
  /** Version of this package. */
  readonly version: string;
  /** Whether this is a terminal that can be drawn on. */
  isTerminal(stream: OutputName): boolean;
  /** Writes to standard output, unless told otherwise. */
  write(text: string, stream?: OutputName): void;
  /** Writes a line to standard error. */
  warn(line: string): void;
  /** Styles text; does nothing if this is no terminal, or under `NO_COLOR`. */
  paint(style: Style, text: string, stream: OutputName): string;
  /** A part of the terminal that is drawn anew again and again, below what stays. */
  openLiveArea(stream: OutputName): Promise<LiveArea>;
  /** The variables of the environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes a variable out of the environment. */
  takeVariable(name: string): string | undefined;
  /** Makes `process.argv` that of a program started with these arguments. */
  setProgram(path: string, args: readonly string[]): void;
  /** Says that standard output takes nothing any more, as a write elsewhere has found out. */
  loseOutput(cause: Error): void;
  /** Calls this, once, when it turns out that standard output takes nothing any more: nobody reads it, or its disk is full. */
  onOutputLost(callback: () => void): void;
  /** Begins to count signals: the third SIGINT or SIGTERM ends the process, whatever still runs. */
  guardSignals(): SignalGuard;
}

/** The shell of a real process. */
export interface ProcessShell extends Shell {
  /**
   * Whether the top level of the command is to wait for its end: then Node prints best what a program throws. On Bun 1.4 an error that nobody
   * catches would not end the process then, and Deno would show that place instead of the program's, of an `await` that never ends.
   */
  readonly isAwaited: boolean;
  /** Waits for the exit code, sets it, and leaves the rest to the runtime, so that all output is written. @throws what `ended` throws. */
  finish(ended: Promise<number>): Promise<void>;
}

/** The process this is. */
export function createShell(): ProcessShell {
  const { stdout, stderr } = process;
  const streams = { output: stdout, error: stderr };
  const output = new LostOutput();
  let isFinished = false;
  const endLost = (): void => {
    if (output.message !== null) stderr.write(`arborio: ${output.message}\n`);
    process.exitCode = output.exitCode;
  };
  const failed = (stream: OutputName, error: Error): void => {
    // What is said on standard error is not what the command is for; but that nobody is there any more holds for both.
    if (stream === "error" && (error as { code?: unknown }).code !== "EPIPE") return;
    const isNew = !output.isLost;
    output.lose(error);
    if (isFinished && isNew) endLost();
  };
  // Without a listener, these would be uncaught errors: `arborio … | head -1` shall end quietly.
  stdout.on("error", (error) => failed("output", error));
  stderr.on("error", (error) => failed("error", error));
  const write = (text: string, stream: OutputName): void => {
    try {
      streams[stream].write(text);
    } catch (error) {
      failed(stream, error as Error); // so does Deno, for files
    }
  };
  return {
    args: process.argv.slice(2),
    version: packageVersion(),
    isAwaited: process.versions["bun"] === undefined && process.versions["deno"] === undefined,
    environment: { ...process.env },
    isTerminal: (stream) => streams[stream].isTTY === true && process.env["TERM"] !== "dumb",
    write: (text, stream = "output") => write(text, stream),
    warn: (line) => write(`${line}\n`, "error"),
    paint: (style, text, stream) => styleText(style, text, { stream: streams[stream] }),
    openLiveArea: (stream) => openLiveArea(streams[stream]),
    loseOutput: (cause) => failed("output", cause),
    takeVariable(name) {
      const value = process.env[name];
      delete process.env[name];
      return value;
    },
    setProgram(path, args) {
      process.argv.splice(1, Infinity, path, ...args);
    },
    onOutputLost: (callback) => output.onLost(callback),
    guardSignals: () => guardSignals((line) => write(`arborio: ${line}\n`, "error")),
    async finish(ended) {
      process.once("beforeExit", endWaiting);
      let code: number;
      try {
        code = await ended;
      } finally {
        isFinished = true;
        process.removeListener("beforeExit", endWaiting);
      }
      if (output.isLost) {
        endLost();
        process.exit();
      }
      // A program may have set one of its own.
      if (code !== 0) process.exitCode = code;
    },
  };
}

/** Nothing is left that could go on: neither a run nor a download ends like this. */
function endWaiting(): void {
  process.stderr.write(
    "arborio: a module waits, in an await at its top level, for what never comes\n",
  );
  process.exit(1);
}

function packageVersion(): string {
  const path = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
