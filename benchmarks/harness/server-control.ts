/**
 * What each server of a benchmark does beside its work, in Python and C too: it prints one line of JSON with its port and
 * its process id; it answers each line of its standard input with "settled", once its garbage is collected; it ends when
 * that input ends, so that none is left behind when the measuring process dies.
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { collectGarbage } from "./case.ts";

/** More than any load keeps in flight: no connection waits for a retry of its SYN. */
export const BACKLOG = 4096;

/** Collections, and the pause after each, in which finalisers and the collector's own threads give memory back. */
const COLLECTIONS = 4;
const PAUSE_MS = 50;

/** Says that the server listens, and begins to obey. */
export function announce(port: number): void {
  process.stdout.write(`${JSON.stringify({ port, pid: process.pid })}\n`);
  process.stdin.on("data", () => void settle());
  process.stdin.on("end", () => process.exit());
}

async function settle(): Promise<void> {
  for (let i = 0; i < COLLECTIONS; i++) {
    collectGarbage();
    await sleep(PAUSE_MS);
  }
  process.stdout.write("settled\n");
}
