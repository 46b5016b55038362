/**
 * Signals through `process.on`. One listener for each signal, however many want it: hosts warn of a leak when there are more than
 * ten.
 */
import { constants } from "node:os";
import process from "node:process";
import type { Signals } from "../../platform/signals.ts";

type Received = (name: string) => void;

export const nodeSignals: Signals = {
  listen(names, received) {
    const stops: (() => void)[] = [];
    const stop = (): void => {
      for (const one of stops.splice(0)) one();
    };
    try {
      for (const name of new Set(names)) stops.push(listenTo(name, received));
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  },
  raise(name) {
    process.kill(process.pid, name);
  },
  numberOf,
};

/** The system lets no program catch the first two. The others tell of a fault in this one, which would only meet it again. */
const NEVER: readonly string[] = ["SIGKILL", "SIGSTOP", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV"];

/**
 * Runtimes ignore it from the start, so that writing to a connection that is gone is an error and not the end of the process. When
 * its last listener goes they restore the system's default, which ends the process at the next such write. So it keeps its listener.
 */
const IGNORED = "SIGPIPE";

interface WatchedSignal {
  readonly receivers: Set<Received>;
  readonly listener: () => void;
}

const watched: Map<string, WatchedSignal> = new Map();

function listenTo(name: string, received: Received): () => void {
  const { receivers, listener } = watched.get(name) ?? watch(name);
  // Its own function for each call: the same `received` may listen twice.
  const one: Received = (arrived) => received(arrived);
  receivers.add(one);
  return () => {
    receivers.delete(one);
    if (name === IGNORED) return;
    if (receivers.size > 0 || watched.get(name)?.receivers !== receivers) return;
    process.removeListener(name, listener);
    watched.delete(name);
  };
}

function watch(name: string): WatchedSignal {
  // Node and Bun take any name for that of some event, and Bun takes SIGKILL.
  if (numberOf(name) === 0) throw new RangeError(`got "${name}", which is no signal here`);
  if (NEVER.includes(name)) throw new RangeError(`got "${name}", which no program can handle`);
  const receivers: Set<Received> = new Set();
  const listener = (): void => {
    for (const received of receivers) received(name);
  };
  process.on(name, listener);
  const signal = { receivers, listener };
  watched.set(name, signal);
  return signal;
}

function numberOf(name: string): number {
  return Object.hasOwn(constants.signals, name)
    ? (constants.signals as Record<string, number>)[name]!
    : 0;
}
