/** A quarter of what fits into the system's queue (`fs.inotify.max_queued_events`). */
const HINTS_BETWEEN_LOOKS = 4096;

/**
 * The system's queue of hints is limited. What comes while it is full is lost, and no runtime tells. But each of those that filled it
 * is told afterwards: whoever looks at everything after every so many of them has looked after each loss.
 *
 * @returns a function to call at each hint, whatever it is about; it says whether to look at everything now.
 */
export function countHints(): () => boolean {
  let hints = 0;
  return () => {
    hints += 1;
    return hints % HINTS_BETWEEN_LOOKS === 0;
  };
}
