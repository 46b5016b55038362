import process from "node:process";
import { SystemError } from "../../core/errors.ts";
import type { Processes } from "../../platform/processes.ts";
import type { WatchEnd } from "../shared/left-processes.ts";
import { createProcesses } from "../shared/node-processes.ts";

/**
 * The event "exit" does not come after an uncaught error, nor after `Deno.exit` (seen with 2.9.5). These three tell everything:
 * the end of the program, an error that somebody threw, and a rejection that nobody handled.
 *
 * Its weak point: an error that a listener takes which was added later than the first process.
 */
export const watchDenoEnd: WatchEnd = (ending) => {
  const onError = (event: Event): void => {
    if (!event.defaultPrevented) ending();
  };
  // It comes for errors that are thrown too, but before anybody could take them.
  const onUncaught = (_error: Error, origin: string): void => {
    if (origin === "unhandledRejection" && process.listenerCount("uncaughtException") === 0)
      ending();
  };
  globalThis.addEventListener("unload", ending);
  globalThis.addEventListener("error", onError);
  process.on("uncaughtExceptionMonitor", onUncaught);
  return () => {
    globalThis.removeEventListener("unload", ending);
    globalThis.removeEventListener("error", onError);
    process.removeListener("uncaughtExceptionMonitor", onUncaught);
  };
};

const processes: Processes = createProcesses({ watchEnd: watchDenoEnd });

/** As on Node, but for how the end of this process is noticed, and for the permission to end others. */
export const denoProcesses: Processes = {
  start(command, completion) {
    if (maySignal()) return processes.start(command, completion);
    let withdrawn = false;
    queueMicrotask(() => {
      if (!withdrawn) completion.fail(mayNotSignal(command.program));
    });
    return () => {
      withdrawn = true;
    };
  },
};

interface DenoPermissions {
  querySync(descriptor: { name: "run" }): { readonly state: string };
  requestSync(descriptor: { name: "run" }): { readonly state: string };
}

/** @throws SystemError if a process could be started, but not ended. */
export function denoMayStart(what: string): void {
  if (!maySignal()) throw mayNotSignal(what);
}

/** Whether a process can be ended: to send signals, Deno wants the permission to run everything. If it can, it asks the user. */
function maySignal(): boolean {
  const { permissions } = (globalThis as unknown as { Deno: { permissions: DenoPermissions } })
    .Deno;
  if (permissions.querySync({ name: "run" }).state === "granted") return true;
  return permissions.requestSync({ name: "run" }).state === "granted";
}

function mayNotSignal(program: string): SystemError {
  return new SystemError(
    `start ${JSON.stringify(program)}: Deno lets nobody send signals without --allow-run for all programs, ` +
      "and a process that cannot be ended is not started; run again with --allow-run (EPERM)",
    "EPERM",
  );
}
