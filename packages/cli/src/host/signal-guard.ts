import process from "node:process";

/** Ends the process at the third SIGINT or SIGTERM, whatever still runs, until it is disposed of. */
export interface SignalGuard extends Disposable {
  /** Ends the process now, with the exit code of the last signal. */
  exit(): void;
}

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

/** The same signal sooner than this counts once, as for `run`: npm passes on the one of a Ctrl-C that the program got too. */
const SAME_SIGNAL_MS = 50;

/** Who still waits so long after the second signal learns what the third one does, in milliseconds. */
const HINT_MS = 1_000;

/** Where signals come from, and what can be ended. */
export type SignalledProcess = Pick<NodeJS.Process, "on" | "removeListener" | "exit">;

/** Begins to count. @param say says a line to whoever waits. */
export function guardSignals(
  say: (line: string) => void,
  own: SignalledProcess = process,
): SignalGuard {
  let count = 0;
  let lastAt = -Infinity;
  let exitCode: number = 128 + SIGNAL_NUMBERS.SIGTERM;
  let hint: NodeJS.Timeout | undefined;
  const exit = (): void => own.exit(exitCode);
  const stops = Object.entries(SIGNAL_NUMBERS).map(([name, number]) => {
    const listener = (): void => {
      const at = performance.now();
      if (at - lastAt < SAME_SIGNAL_MS) return;
      lastAt = at;
      count += 1;
      exitCode = 128 + number;
      if (count === 3) exit();
      if (count === 2)
        hint = setTimeout(
          say,
          HINT_MS,
          "it has been cancelled, and has not ended; the third signal ends it anyway",
        );
    };
    own.on(name, listener);
    return () => void own.removeListener(name, listener);
  });
  return {
    exit,
    [Symbol.dispose]() {
      clearTimeout(hint);
      for (const stop of stops) stop();
    },
  };
}
