import type { DirectoryInode, Inode } from "./inode.ts";

/** One name of a directory, and what it led to before and after. */
export interface NameChange {
  readonly directory: DirectoryInode;
  readonly name: string;
  readonly before: Inode | null;
  readonly after: Inode | null;
}

/** Changes of names that happen together or not at all, also in a crash: a rename is one step. */
export type Step = readonly NameChange[];

/** So many steps may be unsynced; the oldest beyond them have reached the disk by themselves, as they do on a real one in time. */
const STEPS_MAX = 512;

/**
 * The changes of names that may not be on the disk yet, oldest first.
 *
 * Any of them may be lost in a crash, but none survives another one that it builds upon, as a file system with a journal sees to it:
 * earlier changes of the same names, earlier moves of directories (or two could end up within one another), what happened in a
 * directory before it was removed.
 */
export class Journal {
  #steps: Step[] = [];

  record(step: Step): void {
    this.#steps.push(step);
    if (this.#steps.length > STEPS_MAX) this.#steps.shift();
  }

  /** All that happened in a directory is on the disk now. */
  sync(directory: DirectoryInode): void {
    this.#commit((step) => step.some((change) => change.directory === directory));
  }

  /** The last step is on the disk now. */
  syncLast(): void {
    const last = this.#steps.at(-1);
    this.#commit((step) => step === last);
  }

  /** Decides which steps are lost, and gives all of them, oldest first, with that. */
  crash(survives: () => boolean): { readonly steps: readonly Step[]; readonly kept: Set<Step> } {
    const kept = new Set<Step>();
    const lost: Step[] = [];
    for (const step of this.#steps) {
      if (!lost.some((earlier) => buildsUpon(step, earlier)) && survives()) kept.add(step);
      else lost.push(step);
    }
    const steps = this.#steps;
    this.#steps = [];
    return { steps, kept };
  }

  /** Takes out the steps that are chosen, and those that they build upon. */
  #commit(isChosen: (step: Step) => boolean): void {
    const committed: Step[] = [];
    const rest: Step[] = [];
    for (const step of this.#steps.toReversed()) {
      if (isChosen(step) || committed.some((later) => buildsUpon(later, step)))
        committed.push(step);
      else rest.push(step);
    }
    this.#steps = rest.reverse();
  }
}

function buildsUpon(later: Step, earlier: Step): boolean {
  if (movesDirectory(later) && movesDirectory(earlier)) return true;
  return later.some((change) =>
    earlier.some(
      ({ directory, name }) =>
        (directory === change.directory && name === change.name) ||
        (directory === change.before && !later.some(({ after }) => after === directory)),
    ),
  );
}

function movesDirectory(step: Step): boolean {
  return step.length > 1 && step.some(({ after }) => after?.kind === "directory");
}
