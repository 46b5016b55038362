/**
 * Compiles packages with `tsc`.
 *
 * `dist/` is what is published. `.compiled/` is the same compiler's output with the tests beside it, as a package of its
 * own (its package.json is a copy): there a test, and what it imports by any route, is one and the same set of modules.
 */

import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "./command.ts";
import { findFiles, packageFolders, root } from "./workspace.ts";

/** Emits `dist/` of every package, after deleting the old one. */
export async function buildPackages(options: { readonly typeCheck: boolean }): Promise<void> {
  for (const folder of packageFolders()) {
    rmSync(join(root, folder, "dist"), { recursive: true, force: true });
    await tsc(["-p", `${folder}/tsconfig.build.json`, ...(options.typeCheck ? [] : ["--noCheck"])]);
  }
}

/** Emits packages and examples with their tests into git-ignored `.compiled/` folders, for runtimes that need JavaScript. */
export async function compileTests(): Promise<void> {
  for (const folder of packageFolders()) {
    const out = `${folder}/.compiled`;
    rmSync(join(root, out), { recursive: true, force: true });
    await tsc(["-p", folder, "--noCheck", "--noEmit", "false", "--outDir", `${out}/dist`]);
    cpSync(join(root, folder, "package.json"), join(root, out, "package.json"));
  }
  rmSync(join(root, "examples/.compiled"), { recursive: true, force: true });
  if (findFiles(["examples/**/*.test.ts"]).length === 0) return;
  const out = ["--rootDir", "examples", "--outDir", "examples/.compiled"];
  await tsc(["-p", "examples", "--noCheck", "--noEmit", "false", ...out]);
}

/** Where {@link compileTests} puts a source file. */
export function compiledPath(path: string): string {
  const js = path.replace(/\.ts$/, ".js");
  if (js.startsWith("examples/")) return js.replace("examples/", "examples/.compiled/");
  return js.replace(/^(packages\/[^/]+)\/src\//, "$1/.compiled/dist/");
}

async function tsc(args: string[]): Promise<void> {
  await mustRun(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...args]);
}
