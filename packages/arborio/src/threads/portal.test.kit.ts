/** What tests of portals let other threads do. As the main module of a plain thread it does what `workerData` says. */
import process from "node:process";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { CancelScope, moveOnAfter, run, sleep, taskGroup, WouldBlock } from "../index.ts";
import { connectPortal, type PortalConnection, runInThread } from "../threads.ts";

/** An error class of a program's own. */
export class PortalError extends RangeError {
  readonly detail: number;

  constructor(message: string, detail: number) {
    super(message);
    this.name = "PortalError";
    this.detail = detail;
  }
}

/** What the tests' portals offer. */
export type Functions = {
  add(a: number, b: number): number;
  later(value: string): Promise<string>;
  fail(): never;
  forever(): Promise<void>;
  bad(): unknown;
};

const connect = (handle: MessagePort): PortalConnection<Functions> =>
  connectPortal<Functions>(handle, { errorClasses: [PortalError] });

async function nameOf(fn: () => unknown): Promise<string> {
  try {
    return String(await fn());
  } catch (error) {
    return (error as Error).name;
  }
}

export async function call(handle: MessagePort): Promise<unknown[]> {
  using portal = connect(handle);
  return [await portal.call("add", 1, 2), await portal.call("later", "x")];
}

export function callSync(handle: MessagePort): unknown[] {
  using portal = connect(handle);
  return [portal.callSync("add", 1, 2), portal.callSync("later", "x")];
}

export async function errors(handle: MessagePort): Promise<unknown[]> {
  using portal = connect(handle);
  const own = await portal.call("fail").catch((error: PortalError) => error);
  return [
    own instanceof PortalError,
    (own as PortalError).detail,
    await nameOf(() => portal.call("bad")),
    await nameOf(() => portal.call("nix" as "bad")),
    await nameOf(() => portal.call("later", (() => {}) as never)),
    await nameOf(() => portal.start("later", (() => {}) as never)),
    await nameOf(() => portal.callSync("fail")),
  ];
}

export async function start(handle: MessagePort): Promise<unknown[]> {
  using portal = connect(handle);
  const good = portal.start("later", "good");
  const bad = portal.start("fail");
  const long = portal.start("forever");
  const outcomes = [
    await good.result(),
    await nameOf(() => bad.result()),
    await bad.result().catch((error: Error) => error.cause instanceof PortalError),
    // Waiting shorter than the task does not touch it.
    await moveOnAfter(2, () => long.result()),
  ];
  long.cancel();
  return [...outcomes, await nameOf(() => long.result())];
}

export function startSync(handle: MessagePort): unknown[] {
  using portal = connect(handle);
  const good = portal.start("later", "good");
  const long = portal.start("forever");
  const value = good.resultSync();
  long.cancel();
  try {
    return [value, long.resultSync()];
  } catch (error) {
    return [value, (error as Error).name];
  }
}

/** Blocks no longer than its limit, and then goes on with the portal; tells in memory that both sides see where it is. */
export async function late(handle: MessagePort, place: Int32Array): Promise<unknown[]> {
  using portal = connectPortal<Functions>(handle, { timeoutMs: 20 });
  await portal.call("add", 1, 2);
  Atomics.store(place, 0, 1);
  const called = await nameOf(() => portal.callSync("forever"));
  const task = portal.start("forever");
  const waited = await nameOf(() => task.resultSync());
  Atomics.store(place, 0, 2);
  return [called, waited, await portal.call("later", "x")];
}

/** Starts a task and leaves it alone. */
export function startAndLeave(handle: MessagePort): void {
  using portal = connect(handle);
  portal.start("forever");
}

/** Calls, and gives up when another call has ended. */
export async function giveUp(handle: MessagePort): Promise<string> {
  using portal = connect(handle);
  const scope = new CancelScope();
  await taskGroup(async (group) => {
    group.startSoon(() => scope.run(() => portal.call("forever")));
    await portal.call("later", "x");
    scope.cancel();
  });
  return scope.cancelledCaught ? "gave up" : "came";
}

/** Ends its thread in the middle of a call. */
export async function die(handle: MessagePort): Promise<never> {
  const portal = connect(handle);
  void portal.call("forever").catch(() => {});
  portal.start("forever");
  await portal.call("later", "x");
  process.exit(3);
}

/** Closes the connection in the middle of a call. */
export async function closeDuring(handle: MessagePort): Promise<string[]> {
  const portal = connect(handle);
  const task = portal.start("forever");
  const outcomes = [nameOf(() => portal.call("forever")), nameOf(() => task.result())];
  await portal.call("later", "x");
  portal.close();
  portal.close();
  return [
    ...(await Promise.all(outcomes)),
    await nameOf(() => portal.call("later", "x")),
    await nameOf(() => portal.start("later", "x")),
    await nameOf(() => portal.handle()),
  ];
}

/** Goes on calling until that fails. */
export async function untilOver(handle: MessagePort): Promise<string[]> {
  using portal = connect(handle);
  const task = portal.start("forever");
  try {
    for (;;) await portal.call("add", 1, 2);
  } catch (error) {
    return [(error as Error).name, await nameOf(() => task.result())];
  }
}

/** Gives a handle of its own on to another thread. */
export async function passOn(handle: MessagePort, module: string): Promise<unknown> {
  using portal = connect(handle);
  const next = portal.handle();
  return await runInThread(module, "call", { args: [next], transfer: [next] });
}

export async function startTooMany(handle: MessagePort, count: number): Promise<boolean> {
  using portal = connect(handle);
  const tasks = Array.from({ length: count }, () => portal.start("forever"));
  try {
    portal.start("forever");
    return false;
  } catch (error) {
    return error instanceof WouldBlock;
  } finally {
    for (const task of tasks) task.cancel();
  }
}

/** Several calls from tasks of a run of this thread's own. */
async function ownRun(handle: MessagePort): Promise<unknown> {
  return await run(async () => {
    using portal = connect(handle);
    const sums: number[] = [];
    await taskGroup(async (group) => {
      for (let n = 0; n < 5; n++)
        group.startSoon(async () => void sums.push(await portal.call("add", n, n)));
    });
    await sleep(1);
    return sums.sort((a, b) => a - b);
  });
}

interface PlainData {
  readonly plainPortal?: "own run" | "call" | "callSync";
  readonly handle: MessagePort;
}

const plain = workerData as PlainData | undefined;
if (!isMainThread && plain?.plainPortal !== undefined) {
  const fns = { "own run": ownRun, call, callSync };
  parentPort?.postMessage(await fns[plain.plainPortal](plain.handle));
}
