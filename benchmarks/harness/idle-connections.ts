/** How many connections a bench of idle ones can have here. */
import { openFilesMax } from "./process-figures.ts";
import type { MeasureOptions } from "./suite.ts";

/** Connections of a quick run. */
const QUICK_CONNECTIONS = 200;

/** Files that a process has open beside its connections. */
const OTHER_FILES = 100;

/** As many as wanted, or as many as a process may have files open; then a remark says so. */
export async function idleConnections(
  bench: string,
  wanted: number,
  { quick, remark }: MeasureOptions,
): Promise<number> {
  if (quick) return QUICK_CONNECTIONS;
  const filesMax = await openFilesMax();
  if (filesMax >= wanted + OTHER_FILES) return wanted;
  const possible = filesMax - OTHER_FILES;
  remark(
    `${bench}: ${possible} connections, not ${wanted}: a process may have ${filesMax} files open`,
  );
  return possible;
}
