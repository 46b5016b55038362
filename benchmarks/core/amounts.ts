/** Amounts that every subject of the core suite shares. `python_cases.py` has the same, durations in seconds. */

/** A deadline so far away that it never fires, in milliseconds. */
export const HOUR_MS = 3_600_000;

/** The timeout of the `timeout` bench, in milliseconds: a usual one, that never fires. */
export const TIMEOUT_MS = 10_000;

/** Tasks that want the lock at once in `lock-contended`. */
export const CONTENDERS = 1000;
