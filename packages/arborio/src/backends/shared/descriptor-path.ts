import process from "node:process";
import { lazily } from "./builtin.ts";

const fs = lazily("node:fs");

/** Where Linux tells the path of what is open; `undefined` where nothing does. */
export function pathLinkOf(descriptor: number): string | undefined {
  return arePathsTold() ? linkOf(descriptor) : undefined;
}

/** Whether it does. */
export function arePathsTold(): boolean {
  return (pathsAreTold ??= findWhetherPathsAreTold());
}

function linkOf(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

let pathsAreTold: boolean | undefined;

/**
 * Whether the system tells the paths of descriptors, and this runtime's descriptors are the system's. Found by doing it, once, with a
 * file that is there for certain and that nobody exchanges.
 */
function findWhetherPathsAreTold(): boolean {
  if (!mayDoAll()) return false;
  try {
    const real = fs().realpathSync.native(process.execPath);
    const descriptor = fs().openSync(real, "r");
    try {
      return fs().readlinkSync(linkOf(descriptor)) === real;
    } finally {
      fs().closeSync(descriptor);
    }
  } catch {
    return false;
  }
}

interface DenoPermissions {
  querySync(descriptor: { name: string }): { readonly state: string };
}

/** Deno allows looking there only to who may do all, and asks the user else. */
function mayDoAll(): boolean {
  const { Deno: deno } = globalThis as { Deno?: { readonly permissions: DenoPermissions } };
  return ["read", "write", "net", "env", "run", "ffi", "sys"].every(
    (name) => deno === undefined || deno.permissions.querySync({ name }).state === "granted",
  );
}
