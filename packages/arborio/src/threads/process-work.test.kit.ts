/** What tests of processes let workers do, beside `work.test.kit.ts`. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { sleep, sleepForever } from "../index.ts";
import { statOf } from "../process/processes.test.kit.ts";
import { checkCancelled, fromThread, runInProcess } from "../threads.ts";

/** Where this module is, in source or compiled. */
export const url: string = import.meta.url;

export interface Self {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly args: readonly string[];
  readonly input: string;
}

export function whoAmI(): Self {
  const stat = statOf(process.pid);
  return {
    pid: process.pid,
    parent: stat?.parent ?? 0,
    group: stat?.group ?? 0,
    args: process.argv.slice(2),
    input: readFileSync("/dev/stdin", "utf8"),
  };
}

/** Starts a program that nobody ends. */
export function startOther(): number {
  const child = spawn("sleep", ["1000"], { stdio: "ignore" });
  child.unref();
  return child.pid ?? 0;
}

/** Functions that go on for long tell by a file where they are. */
function tell(path: string, text: string): void {
  writeFileSync(path, text);
}

export async function untilTold(path: string, text: string): Promise<void> {
  while (!existsSync(path) || readFileSync(path, "utf8") !== text) await sleep(2);
}

export function loop(path: string): never {
  tell(path, "began");
  for (;;);
}

export function compute(path: string): never {
  tell(path, "began");
  try {
    for (;;) checkCancelled();
  } finally {
    tell(path, "left");
  }
}

export async function wait(path: string): Promise<void> {
  tell(path, "began");
  try {
    await sleepForever();
  } finally {
    tell(path, "left");
  }
}

export function kill(signal: NodeJS.Signals): Promise<void> {
  process.kill(process.pid, signal);
  return sleepForever();
}

/** What a program does that does not know whose process it is in. */
export async function closeChannel(): Promise<void> {
  process.disconnect?.();
  await sleepForever();
}

/** The same, for a parent that it takes for another's; and waits until that has come. */
export async function tellParent(): Promise<string> {
  process.send?.("ready");
  process.send?.({ kind: "ready" });
  return (await fromThread.run("heard")) as string;
}

export function print(lines: number): number {
  for (let line = 1; line <= lines; line++) console.log(`line ${line}`);
  return lines;
}

export function sharesMemory(views: readonly Uint8Array[]): boolean {
  return views.every(({ buffer }) => buffer === views[0]?.buffer);
}

export function reverse(bytes: Uint8Array): Uint8Array {
  return bytes.toReversed();
}

export async function nested(): Promise<number> {
  return await runInProcess<number>(url, "pidOf");
}

export function pidOf(): number {
  return process.pid;
}

/** Returns after a random time, or never, or ends its process. */
export async function anything(number: number): Promise<number> {
  if (number % 50 === 7) process.exit(number % 3);
  if (number % 11 === 5) for (;;);
  if (number % 3 === 0) await sleep(10 * Math.random());
  if (number % 7 === 2) startOther();
  return number;
}
