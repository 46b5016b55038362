import type { FileStat, WatchHandle } from "../platform/files.ts";

/** So many names of a directory are remembered as hinted at; with more, all of it is looked at: reading it costs no more then. */
const HINTED_NAMES_MAX = 1024;

/** A name in a watched tree: what is there, what of it was told, and, of a directory, what is in it. */
export class WatchedEntry {
  /** The directory that it is in; `null`: it is the root. */
  readonly parent: WatchedEntry | null;
  readonly name: string;
  readonly path: string;
  /** How many directories it is below the root. */
  readonly depth: number;
  /** What was told to be there. */
  told: FileStat | null = null;
  /** What was there at the last look. */
  present: FileStat | null = null;
  /** Changed once more, although it looks the same. */
  touched = false;
  /** It was written so shortly before the last look that another write could give it the same time. */
  isFresh = false;
  readonly children: Map<string, WatchedEntry> = new Map();
  /** The watch of this directory, while it is watched. */
  watch: WatchHandle | null = null;
  /** Which directory is watched: another one may come to its path. */
  identity: FileStat | null = null;
  #hints: Set<string> | "all" = new Set();

  constructor(parent: WatchedEntry | null, name: string, path: string) {
    this.parent = parent;
    this.name = name;
    this.path = path;
    this.depth = parent === null ? 0 : parent.depth + 1;
  }

  /** Something happened to this name in it; `null`: nobody knows to which. */
  hint(name: string | null): void {
    if (this.#hints === "all") return;
    if (name === null || this.#hints.size >= HINTED_NAMES_MAX) this.#hints = "all";
    else this.#hints.add(name);
  }

  /** The names that were hinted at, which are forgotten with that. */
  takeHints(): ReadonlySet<string> | "all" {
    const hints = this.#hints;
    this.#hints = new Set();
    return hints;
  }

  /** The entry of a name in it, which need not be there. */
  child(name: string): WatchedEntry {
    let child = this.children.get(name);
    if (child === undefined)
      this.children.set(name, (child = new WatchedEntry(this, name, this.pathOf(name))));
    return child;
  }

  /** The path of a name in it. */
  pathOf(name: string): string {
    return this.path.endsWith("/") ? this.path + name : `${this.path}/${name}`;
  }

  /** Ends the watch of it. */
  unwatch(): void {
    this.watch?.close();
    this.watch = null;
    this.identity = null;
    this.#hints = new Set();
  }
}
