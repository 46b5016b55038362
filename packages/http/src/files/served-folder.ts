import { realPath, stat } from "arborio/fs";
import { type Refusal, refusalOrThrow } from "./refused-file.ts";
import { isInside, joinPath } from "./safe-path.ts";
import type { LocatedFile } from "./serve-file.ts";

/** Where links may lead: to what is inside the folder too, nowhere, or anywhere. */
export type FollowLinks = "inside" | "never" | "anywhere";

/** What may be seen of a folder. */
export interface ServedFolderOptions {
  readonly followLinks: FollowLinks;
  /** Whether names that begin with a dot are there. */
  readonly dotfiles: boolean;
}

/** A folder of which nothing but what is inside may be seen. */
export class ServedFolder {
  readonly #root: string;
  readonly #options: ServedFolderOptions;
  /** The folder's own path without links, as it was last. */
  #realRoot: string | null = null;

  constructor(root: string, options: ServedFolderOptions) {
    this.#root = root;
    this.#options = options;
  }

  /**
   * Finds something below the folder. What leads out of it is not there, whether or not there is something outside (CVE-2025-69226).
   *
   * @param names as `safePathOf` gives them.
   * @throws SystemError if the folder itself is not there.
   */
  async locate(names: readonly string[]): Promise<LocatedFile | Refusal> {
    if (!this.#shows(names)) return 404;
    this.#realRoot ??= await realPath(this.#root);
    let real: string;
    try {
      real = await realPath(joinPath(this.#root, names));
    } catch (error) {
      // Also for want of rights: else a link that leads out would tell of what is there.
      refusalOrThrow(error);
      return 404;
    }
    if (!(await this.#mayShow(real, names))) return 404;
    try {
      return { real, stat: await stat(real) };
    } catch (error) {
      return refusalOrThrow(error);
    }
  }

  async #mayShow(real: string, names: readonly string[]): Promise<boolean> {
    if (this.#options.followLinks === "anywhere") return true;
    if (this.#isWithin(real, names)) return true;
    // The folder may be a link itself, which leads elsewhere since: a new version of a site.
    this.#realRoot = await realPath(this.#root);
    return this.#isWithin(real, names);
  }

  #isWithin(real: string, names: readonly string[]): boolean {
    const root = this.#realRoot as string;
    if (this.#options.followLinks === "never") return real === joinPath(root, names);
    // A link may lead to what is hidden.
    return isInside(real, root) && this.#shows(real.slice(root.length).split("/"));
  }

  #shows(names: readonly string[]): boolean {
    return this.#options.dotfiles || !names.some((name) => name.startsWith("."));
  }
}
