import type { DirectoryHandle } from "../../platform/files.ts";
import type { DirectoryInode } from "./inode.ts";

/** A path of an open directory, as Linux has them, and what is behind it. */
const OPENED = /^(\/proc\/self\/fd\/\d+)(\/.*)?$/s;

/** The directories that a program has open, by paths that lead to them wherever they are. */
export class OpenDirectories {
  readonly #byPath: Map<string, DirectoryInode> = new Map();
  #number = 0;

  get count(): number {
    return this.#byPath.size;
  }

  open(directory: DirectoryInode): DirectoryHandle {
    this.#number += 1;
    const path = `/proc/self/fd/${this.#number}`;
    this.#byPath.set(path, directory);
    return { path, close: () => void this.#byPath.delete(path) };
  }

  /** Where a path begins that begins at one of them, and the rest of it. */
  startOf(path: string): { readonly directory: DirectoryInode; readonly rest: string } | undefined {
    const [, own = "", rest = ""] = OPENED.exec(path) ?? [];
    const directory = this.#byPath.get(own);
    return directory && { directory, rest };
  }

  closeAll(): void {
    this.#byPath.clear();
  }
}
