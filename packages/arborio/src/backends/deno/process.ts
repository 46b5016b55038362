import process from "node:process";
import type { HostProcess } from "../../platform/backend.ts";
import { keepAlive, warn } from "../shared/process.ts";

interface RejectionEvent extends Event {
  readonly reason: unknown;
}

export const denoProcess: HostProcess = {
  keepAlive,
  warn,
  filterUnhandledRejections(drop) {
    return onUnhandledRejection((event) => {
      if (!drop(event.reason)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    });
  },
  exitQuietlyIfUnhandled(error, code) {
    const stop = onUnhandledRejection((event) => {
      if (event.reason === error) process.exit(code);
    });
    setImmediate(() => setImmediate(stop));
  },
};

function onUnhandledRejection(listener: (event: RejectionEvent) => void): () => void {
  globalThis.addEventListener("unhandledrejection", listener as (event: Event) => void);
  return () =>
    globalThis.removeEventListener("unhandledrejection", listener as (event: Event) => void);
}
