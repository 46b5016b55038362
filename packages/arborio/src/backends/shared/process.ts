import { constants } from "node:os";
import process from "node:process";

/** Longest interval a host takes; the timer only keeps the process alive. */
const INTERVAL_MS = 2 ** 31 - 1;

export function keepAlive(): () => void {
  const timer = setInterval(() => {}, INTERVAL_MS);
  return () => clearInterval(timer);
}

export function onSignals(names: readonly string[], received: (name: string) => void): () => void {
  const listeners = names.map((name) => ({ name, listener: () => received(name) }));
  const stop = (): void => {
    for (const { name, listener } of listeners) process.removeListener(name, listener);
  };
  for (const { name, listener } of listeners) {
    try {
      process.on(name, listener);
    } catch (error) {
      stop();
      throw new RangeError(`run({ signals }): no program can handle ${name} here`, {
        cause: error,
      });
    }
  }
  return stop;
}

export function signalNumber(name: string): number {
  return (constants.signals as Record<string, number | undefined>)[name] ?? 0;
}

export function warn(message: string): void {
  process.stderr.write(`${message}\n`);
}
