/**
 * That no child outlives this process: whatever is still running is killed when this process ends in a way that it can notice. The
 * listeners are there only while there are children.
 *
 * Its weak points: after SIGKILL, or a crash in native code, nothing of this runs. And a signal that somebody else listens for is theirs:
 * they decide whether the process ends; if it does by `exit`, that is noticed.
 */
import process from "node:process";
import { outsideContext } from "./ambient.ts";

/** A process that was started. */
export interface LeftProcess {
  /** Whether something of it still runs. */
  isAlive(): boolean;
  /** Kills at once all that still runs of it. */
  killNow(): void;
}

/** Those signals by which people and systems end a program, and whose default ends it. */
const ENDING: readonly string[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

/**
 * Time between two looks at groups whose first process has ended, in milliseconds: once such a group is empty the system may give its
 * number to another, which must not be signalled.
 */
const LOOK_MS = 1000;

const left: Set<LeftProcess> = new Set();
let stopWatching: (() => void) | null = null;
/** Whether that will be asked in the next turn. */
let stopping = false;
/** Those whose first process has ended. */
const headless: Set<LeftProcess> = new Set();
let looking: NodeJS.Timeout | null = null;

/** How this process learns that it ends, beside signals; calls `ending` then, until the returned function is called. */
export type WatchEnd = (ending: () => void) => () => void;

/** On Node and Bun: the event comes also after an uncaught error. */
export const watchExitEvent: WatchEnd = (ending) => {
  process.on("exit", ending);
  return () => void process.removeListener("exit", ending);
};

/** How many processes are about to be started. */
let starting = 0;

/**
 * Starts a process. The listeners are there before it: a signal that comes while it is being started finds them, and is handled when
 * `start` has returned.
 */
export function startWatched<T>(watchEnd: WatchEnd, start: () => T): T {
  stopWatching ??= outsideContext(() => watch(watchEnd));
  starting += 1;
  try {
    return start();
  } finally {
    starting -= 1;
    stopSoonIfUnneeded();
  }
}

/** From now on this process does not leave `one` behind. To be called within `startWatched`. */
export function keepFromLeaving(one: LeftProcess): void {
  left.add(one);
}

/** Its first process has ended; if nobody else of its group is left, it is forgotten. */
export function headHasEnded(one: LeftProcess): void {
  if (!one.isAlive()) {
    forget(one);
    return;
  }
  headless.add(one);
  looking ??= outsideContext(() => setInterval(look, LOOK_MS).unref());
}

/** Nothing of it runs any more. */
export function forget(one: LeftProcess): void {
  left.delete(one);
  headless.delete(one);
  if (headless.size === 0 && looking !== null) {
    clearInterval(looking);
    looking = null;
  }
  stopSoonIfUnneeded();
}

/** In the next turn, since a program that runs others one after another starts the next one in this: to listen costs 0.1 ms. */
function stopSoonIfUnneeded(): void {
  if (isNeeded() || stopping) return;
  stopping = true;
  outsideContext(() => setImmediate(stopIfUnneeded));
}

function stopIfUnneeded(): void {
  stopping = false;
  if (isNeeded()) return;
  stopWatching?.();
  stopWatching = null;
}

function isNeeded(): boolean {
  return left.size > 0 || starting > 0;
}

function look(): void {
  for (const one of headless) if (!one.isAlive()) forget(one);
}

function killAll(): void {
  for (const one of left) one.killNow();
}

function watch(watchEnd: WatchEnd): () => void {
  const stops = [watchEnd(killAll), ...ENDING.map(watchSignal)];
  return () => {
    for (const stop of stops) stop();
  };
}

/** If nobody else listens for the signal, it does what it would have done without this listener. */
function watchSignal(name: string): () => void {
  const listener = (): void => {
    if (process.listenerCount(name) > 1) return;
    killAll();
    stop();
    process.kill(process.pid, name);
  };
  const stop = (): void => void process.removeListener(name, listener);
  process.on(name, listener);
  return stop;
}
