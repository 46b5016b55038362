import process from "node:process";
import type { Processes } from "../../platform/processes.ts";
import type { WatchEnd } from "../shared/left-processes.ts";
import { createProcesses } from "../shared/node-processes.ts";

/**
 * The event "exit" does not come after an uncaught error, nor after `Deno.exit` (seen with 2.9.5). These three tell everything:
 * the end of the program, an error that somebody threw, and a rejection that nobody handled.
 *
 * Its weak point: an error that a listener takes which was added later than the first process.
 */
const watchDenoEnd: WatchEnd = (ending) => {
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

/** As on Node, but for how the end of this process is noticed. */
export const denoProcesses: Processes = createProcesses({ watchEnd: watchDenoEnd });
