import {
  describeValue,
  requireFlag,
  requireKnown,
  requireOptions,
  requireTime,
} from "../core/arguments.ts";
import { isPathObject, type PathObject } from "../platform/path-text.ts";
import type { ProcessCommand, StreamTarget } from "../platform/processes.ts";

/** A program, by its name or path, and its arguments. No shell is in between: each argument arrives as it is. */
export type Command = readonly [program: string, ...args: string[]];

/** What `openProcess` and `runProcess` have in common. */
export interface ProcessOptions {
  /** The working directory: a path, a `file:` URL, or a `Path`. Default: that of this process. */
  readonly cwd?: string | URL | PathObject;
  /** Added to the environment of this process; `undefined` takes a variable out. With `clearEnv` it is all there is. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Inherits nothing of the environment. `PATH` is then missing too, unless `env` has it. Default `false`. */
  readonly clearEnv?: boolean;
  /**
   * `"own"`: a process group (and session) of its own, so that it can be ended with all that it has started; Ctrl-C in a terminal does not
   * reach it. `"inherit"`: that of this process, so that it may use the terminal. Default `"own"`, but `"inherit"` if standard input is
   * inherited.
   */
  readonly group?: "own" | "inherit";
  /** Milliseconds between asking it to end (SIGTERM) and killing it (SIGKILL); `Infinity`: it is never killed. Default 5,000. */
  readonly graceMs?: number;
}

/** Every name there is, to be checked. */
const NAMES: Readonly<Record<keyof ProcessOptions | "stdin" | "stdout" | "stderr", true>> = {
  cwd: true,
  env: true,
  clearEnv: true,
  group: true,
  graceMs: true,
  stdin: true,
  stdout: true,
  stderr: true,
};

const A_SCOPE = "a scope around the call, such as failAfter(5000, () => runProcess(…))";

/** What options of Node's, Bun's, Deno's and Python's functions are here. */
const INSTEAD: Readonly<Record<string, string>> = {
  args: "the array of the command: [program, ...args]",
  detached: 'group: "own", which is the default, or group: "inherit"',
  encoding: "stdoutText and stderrText of the result, or a TextReceiveStream",
  input: 'runProcess, or stdin: "pipe" and process.stdin.send(bytes)',
  check: "runProcess, or look at the code that process.wait() returns",
  killSignal: "graceMs: SIGTERM comes first, then SIGKILL; sendSignal sends any other",
  maxBuffer: "outputBytesMax",
  shell: 'shellCommand("a line of the shell", ...args) as the command',
  signal: "a scope: withSignal(signal, () => …)",
  stdio: "stdin, stdout and stderr, each by itself",
  timeout: A_SCOPE,
  timeoutMs: A_SCOPE,
};

/** Time that a process has to end after SIGTERM, in milliseconds: half of what Docker gives to a container, so that it fits in there. */
const GRACE_MS = 5000;

/** What was asked for, checked. */
export interface CheckedCommand {
  readonly command: ProcessCommand;
  readonly graceMs: number;
}

type Streams = Pick<ProcessCommand, "stdin" | "stdout" | "stderr">;

/** Checks everything that can be wrong with a call before the system is asked. */
export function checkCommand(
  where: string,
  command: Command,
  options: ProcessOptions,
  streams: Streams,
  otherNames: Readonly<Record<string, true>> = {},
): CheckedCommand {
  const [program, ...args] = requireCommand(where, command);
  requireKnown(where, options, { ...NAMES, ...otherNames }, INSTEAD);
  const { env = {}, clearEnv = false, graceMs = GRACE_MS } = options;
  requireFlag(`${where}({ clearEnv })`, clearEnv);
  requireGrace(`${where}({ graceMs })`, graceMs);
  requireEnvironment(where, env);
  for (const name of ["stdin", "stdout", "stderr"] as const)
    requireStream(`${where}({ ${name} })`, streams[name]);
  const group = options.group ?? (streams.stdin === "inherit" ? "inherit" : "own");
  if (group !== "own" && group !== "inherit") {
    throw new RangeError(
      `${where}({ group }): got ${describeValue(group)}, needs "own" or "inherit"`,
    );
  }
  const { stdin, stdout, stderr } = streams;
  return {
    command: {
      program,
      args,
      cwd: requireDirectory(where, options.cwd),
      env,
      clearEnv,
      ownGroup: group === "own",
      stdin,
      stdout,
      stderr,
    },
    graceMs,
  };
}

/** Throws unless it is a time that can be given to a process. */
export function requireGrace(where: string, graceMs: unknown): void {
  requireTime(where, graceMs);
  if ((graceMs as number) >= 0) return;
  throw new RangeError(`${where}: got ${String(graceMs)}, needs at least 0 milliseconds`);
}

