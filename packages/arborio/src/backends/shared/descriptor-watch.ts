/**
 * Tells who listens that the process has run out of descriptors. The runtimes do not: Node takes the connections and drops them, Bun
 * tries again all the time, and Deno gives up without a word. So somebody has to look.
 */
import { devNull } from "node:os";
import { outsideContext } from "./ambient.ts";
import { lazily } from "./builtin.ts";

const fs = lazily("node:fs");

/** Time between two looks, in milliseconds: seldom enough to cost nothing, often enough for somebody who reads logs. */
const LOOK_MS = 1000;

/** Who wants to know. */
export interface DescriptorWatcher {
  /** There is none left for another connection. Called at each look. */
  exhausted(error: unknown): void;
  /** Somebody has looked, whatever was seen. */
  looked?(): void;
}

const watchers: Set<DescriptorWatcher> = new Set();
let timer: NodeJS.Timeout | null = null;

/** Looks until the returned function is called. Keeps no process alive. */
export function watchDescriptors(watcher: DescriptorWatcher): () => void {
  watchers.add(watcher);
  timer ??= outsideContext(() => setInterval(look, LOOK_MS).unref());
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

function look(): void {
  const error = tryToOpen();
  for (const watcher of watchers) {
    if (isExhaustion(error)) watcher.exhausted(error);
    watcher.looked?.();
  }
}

interface DenoPermissions {
  querySync(descriptor: { name: "read"; path: string }): { readonly state: string };
}

/** Deno asks the user, who would be asked again and again, unless it was told before that it may. */
function mayOpen(): boolean {
  const { Deno: deno } = globalThis as { Deno?: { readonly permissions: DenoPermissions } };
  return deno?.permissions.querySync({ name: "read", path: devNull }).state !== "prompt";
}

/** What one gets who opens a file: nothing, or an error. */
function tryToOpen(): unknown {
  if (!mayOpen()) return null;
  try {
    fs().closeSync(fs().openSync(devNull, "r"));
    return null;
  } catch (error) {
    return error;
  }
}

function isExhaustion(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === "EMFILE" || code === "ENFILE";
}
