/** The command as its user runs it: a process of its own, on whichever runtime the tests run. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type RegisterTest, testIf } from "./test-if.test.kit.ts";

/** A command that has not ended by then hangs. */
const COMMAND_MS_MAX = 50_000;

/** How a command is started. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** In a terminal of its own, 100 columns wide: what it prints on either stream comes out of `out`. */
  readonly terminal?: boolean;
  /** A shell's line instead, in which `"$0" "$@"` is the command. */
  readonly shell?: string;
}

/** How a command ended. */
export interface CommandEnd {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A test with a terminal, skipped where there is no way to make one. */
export const terminalTest: RegisterTest = testIf(
  spawnSync("python3", ["-c", "import pty, termios"]).status === 0,
  "needs python3, for a pseudo-terminal",
);

/** Runs its arguments in a terminal, passes on what is typed, and ends as they do. */
const TERMINAL = `
import fcntl, os, pty, select, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
inputs = [fd, 0]
while True:
    ready, _, _ = select.select(inputs, [], [])
    if 0 in ready:
        typed = os.read(0, 1024)
        if typed:
            os.write(fd, typed)
        else:
            inputs.remove(0)
    if fd in ready:
        try:
            printed = os.read(fd, 65536)
        except OSError:
            break
        if not printed:
            break
        os.write(1, printed)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) % 256)
`;

/** A started command. Killed when disposed of. */
export class CommandProcess implements Disposable {
  readonly #child: ChildProcess;
  readonly #inTerminal: boolean;
  #out = "";
  #err = "";
  #ended = false;
  #changed: () => void = () => {};
  readonly #end: Promise<number | null>;

  constructor(args: readonly string[], options: CommandOptions = {}) {
    const { cwd, env, terminal = false, shell } = options;
    const command = [process.execPath, ...runtimeArgs(), ...args];
    const [program, ...rest] =
      shell !== undefined
        ? ["sh", "-c", shell, ...command]
        : terminal
          ? ["python3", "-c", TERMINAL, ...command]
          : command;
    // Under CI, too, terminals count as such without colours.
    const {
      NODE_TEST_CONTEXT: _,
      NO_COLOR: _no,
      FORCE_COLOR: _force,
      CI: _ci,
      ...inherited
    } = process.env;
    this.#inTerminal = terminal;
    this.#child = spawn(program as string, rest, {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: COMMAND_MS_MAX,
      killSignal: "SIGKILL",
      ...(cwd === undefined ? {} : { cwd }),
      // Deno takes conditions on its command line only, which its workers do not see.
      env: { ...inherited, TERM: "xterm", DENO_CONDITIONS: sourceCondition(), ...env },
    });
    this.#child.stdin?.on("error", () => {});
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#out += text;
      this.#changed();
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#err += text;
      this.#changed();
    });
    this.#end = new Promise((resolve) => {
      this.#child.on("close", (code) => {
        this.#ended = true;
        this.#changed();
        resolve(code);
      });
    });
  }

  /** Its process; in a terminal, or a shell, that of the terminal or the shell. */
  get pid(): number {
    return this.#child.pid as number;
  }

  get out(): string {
    return this.#out;
  }

  get err(): string {
    return this.#err;
  }

  /** Waits until it has printed something like this, on either stream. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#out) ?? pattern.exec(this.#err);
      if (found !== null) return found;
      assert.ok(!this.#ended, `it ended without ${pattern}:\n${this.#out}\n${this.#err}`);
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  /** Sends a signal. Not `ChildProcess.kill`: on Deno it then counts as killed, whatever exit code it chose. */
  signal(name: NodeJS.Signals): void {
    if (!this.#ended) process.kill(this.pid, name);
  }

  /** Types into its terminal. */
  type(text: string): void {
    assert.ok(this.#inTerminal);
    this.#child.stdin?.write(text);
  }

  /** Waits for its end. */
  async ended(): Promise<CommandEnd> {
    const code = await this.#end;
    return { code, out: this.#out, err: this.#err };
  }

  [Symbol.dispose](): void {
    if (!this.#ended) this.#child.kill("SIGKILL");
  }
}

/** Runs a command to its end. */
export async function runCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandEnd> {
  using command = new CommandProcess(args, options);
  return await command.ended();
}

/** A folder for one test, with modules in it that find Arborio wherever they lie. */
export class ModuleFolder implements Disposable {
  readonly path: string = realpathSync(mkdtempSync(join(tmpdir(), "arborio-cli-")));

  /** Writes a file. In its text, `"arborio"`, `"@arborio/http"` with their entries, and `"hono"`, stand for where these packages are. */
  write(name: string, text: string): string {
    const path = join(this.path, name);
    const resolved = text.replace(
      /"((?:arborio|@arborio\/http|hono)(?:\/\w+)?)"/g,
      (_, entry: string) => JSON.stringify(import.meta.resolve(entry)),
    );
    writeFileSync(path, resolved);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

function sourceCondition(): string {
  return isCompiled() ? "" : "@arborio/source";
}

function isCompiled(): boolean {
  return import.meta.url.endsWith(".js");
}

function runtimeArgs(): string[] {
  const main = fileURLToPath(new URL(`../main.${isCompiled() ? "js" : "ts"}`, import.meta.url));
  if (isCompiled()) return [main];
  const source = "--conditions=@arborio/source";
  return "Deno" in globalThis
    ? ["run", "-A", "--no-check", "--no-lock", source, main]
    : [source, main];
}
