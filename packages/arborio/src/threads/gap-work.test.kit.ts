/** What the probes of threads let workers do. */
import { fromThread } from "./from-thread.ts";

/** Where this module is, in source or compiled. */
export const url: string = import.meta.url;

export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

export function askBlocking(): number {
  return fromThread.of<{ question(): number }>().runSync("question");
}
