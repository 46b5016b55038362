import { constants } from "node:os";
import process from "node:process";
import { lazily } from "./builtin.ts";

const fs = lazily("node:fs");

/** @throws RangeError if there is no such signal. Bun would take it for SIGTERM. */
export function requireSignal(name: string): void {
  if (Object.hasOwn(constants.signals, name)) return;
  throw new RangeError(
    `sendSignal: got ${JSON.stringify(name)}, needs the name of a signal such as "SIGHUP"`,
  );
}

/** Sends a signal to a process, or with a negative number to a group. Nothing happens if nobody is there to get it. */
export function sendSignal(target: number, name: string): void {
  tryKill(target, name);
}

/** Whether the system knows of a process in a group, be it one that has ended and that nobody has reaped yet. */
export function hasMember(group: number): boolean {
  return tryKill(-group, 0);
}

/**
 * That nobody is there is the usual answer, and nobody sees where it was asked: without its stack it costs a quarter. Where `Error` is
 * frozen, it has one.
 */
function tryKill(target: number, signal: string | number): boolean {
  const { stackTraceLimit } = Error;
  Reflect.set(Error, "stackTraceLimit", 0);
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    const { code } = error as { code?: unknown };
    // EPERM: all that is left belongs to another user, to whom this one can do nothing.
    if (code === "ESRCH" || code === "EPERM") return false;
    throw error;
  } finally {
    Reflect.set(Error, "stackTraceLimit", stackTraceLimit);
  }
}

/**
 * Whether a process in a group runs. A container whose first process does not reap has the orphans of a group as zombies for ever, and
 * the system counts them as members. Linux shows who is one, but looking through all processes takes a few milliseconds.
 */
export function hasLivingMember(group: number): boolean {
  if (!mayLook()) return true;
  let names: string[];
  try {
    names = fs().readdirSync("/proc");
  } catch {
    return true; // not Linux, or not allowed
  }
  return (
    !names.includes("self") || names.some((name) => /^\d+$/.test(name) && isLiving(name, group))
  );
}

interface DenoPermissions {
  querySync(descriptor: { name: "read"; path: string }): { readonly state: string };
}

/** Deno would ask the user. */
function mayLook(): boolean {
  const { Deno: deno } = globalThis as { Deno?: { readonly permissions: DenoPermissions } };
  return (
    deno === undefined ||
    deno.permissions.querySync({ name: "read", path: "/proc" }).state === "granted"
  );
}

function isLiving(pid: string, group: number): boolean {
  try {
    const stat = fs().readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name of the program is in parentheses, and may contain anything.
    const [state = "", , memberOf] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(memberOf) === group && !"ZX".includes(state);
  } catch {
    return false; // gone meanwhile
  }
}
