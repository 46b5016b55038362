/** What tests of simulated workers let them do. The module is loaded once, so that its variables are everybody's. */
import {
  checkpoint,
  currentScope,
  moveOnAfter,
  now,
  shielded,
  sleep,
  taskGroup,
} from "../../index.ts";
import { checkCancelled, runInThread, transferred } from "../../threads.ts";

/** What happened, in order. */
export const log: string[] = [];

export const MODULE: URL = new URL(import.meta.url);

export function time(): number {
  return now();
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

export function change(item: { changed: boolean }): { changed: boolean } {
  item.changed = true;
  return item;
}

export function fill(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length).fill(7);
  return transferred(bytes, [bytes.buffer]);
}

export async function pause(ms: number): Promise<string> {
  await sleep(ms);
  return "rested";
}

export function askAtOnce(): void {
  log.push("began");
  checkCancelled();
  log.push("not cancelled");
}

/** Asks more often than messages come, and says whether one had come before it was cancelled. */
export async function askAllTheTime(): Promise<never> {
  log.push("began");
  const scope = currentScope();
  for (;;) {
    await shielded(() => sleep(0.005));
    const wasTold = scope.cancelCalled;
    try {
      checkCancelled();
    } catch (error) {
      log.push(wasTold ? "told" : "seen");
      throw error;
    }
  }
}

/** Does not see its cancellation until it asks. */
export async function ask(): Promise<void> {
  log.push("began");
  await shielded(() => sleep(10));
  checkCancelled();
  log.push("not cancelled");
}

/** Ends `ms` after it was cancelled. */
export async function linger(ms: number): Promise<void> {
  log.push("began");
  try {
    await sleep(Infinity);
  } finally {
    await shielded(() => sleep(ms));
    log.push("ended");
  }
}

export async function parts(count: number): Promise<number> {
  let done = 0;
  await taskGroup((group) => {
    for (let i = 0; i < count; i++) {
      group.startSoon(async () => {
        await checkpoint();
        done += 1;
      });
    }
  });
  return done;
}

export async function ownDeadline(): Promise<unknown> {
  return await moveOnAfter(10, () => sleep(1000));
}

export async function nested(): Promise<number> {
  return await runInThread<number>(MODULE, "sum", { args: [[1, 2, 3]] });
}

export async function nestedForever(): Promise<void> {
  await runInThread(MODULE, "pause", { args: [Infinity] });
}

export function note(word: string): void {
  log.push(word);
}
