import { SystemError } from "../../core/errors.ts";
import { currentBackend } from "../../platform/capabilities.ts";
import { shellCommand } from "../../process/command.ts";
import { openProcess } from "../../process/open-process.ts";
import { runProcess } from "../../process/run-process.ts";
import { standardInput, standardOutput } from "../../process/standard-streams.ts";
import type { SimulatedProgram } from "../../sim/processes/program.ts";
import { simulatedWorld } from "../../sim/world.ts";
import { moveOnAfter, sleep, sleepForever } from "../../sync/timeouts.ts";
import { expect, type Probe, type ProbeArea } from "./probe.test.kit.ts";

/** Far more than a pipe holds, in bytes. */
const MUCH_BYTES = 1_000_000;

const SLOW_COUNT = shellCommand("sleep 0.2; wc -c");

/** What stands for these programs in the simulator. */
const programs: Readonly<Record<string, SimulatedProgram>> = {
  false: () => 1,
  sleep: () => sleepForever(),
  "/bin/sh": async ({ command }) => {
    if (command[2] !== SLOW_COUNT[2]) return;
    await sleep(200);
    let count = 0;
    for await (const chunk of standardInput()) count += chunk.length;
    await standardOutput().send(new TextEncoder().encode(String(count)));
  },
};

function probe(feature: string, check: () => Promise<void>): Probe {
  return {
    feature,
    async check() {
      if (currentBackend().name === "simulator") {
        const { localhost } = simulatedWorld();
        for (const [name, program] of Object.entries(programs)) localhost.program(name, program);
      }
      await check();
    },
  };
}

export const processes: ProbeArea = {
  title: "Processes",
  probes: [
    probe("`openProcess`, `runProcess`; exit codes are told from signals", async () => {
      const { exit } = await runProcess(["false"], { check: false });
      await using child = await openProcess(["sleep", "1000"]);
      const stopped = await child.stop();
      expect(exit.code === 1 && stopped.signal === "SIGTERM", "they are not");
    }),
    probe("`stdin`, `stdout`, `stderr` may be descriptors", async () => {
      try {
        await using child = await openProcess(["sleep", "1000"], { stdout: 2 });
        child.kill();
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        expect(false, "it has none: `SystemError`, `EBADF`");
      }
    }),
    probe('`sendSignal("SIGSTOP")`', async () => {
      await using child = await openProcess(["sleep", "1000"]);
      child.sendSignal("SIGSTOP");
    }),
    probe("of a `send` that is cancelled, what the process has not taken stays back", async () => {
      await using child = await openProcess(SLOW_COUNT, { stdin: "pipe" });
      await moveOnAfter(50, () => child.stdin.send(new Uint8Array(MUCH_BYTES)));
      child.stdin.close();
      let text = "";
      for await (const chunk of child.stdout) text += new TextDecoder().decode(chunk);
      expect(Number(text) < MUCH_BYTES, "it goes out all the same");
    }),
    probe("a process may open its own pipe anew (`/dev/stdout`)", async () => {
      const { exit } = await runProcess(shellCommand("exec 2>&-; : > /dev/stdout"), {
        check: false,
      });
      expect(exit.code === 0, "it cannot: the pipe is a pair of sockets");
    }),
  ],
};
