import assert from "node:assert/strict";
import process from "node:process";
import { type CommandOptions, CommandProcess, type ModuleFolder } from "./command.test.kit.ts";

/** Tells which process answers, and can be slow. */
const APP = `
import process from "node:process";
import { sleep } from "arborio";
export default async function (request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/slow") {
    console.log("slow began");
    await sleep(1000);
    console.log("slow ended");
  }
  return new Response(String(process.pid), { headers: { connection: "close" } });
}
`;

export const WORKERS = 2;

/** So many answers in a row from one of two workers have a chance of 2^-40. */
const ASKED_MAX = 40;

/** Starts `arborio serve --workers 2`, and gives its URL too. */
export async function startWorkers(
  folder: ModuleFolder,
  text: string = APP,
  commandOptions: CommandOptions = {},
): Promise<{ command: CommandProcess; url: string }> {
  const file = folder.write("app.mjs", text);
  const options = ["--json", "--host", "127.0.0.1", "--port", "0", "--workers", String(WORKERS)];
  const command = new CommandProcess(["serve", ...options, file], commandOptions);
  const [line] = await command.until(/^\{"event":"listening".*\}$/m);
  return { command, url: (JSON.parse(line) as { url: string }).url };
}

/** The process that answers. */
export async function ask(url: string): Promise<number> {
  return Number(await (await fetch(url)).text());
}

/** Asks until all workers have answered; their processes. A worker that comes up may not listen yet. */
export async function pidsOf(url: string): Promise<Set<number>> {
  const pids = new Set<number>();
  for (let asked = 0; pids.size < WORKERS; asked++) {
    assert.ok(asked < ASKED_MAX * 10, `only ${[...pids].join()} answer`);
    pids.add(await ask(url));
    if (asked >= ASKED_MAX) await shortly();
  }
  return pids;
}

/** Whether there is such a process. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Before the next look. */
export function shortly(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
