import {
  requireCount,
  requireFlag,
  requireFunction,
  requireKnown,
  requireOptions,
} from "../core/arguments.ts";
import type { SystemError } from "../core/errors.ts";
import { Glob, type GlobState } from "./glob.ts";
import type { Path } from "./path.ts";
import { type PathEntry, TreeWalk, type WalkPlan } from "./tree-walk.ts";

/** Options of `Path.glob`. */
export interface GlobOptions {
  /**
   * Whether links are taken for what they lead to, and those to directories entered. Default `false`. One that leads to a directory that
   * it is in counts as a link even so. A directory to which several ways lead is gone through on each.
   */
  readonly followLinks?: boolean;
  /** Called with each directory below this one before it is read: whether to go into it. Default: into each. */
  readonly enter?: (entry: PathEntry) => boolean;
  /** Called with the error if a directory cannot be read, instead of throwing it; the walk goes on behind it. */
  readonly onError?: (error: SystemError, path: Path) => void;
}

/** Options of `Path.walk`. */
export interface WalkOptions extends GlobOptions {
  /** Whether directories come after what is in them. Default `false`: before. */
  readonly childrenFirst?: boolean;
  /** How far down: 1 is what is in the directory itself. Default `Infinity`. */
  readonly depthMax?: number;
}

/** Entries, one by one. Each is read when it is asked for; leave the loop when you have enough. */
export type PathEntries = AsyncIterableIterator<PathEntry, undefined, undefined>;

const GLOB_OPTIONS = { followLinks: true, enter: true, onError: true } as const;
const WALK_OPTIONS = { ...GLOB_OPTIONS, childrenFirst: true, depthMax: true } as const;

/** `Path.walk`. */
export function walk(root: Path, options: WalkOptions): PathEntries {
  const where = "Path.walk";
  requireOptions(`${where}(options)`, options, "{ depthMax: 1 }");
  requireKnown(where, options, WALK_OPTIONS);
  const { childrenFirst = false, depthMax = Infinity } = options;
  requireFlag(`${where}({ childrenFirst })`, childrenFirst);
  requireCount(`${where}({ depthMax })`, depthMax, 1);
  return new TreeWalk(root, {
    ...planOf(where, options),
    childrenFirst,
    depthMax,
    start: true,
    step: () => ({ isWanted: true, below: true }),
  });
}

/** `Path.glob`. */
export function glob(root: Path, pattern: string, options: GlobOptions): PathEntries {
  const where = "Path.glob";
  requireOptions(`${where}(pattern, options)`, options, "{ followLinks: true }");
  requireKnown(where, options, GLOB_OPTIONS);
  const wanted = new Glob(where, pattern);
  if (wanted.isAbsolute) {
    throw new RangeError(
      `${where}: got ${JSON.stringify(pattern)}, needs one that is relative to the path; new Path("/").glob("etc/*") begins at the root`,
    );
  }
  return new TreeWalk<GlobState>(root, {
    ...planOf(where, options),
    childrenFirst: false,
    depthMax: Infinity,
    start: wanted.start,
    step(state, name) {
      const { matched, next } = wanted.step(state, name);
      return { isWanted: matched, below: next.length > 0 ? next : null };
    },
  });
}

/** What walks of both kinds have in common. */
function planOf(
  where: string,
  { followLinks = false, enter, onError }: GlobOptions,
): Pick<WalkPlan<unknown>, "followLinks" | "enter" | "onError"> {
  requireFlag(`${where}({ followLinks })`, followLinks);
  if (enter !== undefined) requireFunction(`${where}({ enter })`, enter);
  if (onError !== undefined) requireFunction(`${where}({ onError })`, onError);
  return { followLinks, enter: enter ?? (() => true), onError: onError ?? null };
}
