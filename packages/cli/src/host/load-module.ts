import { statSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { UsageError } from "../command-error.ts";

/** The absolute path of a module's file. @throws UsageError if there is no such file. */
export function findModule(file: string): string {
  const path = resolve(file);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new UsageError(`${file}: there is no such file`);
  if (stats.isDirectory()) throw new UsageError(`${file}: this is a directory, not a module`);
  return path;
}

/**
 * Imports a module, TypeScript as far as the runtime takes it.
 *
 * @throws UsageError if this runtime takes no TypeScript; whatever is wrong with the module, or it throws.
 */
export async function loadModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_UNKNOWN_FILE_EXTENSION") throw error;
    throw new UsageError(
      `${path}: Node ${process.versions.node} does not take this kind of file; for TypeScript it needs to be 22.18 or later; Bun and Deno take it too`,
    );
  }
}
