/** What tests of threads let workers do. */
import process from "node:process";
import { setTimeout } from "node:timers";
import { currentScope, sleep, sleepForever, TimeoutError } from "../index.ts";
import { checkCancelled, runInThread, transferred } from "../threads.ts";

/** Where this module is, in source or compiled. */
export const url: string = import.meta.url;

export function add(a: number, b: number): number {
  return a + b;
}

export function nothing(): void {}

export function sumOf(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum + byte, 0);
}

export function echo(value: unknown): unknown {
  return value;
}

export async function later(value: string): Promise<string> {
  await sleep(1);
  return value;
}

export default function defaultExport(): string {
  return "default";
}

/** An error class of a program's own. */
export class WorkError extends RangeError {
  readonly detail: { readonly at: number };

  constructor(message: string, at: number) {
    super(message);
    this.name = "WorkError";
    this.detail = { at };
  }

  describe(): string {
    return `at ${this.detail.at}`;
  }
}

export function fail(kind: "language" | "library" | "own" | "group" | "text" | "dom"): never {
  if (kind === "language") throw new RangeError("too far", { cause: new TypeError("why") });
  if (kind === "library") throw new TimeoutError("too late");
  if (kind === "own") throw new WorkError("own", 7);
  if (kind === "group") throw new AggregateError([new WorkError("one", 1), "two"], "both");
  if (kind === "dom") throw new DOMException("gone", "NotFoundError");
  throw "text";
}

export function exit(code: number): never {
  process.exit(code);
}

/** Something that nobody awaits fails while the call goes on. */
export async function failAside(how: "throw" | "reject"): Promise<void> {
  failSoon(how, 1);
  await sleepForever();
}

/** The same; a moment later the call would end well. */
export async function failAsideAndAnswer(how: "throw" | "reject"): Promise<string> {
  await new Promise<void>((resolve) => {
    setTimeout(() => {
      // First: a throw leaves this function.
      setTimeout(resolve, 10);
      if (how === "throw") throw new RangeError("aside");
      void Promise.reject(new RangeError("aside"));
    }, 1);
  });
  return "answer";
}

/** The same, after the call has ended. */
export function failSoon(how: "throw" | "reject", ms: number): void {
  setTimeout(() => {
    if (how === "throw") throw new RangeError("aside");
    void Promise.reject(new RangeError("aside"));
  }, ms);
}

/** Ends its thread when the call has ended: tells in memory that both sides see that it is about to, and waits there for anything else. */
export function exitSoon(place: Int32Array): void {
  setTimeout(() => {
    Atomics.store(place, 0, 1);
    Atomics.wait(place, 0, 1);
    process.exit(7);
  }, 1);
}

/** Keeps all that it makes. */
export function fillMemory(): never {
  const kept: number[][] = [];
  for (;;) kept.push(Array.from({ length: 10_000 }, Math.random));
}

export function loop(): never {
  for (;;);
}

/** Waits; tells in memory that both sides see where it is: 1 in the wait, 2 when it was left. */
export async function wait(place: Int32Array): Promise<void> {
  Atomics.store(place, 0, 1);
  Atomics.notify(place, 0);
  try {
    await sleepForever();
  } finally {
    Atomics.store(place, 0, 2);
  }
}

/** Works until it is cancelled. Tells as `wait` does. */
export function compute(place: Int32Array): never {
  Atomics.store(place, 0, 1);
  try {
    for (;;) checkCancelled();
  } finally {
    Atomics.store(place, 0, 2);
  }
}

/** Does not look at its cancellation until `place` is 3, then returns. */
export function holdOut(place: Int32Array): string {
  Atomics.store(place, 0, 1);
  while (Atomics.load(place, 0) !== 3);
  return "held out";
}

/** The same, and throws. */
export function holdOutAndFail(place: Int32Array): never {
  holdOut(place);
  throw new RangeError("late");
}

/** Counts how many work at once: the number in `places[0]`, the highest so far in `places[1]`. */
export function countAtOnce(places: Int32Array, ms: number): void {
  const now = Atomics.add(places, 0, 1) + 1;
  for (let seen = Atomics.load(places, 1); now > seen; seen = Atomics.load(places, 1))
    Atomics.compareExchange(places, 1, seen, now);
  const until = performance.now() + ms;
  while (performance.now() < until);
  Atomics.sub(places, 0, 1);
}

/** Two waits that nobody awaits in time: both are cancelled, and one rejection is never looked at. */
export async function floatWhenCancelled(place: Int32Array): Promise<void> {
  const [first, second] = [waitAside(), waitAside()];
  Atomics.store(place, 0, 1);
  await first;
  await second;
}

async function waitAside(): Promise<void> {
  await sleepForever();
}

export async function cancelItself(): Promise<void> {
  currentScope().cancel("enough");
  await sleepForever();
}

/** A thread's thread. */
export async function addInThread(a: number, b: number): Promise<number> {
  return await runInThread<number>(url, "add", { args: [a, b] });
}

export function notCloneable(): () => void {
  return () => {};
}

export function zeros(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  return transferred(bytes, [bytes.buffer]);
}

/** Every call of it in one worker counts on. */
let calls = 0;
export function countCalls(): number {
  return ++calls;
}

export function say(text: string, times: number): void {
  for (let i = 0; i < times; i++) console.log(text);
  console.error("and an error");
}

export const constant = 42;
