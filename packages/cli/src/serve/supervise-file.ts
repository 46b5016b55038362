import { run, SystemError } from "arborio";
import { listenTcp } from "arborio/net";
import { openSignalReceiver } from "arborio/process";
import { CommandError } from "../command-error.ts";
import { findModule } from "../host/load-module.ts";
import type { Shell } from "../host/shell.ts";
import { announce } from "./listening.ts";
import type { ServeFileOptions } from "./serve-options.ts";
import { Supervisor } from "./supervisor.ts";
import { workerProcesses } from "./worker-process.ts";

/** Workers end themselves when their grace is over, and have so long for it before it is done for them, in milliseconds. */
const SPARE_MS = 1_000;

/**
 * Serves a module's handler in several processes, until a signal ends them. SIGHUP replaces them one after the other.
 *
 * @returns the exit code: 0 if all requests could finish.
 * @throws as `serveFile`.
 */
export async function superviseFile(
  options: ServeFileOptions & { readonly workers: number },
  shell: Shell,
): Promise<number> {
  const { workers, json } = options;
  findModule(options.file);
  const graceMs = options.graceMs + options.drainMs + SPARE_MS;
  using _guard = shell.guardSignals();
  await run(
    async (group) => {
      await requireFreePort(options);
      const supervisor = new Supervisor({
        workers,
        graceMs,
        runWorker: workerProcesses(shell.args),
        say: (line) => shell.warn(`arborio: ${line}`),
      });
      const signals = openSignalReceiver(["SIGHUP"]);
      await supervisor.run((listening) => {
        announce(shell, listening, json);
        group.startSoon(
          async () => {
            using receiver = signals;
            for await (const _name of receiver) await supervisor.reload();
          },
          { daemon: true, name: "reload at SIGHUP" },
        );
      });
    },
    { graceMs, name: "supervisor" },
  );
  return 0;
}

/** Workers share their port with whoever wants to: with another server of the same user too, which would get a part of the requests. */
async function requireFreePort({ port, host }: ServeFileOptions): Promise<void> {
  if (port === undefined || port === 0) return;
  try {
    using _ = await listenTcp(port, host === undefined ? {} : { host });
  } catch (error) {
    if (error instanceof SystemError) throw new CommandError(error.message);
    throw error;
  }
}
