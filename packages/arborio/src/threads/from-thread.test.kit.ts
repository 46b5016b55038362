/** What tests of callbacks let workers do. */
import process from "node:process";
import { CancelScope, checkpoint, shielded, sleepForever, taskGroup } from "../index.ts";
import { checkCancelled, fromThread, transferred } from "../threads.ts";

/** An error class of a program's own. */
export class LookupError extends RangeError {
  readonly key: string;

  constructor(key: string) {
    super(`no ${key}`);
    this.name = "LookupError";
    this.key = key;
  }
}

/** What the tests give. */
export type Callbacks = {
  progress(done: number): void;
  lookup(key: string): Promise<string>;
  forever(): Promise<void>;
  bytes(buffer: ArrayBuffer): number;
  bad(): unknown;
};

const caller = fromThread.of<Callbacks>({ errorClasses: [LookupError] });

export async function ask(key: string): Promise<string> {
  return await caller.run("lookup", key);
}

export function askSync(key: string): string {
  return caller.runSync("lookup", key);
}

/** Reports from the middle of a long computation. */
export function compute(steps: number): number {
  let sum = 0;
  for (let n = 1; n <= steps; n++) {
    sum += n;
    caller.runSync("progress", n / steps);
  }
  return sum;
}

export async function askMany(count: number): Promise<string[]> {
  return await Promise.all(Array.from({ length: count }, (_, n) => caller.run("lookup", `${n}`)));
}

/** Waits in a callback for ever, and says how that ended. */
export function waitSync(): string {
  try {
    caller.runSync("forever");
    return "returned";
  } catch (error) {
    caller.runSync("progress", 1);
    return (error as Error).name;
  }
}

/** The same, with a limit of time. */
export function waitSyncLimited(timeoutMs: number): string {
  try {
    fromThread.of<Callbacks>({ timeoutMs }).runSync("forever");
    return "returned";
  } catch (error) {
    return (error as Error).name;
  }
}

export function waitSyncRethrow(): void {
  caller.runSync("forever");
}

export async function wait(): Promise<void> {
  await caller.run("forever");
}

/** Gives up by itself, when another callback has ended. */
export async function giveUp(): Promise<string> {
  const scope = new CancelScope();
  await taskGroup(async (group) => {
    group.startSoon(() => scope.run(() => caller.run("forever")));
    await caller.run("lookup", "x");
    scope.cancel();
  });
  return scope.cancelledCaught ? "gave up" : "came";
}

/** Leaves a callback running. */
export async function leave(): Promise<string> {
  void caller.run("forever").catch(() => {});
  await caller.run("lookup", "x");
  return "left";
}

export async function errorOf(
  name: string,
  ...args: unknown[]
): Promise<{ name: string; message: string; own: boolean; key: unknown; stack: string }> {
  try {
    await caller.run(name as "lookup", ...(args as [string]));
  } catch (thrown) {
    const error = thrown as LookupError;
    return {
      name: error.name,
      message: error.message,
      own: error instanceof LookupError,
      key: error.key,
      stack: error.stack ?? "",
    };
  }
  throw new Error("it did not throw");
}

export function errorOfSync(name: string): string {
  try {
    return String(fromThread.runSync(name));
  } catch (error) {
    return (error as Error).name;
  }
}

export async function sendBytes(): Promise<readonly [number, number]> {
  const bytes = new Uint8Array(5);
  const { buffer } = transferred(bytes, [bytes.buffer]);
  const told = await caller.run("bytes", transferred(buffer, [buffer]));
  return [told, buffer.byteLength];
}

export async function sendFunction(): Promise<string> {
  try {
    await fromThread.run("lookup", () => {});
    return "sent";
  } catch (error) {
    return (error as Error).message;
  }
}

/** Goes on until it is cancelled, calling back all the time. */
export async function goOn(): Promise<void> {
  for (;;) {
    checkCancelled();
    await checkpoint();
    await caller.run("progress", 0);
  }
}

/** Calls back when nobody waits for it any more. */
export async function callAtLast(): Promise<void> {
  try {
    await caller.run("progress", 0);
    await sleepForever();
  } finally {
    await shielded(() => caller.run("lookup", "late"));
  }
}

export async function exitDuring(): Promise<void> {
  void caller.run("forever").catch(() => {});
  await caller.run("lookup", "x");
  process.exit(4);
}
