/** The directories of a watched tree: watching them, and looking at what the system hinted at. */
import { SystemError } from "../core/errors.ts";
import type { DirectoryEntry, Files } from "../platform/files.ts";
import type { Completion, Withdraw } from "../platform/network.ts";
import { wallNow } from "../sync/timeouts.ts";
import { isMissing, lookAtAll, type Seen } from "./look-at-all.ts";
import type { WatchedEntry } from "./watch-entry.ts";
import { isSame, type WatchedTree } from "./watch-tree.ts";

/** So many names are looked at in one wait: a cancelled one begins anew, so it must not be long. */
const NAMES_AT_ONCE = 128;

/** Waits for the system, until cancelled or closed. */
export type Ask = <T>(begin: (completion: Completion<T>) => Withdraw) => Promise<T>;

/** What the system refuses about a path. */
export interface Refusal {
  readonly path: string;
  readonly error: SystemError;
}

/** How the directories are watched, and who wants to know. */
export interface WatchedDirectoriesOptions {
  readonly files: Files;
  readonly tree: WatchedTree;
  readonly ask: Ask;
  /** Paths that are left out. */
  readonly isIgnored: (path: string) => boolean;
  /** Gets what the system refuses about one path; what it throws ends the look. */
  readonly refused: (refusal: Refusal) => void;
  /** There is something to look at. */
  readonly hinted: () => void;
  /** A watch has failed. */
  readonly failed: (error: Error) => void;
}

/** See above. */
export class WatchedDirectories {
  readonly #options: WatchedDirectoriesOptions;
  /** Those to look into. */
  readonly #hinted: Set<WatchedEntry> = new Set();

  constructor(options: WatchedDirectoriesOptions) {
    this.#options = options;
    this.#hinted.add(options.tree.root);
  }

  get areHinted(): boolean {
    return this.#hinted.size > 0;
  }

  /**
   * Looks at all that was hinted at until now, and into directories that are new. Cancelled, or failed, it goes on with the rest
   * the next time.
   *
   * @throws SystemError if the root is not there any more, and what `refused` throws.
   */
  async look(): Promise<void> {
    // What is in a directory that has gone needs no look.
    const work = [...this.#hinted].sort((a, b) => a.depth - b.depth);
    this.#hinted.clear();
    let done = 0;
    try {
      for (let entry = work[0]; entry !== undefined; entry = work[done]) {
        await this.#lookInto(entry, work);
        done += 1;
      }
    } finally {
      for (const entry of work.slice(done)) this.#hinted.add(entry);
    }
  }

  /** Makes the next look one at these too. */
  lookAgain(entries: readonly WatchedEntry[]): void {
    for (const { parent, name } of entries) if (parent !== null) this.#hint(parent, name);
  }

  async #lookInto(directory: WatchedEntry, work: WatchedEntry[]): Promise<void> {
    if (directory.parent !== null && directory.present?.kind !== "directory") return;
    let names: Set<string> | null = null;
    const refusals: Refusal[] = [];
    try {
      if (directory.watch === null) await this.#watch(directory);
      const hints = directory.takeHints();
      if (hints !== "all") names = new Set(hints);
      names ??= await this.#namesIn(directory);
      // Once at least: the directory itself may be another by now.
      do for (const child of await this.#lookAtSome(directory, names, refusals)) work.push(child);
      while (names.size > 0);
    } catch (error) {
      if (!(error instanceof SystemError) || directory.parent === null) {
        for (const name of names ?? [null]) directory.hint(name);
        throw error;
      }
      if (isMissing(error)) this.#isGone(directory, directory.parent);
      else {
        // Tried anew when it has changed.
        directory.unwatch();
        refusals.push({ path: directory.path, error });
      }
    }
    for (const refusal of refusals) this.#options.refused(refusal);
  }

  /** All of it is looked at only after it is watched: so nothing that happens in between is lost. */
  #watch(directory: WatchedEntry): Promise<void> {
    const { files, ask } = this.#options;
    const listener = {
      changed: (name: string | null) => this.#hint(directory, name),
      failed: (error: Error) => {
        if (isMissing(error) && directory.parent !== null)
          this.#isGone(directory, directory.parent);
        else this.#options.failed(error);
      },
    };
    return ask<void>((completion) =>
      files.watch(directory.path, listener, {
        succeed: (watch) => {
          directory.watch = watch;
          directory.hint(null);
          completion.succeed();
        },
        fail: (error) => completion.fail(error),
      }),
    );
  }

  async #namesIn(directory: WatchedEntry): Promise<Set<string>> {
    const { files, ask } = this.#options;
    const entries = await ask<readonly DirectoryEntry[]>((completion) =>
      files.readDirectory(directory.path, completion),
    );
    const names = new Set(entries.map(({ name }) => name).sort());
    for (const name of directory.children.keys()) names.add(name);
    return names;
  }

  /**
   * Looks at a few of the names, which are taken out of `names`, and at the directory itself.
   *
   * @returns the directories among them that are to be watched.
   */
  async #lookAtSome(
    directory: WatchedEntry,
    names: Set<string>,
    refusals: Refusal[],
  ): Promise<WatchedEntry[]> {
    const { files, ask, isIgnored, tree } = this.#options;
    const some: string[] = [];
    for (const name of names) {
      if (isIgnored(directory.pathOf(name))) names.delete(name);
      else if (some.push(name) >= NAMES_AT_ONCE) break;
    }
    const wallNowMs = wallNow();
    const paths = [directory.path, ...some.map((name) => directory.pathOf(name))];
    const [own, ...seen] = await ask<Seen[]>((completion) => lookAtAll(files, paths, completion));
    requireSame(directory, own ?? null);
    const fresh: WatchedEntry[] = [];
    for (const [index, name] of some.entries()) {
      names.delete(name);
      const what = seen[index] ?? null;
      if (what instanceof SystemError) {
        refusals.push({ path: directory.pathOf(name), error: what });
        continue;
      }
      const child = directory.child(name);
      if (tree.put(child, what, wallNowMs)) fresh.push(child);
    }
    return fresh;
  }

  #hint(directory: WatchedEntry, name: string | null): void {
    directory.hint(name);
    this.#hinted.add(directory);
    this.#options.hinted();
  }

  /** It is not where it was. What is there instead, a look into its parent tells. */
  #isGone(directory: WatchedEntry, parent: WatchedEntry): void {
    directory.unwatch();
    this.#hint(parent, directory.name);
  }
}

/** Throws as the system does where nothing is, unless this is the directory that is watched. */
function requireSame(directory: WatchedEntry, own: Seen): void {
  if (own instanceof SystemError) throw own;
  const { identity, path } = directory;
  if (own?.kind === "directory" && (identity === null || isSame(identity, own))) {
    directory.identity = own;
    return;
  }
  if (own !== null && own.kind !== "directory")
    throw new SystemError(`watch ${path}: it is no directory (ENOTDIR)`, "ENOTDIR");
  const what = own === null ? "it is not there any more" : "another directory is there now";
  throw new SystemError(`watch ${path}: ${what} (ENOENT)`, "ENOENT");
}
