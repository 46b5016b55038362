import { runCommandLine } from "../command-line.ts";
import type { Shell } from "../host/shell.ts";

/** How a command line ended that was read in this process: for what needs no process of its own. */
export interface FakeEnd {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Reads a command line with a shell that keeps what is printed. */
export async function commandLine(args: readonly string[]): Promise<FakeEnd> {
  let [out, err] = ["", ""];
  const shell: Shell = {
    args,
    version: "1.2.3",
    environment: {},
    isTerminal: () => false,
    write: (text, stream = "output") => {
      if (stream === "output") out += text;
      else err += text;
    },
    warn: (line) => void (err += `${line}\n`),
    paint: (_style, text) => text,
    openLiveArea: () => Promise.reject(new Error("there is no terminal")),
    takeVariable: () => undefined,
    setProgram: () => {},
    loseOutput: () => {},
    onOutputLost: () => {},
    exitAtThirdSignal: () => () => {},
  };
  return { code: await runCommandLine(shell), out, err };
}
