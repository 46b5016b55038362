import { type Handler, openServer, patchGlobalRequest, patchGlobalResponse } from "@arborio/http";
import { Event, run, sleep, sleepForever, soft, SystemError, type TaskGroup } from "arborio";
import { startSystemTask } from "arborio/lowlevel";
import { CommandError, UsageError } from "../command-error.ts";
import { findModule, loadModule } from "../host/load-module.ts";
import type { Shell } from "../host/shell.ts";
import { startDevChecks } from "../run/dev-checks.ts";
import { chooseHandler } from "./choose-handler.ts";
import { announce, type Listening, listeningOf } from "./listening.ts";
import { type ServeFileOptions, serverOptions } from "./serve-options.ts";

/** Requests that were cancelled have so long to end, in milliseconds: cleaning up must be quick by then. `--dev` names them before. */
const SPARE_MS = 3_000;

/**
 * Serves a module's handler until a signal ends it.
 *
 * @returns the exit code: 0 if all requests could finish.
 * @throws UsageError, CommandError if it cannot; InterruptedError if requests were cut short; whatever the module throws.
 */
export async function serveFile(options: ServeFileOptions, shell: Shell): Promise<number> {
  const { json, dev, graceMs, drainMs } = options;
  const handler = await loadHandler(options.file);
  using guard = shell.guardSignals();
  await run(
    async (group) => {
      if (dev) startDevChecks(shell, group);
      exitIfStuck(group, () => {
        shell.warn("arborio: what was cancelled does not end; the process ends without it");
        guard.exit();
      });
      await serveHandler(handler, options, { shell, group }, (listening) =>
        announce(shell, listening, json),
      );
    },
    { graceMs: graceMs + drainMs, dev, name: "serve" },
  );
  return 0;
}

/** A handler that waits for a promise that is not Arborio's cannot be cancelled: whoever stops the server would wait for it for ever. */
function exitIfStuck(group: TaskGroup, exit: () => void): void {
  const cancelled = new Event();
  const watch = async (): Promise<void> => {
    try {
      await sleepForever();
    } finally {
      cancelled.set();
    }
  };
  group.startSoon(watch, { daemon: true, name: "watch for the end" });
  // Ends with the run, at any time.
  const exitLater = async (): Promise<void> => {
    await cancelled.wait();
    await sleep(SPARE_MS);
    exit();
  };
  startSystemTask(exitLater, { name: "end in any case" });
}

/**
 * The handler of a module. Frameworks use the global `Request` and `Response`: this process is theirs, so both are what the server is quick
 * with, before anything of the module runs.
 *
 * @throws UsageError if there is none; whatever the module throws. */
export async function loadHandler(file: string): Promise<Handler> {
  const path = findModule(file);
  patchGlobalRequest();
  patchGlobalResponse();
  return chooseHandler(file, await loadModule(path));
}

/** Serves in this process, until a shutdown of the group ends it. */
export async function serveHandler(
  handler: Handler,
  options: ServeFileOptions,
  { shell, group }: { readonly shell: Shell; readonly group: TaskGroup },
  onListening: (listening: Listening) => void,
): Promise<void> {
  await using server = await opened(handler, await serverOptions(options, shell));
  onListening(listeningOf(server));
  const { graceMs } = options;
  group.startSoon(
    async () => {
      await soft(() => sleepForever());
      const { connectionsActive } = server.statistics();
      if (connectionsActive > 0)
        shell.warn(
          `arborio: stopping: what goes on (${connectionsActive}) has ${graceMs / 1000} s to end`,
        );
    },
    { daemon: true, name: "announce stopping" },
  );
  await server.ended();
}

type Opened = ReturnType<typeof openServer>;

async function opened(...args: Parameters<typeof openServer>): Opened {
  try {
    return await openServer(...args);
  } catch (error) {
    // What the command line said, in the words of the library.
    if (error instanceof TypeError || error instanceof RangeError)
      throw new UsageError(error.message);
    if (error instanceof SystemError) throw new CommandError(error.message);
    throw error;
  }
}
