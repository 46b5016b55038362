/** Where things are in this repository, and which files a step works on. */

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The repository's folder. */
export const root: string = dirname(dirname(import.meta.dirname));

/** The folders of the published packages, relative to the repository. */
export function packageFolders(): string[] {
  return globSync("packages/*/package.json", { cwd: root }).map(dirname).sort();
}

/** Test files that every runtime runs: the packages' and the examples'. */
export function matrixTestFiles(): string[] {
  return findFiles(["packages/*/src/**/*.test.ts", "examples/**/*.test.ts"]);
}

/** Test files of the tooling itself: run once, on the repository's own Node. */
export function toolingTestFiles(): string[] {
  return findFiles(["scripts/**/*.test.ts", "benchmarks/**/*.test.ts"]);
}

/** Files matching glob patterns, sorted, without installed and generated ones. */
export function findFiles(patterns: string[]): string[] {
  return globSync(patterns, { cwd: root })
    .filter((path) => !/(^|\/)(node_modules|dist|\.compiled)\//.test(path))
    .sort();
}

/** Reads a JSON file of the repository. */
export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

/** Whether a path of the repository exists. */
export function exists(path: string): boolean {
  return existsSync(join(root, path));
}