function requireCommand(where: string, command: unknown): readonly [string, ...string[]] {
  const example = 'needs an array such as ["git", "status"]';
  if (typeof command === "string") {
    throw new TypeError(
      `${where}: got ${describeValue(command)}, ${example}; for a line of the shell: ${where}(shellCommand("…"))`,
    );
  }
  if (!Array.isArray(command))
    throw new TypeError(`${where}: got ${describeValue(command)}, ${example}`);
  const wrong = command.findIndex((part) => typeof part !== "string");
  if (wrong >= 0) {
    throw new TypeError(
      `${where}: got ${describeValue(command[wrong])} at ${wrong} of the command, needs a string`,
    );
  }
  const parts = command as string[];
  if (parts.length === 0 || parts[0] === "")
    throw new RangeError(`${where}: got a command without a program, ${example}`);
  for (const part of parts) requireCarried(`${where}: a part of the command`, part);
  return parts as unknown as readonly [string, ...string[]];
}

function requireEnvironment(where: string, env: unknown): void {
  requireOptions(`${where}({ env })`, env, '{ LANG: "C" }');
  for (const [name, value] of Object.entries(env as object)) {
    const of = `${where}({ env: { ${name} } })`;
    if (value !== undefined && typeof value !== "string")
      throw new TypeError(`${of}: got ${describeValue(value)}, needs a string or undefined`);
    if (name === "" || name.includes("="))
      throw new RangeError(`${of}: the name of a variable cannot be empty or contain "="`);
    requireCarried(of, name);
    if (value !== undefined) requireCarried(of, value);
  }
}

function requireDirectory(where: string, cwd: unknown): string | undefined {
  if (cwd === undefined) return undefined;
  const of = `${where}({ cwd })`;
  if (isPathObject(cwd)) return cwd.text;
  if (cwd instanceof URL) return pathOf(of, cwd);
  if (typeof cwd !== "string")
    throw new TypeError(`${of}: got ${describeValue(cwd)}, needs a path or a file: URL`);
  if (cwd === "") throw new RangeError(`${of}: got "", needs a path`);
  requireCarried(of, cwd);
  return cwd;
}

function pathOf(where: string, url: URL): string {
  if (url.protocol !== "file:" || url.host !== "")
    throw new RangeError(
      `${where}: got ${describeValue(url.href)}, needs a file: URL of this host`,
    );
  if (/%2f/i.test(url.pathname))
    throw new RangeError(`${where}: got ${describeValue(url.href)}, in which a name contains "/"`);
  const path = decodeURIComponent(url.pathname);
  requireCarried(where, path);
  return path;
}

function requireStream(where: string, target: StreamTarget): void {
  if (target === "pipe" || target === "inherit" || target === "ignore") return;
  if (typeof target === "number" && Number.isInteger(target) && target >= 0) return;
  throw new RangeError(
    `${where}: got ${describeValue(target)}, needs "pipe", "inherit", "ignore" or the number of an open descriptor`,
  );
}

/** What the system cannot pass on, or not unchanged: strings end at a zero byte, and UTF-8 has no halves of characters. */
function requireCarried(where: string, text: string): void {
  const what = text.includes("\0")
    ? "a zero byte"
    : /\p{Surrogate}/u.test(text)
      ? "half a character, a lone surrogate"
      : null;
  if (what === null) return;
  throw new RangeError(
    `${where}: got ${describeValue(text)}, which contains ${what}; the system cannot pass it on`,
  );
}

/**
 * The command that lets the shell, `/bin/sh`, run a line: for pipelines, redirections and patterns. Nothing else in Arborio uses a
 * shell.
 *
 * Never put a value into the line: give it as an argument, and write `"$1"`, `"$2"`, `"$@"` in the line, with the quotes. So no value can
 * become a part of the program.
 *
 * @param line what the shell runs.
 * @param args what `$1`, `$2`, … are in it.
 * @returns a command for `openProcess` and `runProcess`.
 * @throws TypeError if one of them is no string.
 *
 * Counterpart: `anyio.run_process` with a string.
 *
 * @example Count the lines that have a word
 * ```ts
 * import { run } from "arborio";
 * import { runProcess, shellCommand } from "arborio/process";
 *
 * await run(async () => {
 *   const { stdoutText } = await runProcess(shellCommand('grep -F -- "$1" "$2" | wc -l', "root", "/etc/passwd"));
 *   console.assert(Number(stdoutText) > 0);
 * });
 * ```
 */
export function shellCommand(line: string, ...args: string[]): Command {
  if (typeof line !== "string")
    throw new TypeError(`shellCommand: got ${describeValue(line)}, needs a line for the shell`);
  const wrong = args.find((arg) => typeof arg !== "string");
  if (wrong !== undefined)
    throw new TypeError(`shellCommand: got the argument ${describeValue(wrong)}, needs a string`);
  return ["/bin/sh", "-c", line, "sh", ...args];
}
