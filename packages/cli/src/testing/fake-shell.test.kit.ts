import { runCommandLine } from "../command-line.ts";
import type { Shell } from "../host/shell.ts";

/** How a command line ended that was read in this process: for what needs no process of its own. */
export interface FakeEnd {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A shell without a process, and what was printed on it. */
export interface FakeShell {
  readonly shell: Shell;
  readonly printed: { out: string; err: string };
}

/** Makes one. */
export function createFakeShell(args: readonly string[]): FakeShell {
  const printed = { out: "", err: "" };
  const shell: Shell = {
    args,
    version: "1.2.3",
    environment: {},
    isTerminal: () => false,
    write: (text, stream = "output") => {
      if (stream === "output") printed.out += text;
      else printed.err += text;
    },
    warn: (line) => void (printed.err += `${line}\n`),
    paint: (_style, text) => text,
    openLiveArea: () => Promise.reject(new Error("there is no terminal")),
    takeVariable: () => undefined,
    setProgram: () => {},
    loseOutput: () => {},
    onOutputLost: () => {},
    guardSignals: () => ({ exit() {}, [Symbol.dispose]() {} }),
  };
  return { shell, printed };
}

/** Reads a command line, and does what it says, in this process. */
export async function commandLine(args: readonly string[]): Promise<FakeEnd> {
  const { shell, printed } = createFakeShell(args);
  const code = await runCommandLine(shell);
  return { code, ...printed };
}
