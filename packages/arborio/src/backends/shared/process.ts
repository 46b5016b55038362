import { constants } from "node:os";
import process from "node:process";

/** Longest interval a host takes; the timer only keeps the process alive. */
const INTERVAL_MS = 2 ** 31 - 1;

export function keepAlive(): () => void {
  const timer = setInterval(() => {}, INTERVAL_MS);
  return () => clearInterval(timer);
}

type Received = (name: string) => void;

/** One listener for each signal, since hosts warn of a leak when there are more than ten; and who it tells. */
interface WatchedSignal {
  readonly receivers: Set<Received>;
  readonly listener: () => void;
}

const watched: Map<string, WatchedSignal> = new Map();

export function onSignals(names: readonly string[], received: Received): () => void {
  const stops: (() => void)[] = [];
  const stop = (): void => {
    for (const one of stops) one();
  };
  for (const name of new Set(names)) {
    try {
      stops.push(onSignal(name, received));
    } catch (error) {
      stop();
      throw new RangeError(`run({ signals }): no program can handle ${name} here`, {
        cause: error,
      });
    }
  }
  return stop;
}

function onSignal(name: string, received: Received): () => void {
  const { receivers, listener } = watched.get(name) ?? watch(name);
  receivers.add(received);
  return () => {
    receivers.delete(received);
    if (receivers.size > 0) return;
    process.removeListener(name, listener);
    watched.delete(name);
  };
}

function watch(name: string): WatchedSignal {
  const receivers: Set<Received> = new Set();
  const listener = (): void => {
    for (const received of receivers) received(name);
  };
  process.on(name, listener);
  const signal = { receivers, listener };
  watched.set(name, signal);
  return signal;
}

export function signalNumber(name: string): number {
  return (constants.signals as Record<string, number | undefined>)[name] ?? 0;
}

export function warn(message: string): void {
  process.stderr.write(`${message}\n`);
}
