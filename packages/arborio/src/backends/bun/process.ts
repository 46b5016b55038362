import process from "node:process";
import type { HostProcess } from "../../platform/backend.ts";
import { keepAlive, warn } from "../shared/process.ts";

/** Bun calls listeners natively, so events cannot be intercepted as on Node; a listener has to stand in for Bun's default. */
export const bunProcess: HostProcess = {
  keepAlive,
  warn,
  filterUnhandledRejections(drop) {
    const listener = (reason: unknown): void => {
      if (drop(reason) || process.listenerCount("unhandledRejection") > 1) return;
      throw reason;
    };
    process.on("unhandledRejection", listener);
    return () => process.removeListener("unhandledRejection", listener);
  },
  exitQuietlyIfUnhandled(error, code) {
    const events = ["unhandledRejection", "uncaughtException"];
    const listener = (thrown: unknown): void => {
      if (thrown === error) process.exit(code);
      if (events.every((event) => process.listenerCount(event) <= 1)) throw thrown;
    };
    for (const event of events) process.on(event, listener);
    setImmediate(() =>
      setImmediate(() => {
        for (const event of events) process.removeListener(event, listener);
      }),
    );
  },
};
