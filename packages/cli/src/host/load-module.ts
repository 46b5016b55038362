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
 * @throws UsageError if this runtime takes no such file; whatever is wrong with the module, or it throws.
 */
export async function loadModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!isUnknownKind(error, path)) throw error;
    const advice = /\.[cm]?ts$/.test(path)
      ? "; for TypeScript it needs to be 22.18 or later; Bun and Deno take it too"
      : "; it needs JavaScript or TypeScript: .js, .mjs, .cjs, .ts, .mts or .cts";
    throw new UsageError(
      `${path}: Node ${process.versions.node} does not take this kind of file${advice}`,
    );
  }
}

/** Whether Node says so of this file, and not of one that is imported by it. */
function isUnknownKind(error: unknown, path: string): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === "ERR_UNKNOWN_FILE_EXTENSION" && String(message).endsWith(` for ${path}`);
}
