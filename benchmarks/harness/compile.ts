/** Compiles C programs on first use, with the system's compiler. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readFile, rename } from "node:fs/promises";
import { basename } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Ignored by git. */
const folder = new URL("../.compiled/", import.meta.url);

/**
 * The program of a C source.
 *
 * Its name has the source's hash in it, so that a changed source is a new program.
 *
 * @returns its absolute path
 */
export async function compiled(source: string): Promise<string> {
  const hash = createHash("sha256")
    .update(await readFile(source))
    .digest("hex");
  const name = `${basename(source, ".c")}-${hash.slice(0, 12)}`;
  const program = fileURLToPath(new URL(name, folder));
  if (await exists(program)) return program;
  await mkdir(folder, { recursive: true });
  // Another run may compile the same: each writes its own file, and the last to be renamed stays.
  const unfinished = `${program}.${process.pid}`;
  await run("cc", ["-O2", "-Wall", "-Wextra", "-Werror", "-o", unfinished, source]);
  await rename(unfinished, program);
  return program;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
