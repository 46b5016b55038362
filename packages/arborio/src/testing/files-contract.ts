import { requireFunction } from "../core/arguments.ts";
import { currentBackend } from "../platform/capabilities.ts";
import type { Files } from "../platform/files.ts";
import { changes } from "./files-contract/changes.ts";
import { contents } from "./files-contract/contents.ts";
import { directories } from "./files-contract/directories.ts";
import { links } from "./files-contract/links.ts";
import { locks } from "./files-contract/locks.ts";
import { looking } from "./files-contract/looking.ts";
import { opening } from "./files-contract/opening.ts";
import { permissions } from "./files-contract/permissions.ts";
import { renaming } from "./files-contract/renaming.ts";
import { Bench, type FilesCheck } from "./files-contract/suite.ts";
import { watching } from "./files-contract/watching.ts";

/** Runs one test. Its body must run inside `run`, on the backend whose files they are: what `onEveryBackend` returns will do. */
export type FilesTest = (title: string, body: () => Promise<void>) => unknown;

const checks: readonly FilesCheck[] = [
  ...opening,
  ...contents,
  ...looking,
  ...changes,
  ...renaming,
  ...links,
  ...watching,
];

/**
 * @internal What `platform/files.ts` promises, and what Linux makes of it, as tests for any `Files`. They use nothing but the contract,
 * in a new directory below the temporary one.
 */
export function filesContract(test: FilesTest, files: () => Files): void {
  define("filesContract", test, files, checks);
}

/** @internal `filesContract` for directories that are open, where the system has a way. */
export function openDirectoriesContract(test: FilesTest, files: () => Files): void {
  define("openDirectoriesContract", test, files, directories);
}

/** @internal `filesContract` for advisory locks, where the system has what they need. */
export function fileLocksContract(test: FilesTest, files: () => Files): void {
  define("fileLocksContract", test, files, locks);
}

/** @internal `filesContract` for what permission bits refuse, to programs that are not root. */
export function filePermissionsContract(test: FilesTest, files: () => Files): void {
  define("filePermissionsContract", test, files, permissions);
}

function define(
  where: string,
  test: FilesTest,
  files: () => Files,
  list: readonly FilesCheck[],
): void {
  requireFunction(where, test);
  requireFunction(where, files);
  for (const { title, body } of list) {
    test(title, async () => {
      const name = Math.floor(currentBackend().entropy.random() * 2 ** 48).toString(36);
      const bench = await Bench.open(files(), `arborio-contract-${name}`);
      try {
        await body(bench);
      } finally {
        await bench.close();
      }
    });
  }
}
