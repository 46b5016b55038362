/** Starts one case in a process of its own and reads what it prints. */
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import type { CaseReply, CaseRequest } from "./case.ts";
import type { Command } from "./suite.ts";

const run = promisify(execFile);

/** A case that takes longer is stuck, or far too large for a benchmark of minutes. */
const CASE_MS_MAX = 60_000;

/**
 * Node keeps here what it compiled: users run JavaScript, and Node's compiler of TypeScript would stay in memory, 30 MB of it, for which each
 * fork of a process pays. Filled by the first round.
 */
const COMPILED = join(tmpdir(), "arborio-benchmarks-compiled");

/** The last lines of a failure are enough to act on. */
export const STDERR_CHARS = 1200;

/** A case process failed, hung, or printed something else than its samples. */
export class CaseError extends Error {
  override readonly name = "CaseError";
}

/**
 * Runs one case.
 *
 * @returns nanoseconds or bytes per operation, one for each sample
 * @throws CaseError if the process fails or takes more than a minute
 */
export async function runCase(
  { command, args: script }: Command,
  request: CaseRequest,
): Promise<readonly number[]> {
  const args = [...script, JSON.stringify(request)];
  const env = { ...process.env, NO_COLOR: "1", NODE_COMPILE_CACHE: COMPILED };
  const options = { timeout: CASE_MS_MAX, env };
  const { stdout } = await run(command, args, options).catch((error: unknown) => {
    throw failureOf(error as ProcessFailure);
  });
  const line = stdout.trim().split("\n").at(-1) ?? "";
  return samplesIn(line);
}

interface ProcessFailure extends Error {
  readonly killed?: boolean;
  readonly stderr?: string;
}

function failureOf(error: ProcessFailure): CaseError {
  if (error.killed)
    return new CaseError(`not done after ${CASE_MS_MAX / 1000} s`, { cause: error });
  return new CaseError((error.stderr ?? error.message).trim().slice(-STDERR_CHARS), {
    cause: error,
  });
}

function samplesIn(line: string): readonly number[] {
  let samples: unknown;
  try {
    samples = (JSON.parse(line) as Partial<CaseReply>).samples;
  } catch (error) {
    throw new CaseError(`printed ${JSON.stringify(line)}, samples as JSON were needed`, {
      cause: error,
    });
  }
  if (!Array.isArray(samples) || samples.length === 0 || !samples.every(Number.isFinite)) {
    throw new CaseError(`printed ${line}, samples that are finite numbers were needed`);
  }
  return samples as number[];
}
