import { run } from "arborio";
import type { Backend, Clock } from "arborio/lowlevel";
import { simulator } from "arborio/sim";

/** A process in the simulator that is held up at times: by a computation, or by its machine. */
export interface HeldUpProcess {
  /** Its clock goes on for so many milliseconds, and nothing else happens meanwhile. */
  readonly holdUp: (ms: number) => void;
  /** How often it was or will be woken by time. */
  readonly timers: () => number;
}

/** Runs a program in it. */
export async function runHeldUp(body: (process: HeldUpProcess) => Promise<void>): Promise<void> {
  let heldUpMs = 0;
  let timers = 0;
  const createBackend = (): Backend => {
    const backend = simulator({ seed: 1 }).createBackend();
    const { clock } = backend;
    const later: Clock = {
      now: () => clock.now() + heldUpMs,
      wallNow: () => clock.wallNow() + heldUpMs,
      setTimer: (delayMs, wake) => {
        timers += 1;
        return clock.setTimer(delayMs, wake);
      },
      nextTurn: (turn) => clock.nextTurn(turn),
    };
    return Object.create(backend, { clock: { value: later } }) as Backend;
  };
  const process = { holdUp: (ms: number) => void (heldUpMs += ms), timers: () => timers };
  await run(() => body(process), { signals: [], backend: { createBackend } });
}
