/** What Linux tells of a process, from outside of it. */
import { readFile, writeFile } from "node:fs/promises";

/** Ticks of the clock in `/proc/PID/stat`: 100 a second in the interface to programs, whatever the kernel's own clock. */
const TICK_NS = 1e9 / 100;

/** Where fields stand in `stat` after the process' name, which is in brackets and may hold blanks. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** CPU time of the process with all its threads, user and system, in nanoseconds. Moves in steps of 10 ms. */
export async function cpuNs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * TICK_NS;
}

/** Bytes of the process that are in memory. */
export function residentBytes(pid: number): Promise<number> {
  return statusBytes(pid, "VmRSS");
}

/** The most that `residentBytes` has been since the process began, or since `resetPeak`. */
export function peakBytes(pid: number): Promise<number> {
  return statusBytes(pid, "VmHWM");
}

/** Lets the peak begin anew with what is in memory now: proc(5), `/proc/PID/clear_refs`. */
export async function resetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, "5");
}

async function statusBytes(pid: number, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB`, "m").exec(status)?.[1]) * 1024;
}

/** How many files a child of this process may have open, if it raises its limit. */
export async function openFilesMax(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8");
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  return hard === "unlimited" ? Infinity : Number(hard);
}
