import process from "node:process";

/** Longest interval a host takes; the timer only keeps the process alive. */
const INTERVAL_MS = 2 ** 31 - 1;

export function keepAlive(): () => void {
  const timer = setInterval(() => {}, INTERVAL_MS);
  return () => clearInterval(timer);
}

export function warn(message: string): void {
  process.stderr.write(`${message}\n`);
}
