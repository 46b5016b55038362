/** What tests of threads let workers do. */
import { checkpoint, sleep, sleepForever, TimeoutError } from "../index.ts";
import process from "node:process";
import { checkCancelled, transferred } from "../threads.ts";

export function add(a: number, b: number): number {
  return a + b;
}

export function nothing(): void {}

export async function later(value: string): Promise<string> {
  await sleep(1);
  return value;
}

/** An error class of a program's own. */
export class WorkError extends RangeError {
  readonly detail: { readonly at: number };

  constructor(message: string, at: number) {
    super(message);
    this.name = "WorkError";
    this.detail = { at };
  }
}

export function fail(kind: "language" | "library" | "own" | "group" | "text"): never {
  if (kind === "language") throw new RangeError("too far", { cause: new TypeError("why") });
  if (kind === "library") throw new TimeoutError("too late");
  if (kind === "own") throw new WorkError("own", 7);
  if (kind === "group") throw new AggregateError([new WorkError("one", 1), "two"], "both");
  throw "text";
}

export function exit(code: number): never {
  process.exit(code);
}

export function loop(): never {
  for (;;);
}

export async function wait(): Promise<void> {
  await sleepForever();
}

export function spin(ms: number): number {
  let rounds = 0;
  const end = performance.now() + ms;
  while (performance.now() < end) {
    checkCancelled();
    rounds++;
  }
  return rounds;
}

export async function give(): Promise<void> {
  await checkpoint();
}

export function notCloneable(): () => void {
  return () => {};
}

export function zeros(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  return transferred(bytes, [bytes.buffer]);
}

export const constant = 42;
