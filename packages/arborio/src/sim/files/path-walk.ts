import type { SystemCode } from "../system-errors.ts";
import type { DirectoryInode, Entry, Inode, Outcome } from "./inode.ts";
import type { OpenDirectories } from "./open-directories.ts";

/** Longest name and longest path in bytes, as on Linux. */
const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4095;

/** So many links lead on, as on Linux; then they are taken for a circle. */
const LINKS_MAX = 40;

/** What is asked of something's permission bits. */
export const READ = 4;
export const WRITE = 2;
export const SEARCH = 1;

/** Whose permissions count; `null`: nobody's, a test is asking. */
export interface User {
  readonly user: number;
  readonly group: number;
}

/** From where paths lead. */
export interface Base {
  readonly root: DirectoryInode;
  readonly user: User | null;
  /** Directories that are open, which have paths of their own. */
  readonly opened?: OpenDirectories;
}

/** Where the last name of a path is, or would be. */
export interface Place {
  readonly directory: DirectoryInode;
  /** Empty if the path ends in `.`, `..` or `/`: then `entry` is that directory's own. */
  readonly name: string;
  readonly entry: Entry | undefined;
  /** How a path ends that does not end in a name. */
  readonly special: "." | ".." | "/" | null;
  /** Whether a slash follows, so that only a directory will do. */
  readonly hasSlash: boolean;
  readonly isNameTooLong: boolean;
}

/** What becomes of a link at the end of a path. */
export type LastLink =
  | "follow"
  /** A slash behind it is refused later on. */
  | "follow-without-slash"
  /** Only a slash behind it makes it followed. */
  | "keep-without-slash"
  | "keep";

/** Whether the permission bits of something allow it. */
export function isAllowed({ facts }: Inode, user: User | null, bits: number): boolean {
  if (user === null) return true;
  const { mode } = facts;
  const shift = facts.user === user.user ? 6 : facts.group === user.group ? 3 : 0;
  return ((mode >> shift) & bits) === bits;
}

/** Why no name can be made or taken away in a directory. */
export function refuseNameIn(directory: DirectoryInode, { user }: Base): SystemCode | null {
  if (directory.nameCount === 0) return "ENOENT";
  return isAllowed(directory, user, WRITE | SEARCH) ? null : "EACCES";
}

/** Finds the place that a path leads to, part by part, as Linux does it. */
export function walk(base: Base, path: string, lastLink: LastLink): Outcome<Place> {
  const place = walkToDirectory(base, path, lastLink);
  return typeof place !== "string" && place.isNameTooLong ? "ENAMETOOLONG" : place;
}

/** `walk`, but a last name that is too long is the caller's to refuse. */
export function walkToDirectory(
  { root, user, opened }: Base,
  path: string,
  lastLink: LastLink,
): Outcome<Place> {
  if (path === "") return "ENOENT";
  if (bytesOf(path) > PATH_BYTES_MAX) return "ENAMETOOLONG";
  // All paths are absolute here, or below the root.
  const start = opened?.startOf(path) ?? { directory: root, rest: path };
  let { directory } = start;
  const names = namesOf(start.rest);
  let hasSlash = path.endsWith("/");
  let links = 0;
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    const refusal = refuseSearch(directory, user);
    if (refusal !== null) return refusal;
    const isLast = names.length === 0;
    if (name === "." || name === "..") {
      if (name === "..") directory = directory.entry.directory;
      if (isLast) return endOf(directory, name, hasSlash);
      continue;
    }
    const isNameTooLong = bytesOf(name) > NAME_BYTES_MAX;
    if (isNameTooLong && !isLast) return "ENAMETOOLONG";
    const entry = directory.entries.get(name);
    const inode = entry?.inode;
    if (inode?.kind === "link" && !(isLast && isKept(lastLink, hasSlash))) {
      links += 1;
      if (links > LINKS_MAX) return "ELOOP";
      if (isLast) hasSlash ||= inode.target.endsWith("/");
      names.push(...namesOf(inode.target));
      if (inode.target.startsWith("/")) directory = root;
      continue;
    }
    if (isLast) return { directory, name, entry, special: null, hasSlash, isNameTooLong };
    if (inode === undefined) return "ENOENT";
    if (inode.kind !== "directory") return "ENOTDIR";
    directory = inode;
  }
  return endOf(directory, "/", hasSlash);
}

function endOf(
  directory: DirectoryInode,
  special: NonNullable<Place["special"]>,
  hasSlash: boolean,
): Place {
  return {
    directory,
    name: "",
    entry: directory.entry,
    special,
    hasSlash,
    isNameTooLong: false,
  };
}

/** What a path leads to, or why to nothing. */
export function find(base: Base, path: string, followLinks: boolean): Outcome<Entry> {
  const place = walk(base, path, followLinks ? "follow" : "keep-without-slash");
  if (typeof place === "string") return place;
  const { entry, hasSlash } = place;
  if (entry === undefined) return "ENOENT";
  return hasSlash && entry.inode.kind !== "directory" ? "ENOTDIR" : entry;
}

function isKept(lastLink: LastLink, hasSlash: boolean): boolean {
  if (lastLink === "follow-without-slash") return hasSlash;
  return lastLink === "keep" || (lastLink === "keep-without-slash" && !hasSlash);
}

function refuseSearch(directory: DirectoryInode, user: User | null): SystemCode | null {
  if (!isAllowed(directory, user, SEARCH)) return "EACCES";
  return directory.isDamaged && user !== null ? "EIO" : null;
}

/** The names in a path, the last first. */
function namesOf(path: string): string[] {
  return path
    .split("/")
    .filter((name) => name !== "")
    .reverse();
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
