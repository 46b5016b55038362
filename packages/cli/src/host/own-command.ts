import process from "node:process";
import { fileURLToPath } from "node:url";

/** What of `Deno` is used here; it is there on Deno alone. */
interface DenoPermissions {
  readonly permissions: {
    querySync(descriptor: { readonly name: string }): { readonly state: string };
  };
}

/** Permissions of Deno, as its flags are named. */
const PERMISSIONS = ["env", "ffi", "import", "net", "read", "run", "sys", "write"] as const;

/** A debugger's port can be had only once. */
const DEBUGGER = /^--inspect/;

/**
 * How to start this command once more, on the same runtime, with the same options of the runtime as far as it tells them. On Deno that are
 * the permissions that this process has without restriction.
 */
export function ownCommand(args: readonly string[]): [program: string, ...args: string[]] {
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const main = fileURLToPath(new URL(`../main.${ending}`, import.meta.url));
  return [process.execPath, ...runtimeArgs(), main, ...args];
}

function runtimeArgs(): string[] {
  const deno = (globalThis as { Deno?: DenoPermissions }).Deno;
  if (deno === undefined) return process.execArgv.filter((arg) => !DEBUGGER.test(arg));
  const granted = PERMISSIONS.filter(
    (name) => deno.permissions.querySync({ name }).state === "granted",
  );
  return ["run", "--no-prompt", ...granted.map((name) => `--allow-${name}`)];
}
