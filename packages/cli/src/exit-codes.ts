/** What the command ends with, beside 128 and the number of a signal. */
export const EXIT = {
  ok: 0,
  /** What was to be done failed. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
} as const;
