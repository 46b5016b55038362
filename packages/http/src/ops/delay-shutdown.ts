import { CancelScope, race, sleep, sleepForever, soft } from "arborio";

/**
 * Runs `fn`, which learns of a shutdown only `delayMs` after it has asked around here; until then all goes on as before. What asks or
 * cancels inside works at once, and so does every cancellation from around, the end of the shutdown's grace among them.
 *
 * It gives a server the time in which a load balancer sees that it is not ready any more, and sends it nothing new.
 *
 * @returns what `fn` returns.
 * @throws what `fn` throws, bare.
 */
export async function delayShutdown<T>(delayMs: number, fn: () => Promise<T>): Promise<T> {
  const inside = new CancelScope({ shield: true });
  const watch = async (): Promise<never> => {
    try {
      await soft(() => sleepForever());
      await sleep(delayMs);
    } finally {
      // Gives at once what was hidden: the asking, or the cancellation that has ended the wait.
      inside.shield = false;
    }
    return await sleepForever();
  };
  // Nobody cancels `inside` itself, so it gives what `fn` returns.
  return await race([() => inside.run(fn) as Promise<T>, watch]);
}
