/** What tests of processes need: to find every process that one of them has started, however far down. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { sleep } from "../index.ts";

/** All descendants inherit it, also those that leave their group. */
const MARK = "ARBORIO_TEST_MARK";

let marks = 0;

/** An environment by which processes can be found. */
export function markedEnv(): { readonly [MARK]: string } {
  return { [MARK]: `${process.pid}-${++marks}` };
}

/** Numbers of all processes that run with this environment. Those that nobody has reaped have none any more; see `zombies`. */
export function marked(env: { readonly [MARK]: string }): number[] {
  const text = `${MARK}=${env[MARK]}\0`;
  return pids().filter((pid) => {
    try {
      return `${readFileSync(`/proc/${pid}/environ`, "latin1")}\0`.includes(text);
    } catch {
      return false;
    }
  });
}

/** Numbers of the children of this process that have ended and were not reaped. */
export function zombies(): number[] {
  return pids().filter((pid) => {
    const stat = statOf(pid);
    return stat?.state === "Z" && stat.parent === process.pid;
  });
}

interface Stat {
  readonly state: string;
  readonly parent: number;
  readonly group: number;
}

/** What the system knows about a process; `undefined` if it is gone. */
export function statOf(pid: number): Stat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state = "", parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent), group: Number(group) };
  } catch {
    return undefined;
  }
}

function pids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Bytes of memory that this process has of the system. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** All of a stream, as text. */
export async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  return text;
}

/** Receives until `wanted` has come. */
export async function untilSaid(
  stream: { receive(): Promise<Uint8Array> },
  wanted: string,
): Promise<string> {
  let text = "";
  while (!text.includes(wanted)) text += new TextDecoder().decode(await stream.receive());
  return text;
}

/** What a killed process leaves for a moment. */
export async function untilNoneLeft(env: ReturnType<typeof markedEnv>): Promise<void> {
  for (let ms = 1; marked(env).length + zombies().length > 0; ms *= 2) {
    assert.ok(ms < 2000, `left: ${marked(env).join()}, not reaped: ${zombies().join()}`);
    await sleep(ms);
  }
}
