/** Installs the folders that are outside the workspaces (their dependencies are large) when a step needs them. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "./command.ts";
import { root } from "./workspace.ts";

interface LockFile {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly optional?: boolean }>
  >;
}

/** Runs `npm ci` in a folder unless what is installed there is what its lock file says. */
export async function ensureInstalled(folder: string): Promise<void> {
  const path = join(root, folder);
  if (isInstalled(path)) return;
  console.log(`Installing ${folder}/ (npm ci)`);
  await mustRun("npm", ["ci"], { cwd: path });
}

function isInstalled(path: string): boolean {
  const installedPath = join(path, "node_modules/.package-lock.json");
  if (!existsSync(installedPath)) return false;
  const wanted = readLock(join(path, "package-lock.json"));
  const installed = readLock(installedPath);
  const missing = Object.entries(wanted).some(
    ([name, entry]) => name !== "" && !entry.optional && installed[name]?.version !== entry.version,
  );
  const strange = Object.entries(installed).some(
    ([name, entry]) => wanted[name]?.version !== entry.version,
  );
  return !missing && !strange;
}

function readLock(path: string): LockFile["packages"] {
  return (JSON.parse(readFileSync(path, "utf8")) as LockFile).packages;
}
