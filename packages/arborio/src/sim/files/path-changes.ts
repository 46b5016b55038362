/** Changes of what paths lead to, each as Linux does it, with its order of refusals. */
import type { PathChange } from "../../platform/files.ts";
import type { SystemCode } from "../system-errors.ts";
import type { Disk } from "./disk.ts";
import {
  type Entry,
  type FileInode,
  type Inode,
  isMountPoint,
  isWithin,
  type Outcome,
} from "./inode.ts";
import { openInode } from "./open-inode.ts";
import {
  type Base,
  find,
  isAllowed,
  type Place,
  READ,
  refuseNameIn,
  walk,
  walkToDirectory,
  WRITE,
} from "./path-walk.ts";

/** Bit of a directory in which nobody may take away what others own. */
const STICKY = 0o1000;

/** Longest that a link may say, in bytes, as on Linux. */
const TARGET_BYTES_MAX = 4095;

/** The user or group of `owner` that stays as it is, as for chown(2). */
const UNCHANGED = -1;

/** Who changes what. */
export interface ChangeContext extends Base {
  readonly disk: Disk;
}

/** Does it, or says why not. */
export function changePath(context: ChangeContext, change: PathChange): SystemCode | null {
  switch (change.kind) {
    case "make-directory":
      return makeDirectory(context, change.path, change.mode);
    case "remove-file":
      return removeFile(context, change.path);
    case "remove-directory":
      return removeDirectory(context, change.path);
    case "rename":
      return rename(context, change.path, change.target);
    case "symbolic-link":
      return makeLink(context, change.path, change.target);
    case "hard-link":
      return addName(context, change.path, change.target);
    case "copy-file":
      return copyFile(context, change);
    case "sync-directory":
      return syncDirectory(context, change.path);
    default:
      return setFacts(context, change);
  }
}

function makeDirectory(context: ChangeContext, path: string, mode: number): SystemCode | null {
  const place = placeOfNew(context, path, true);
  if (typeof place === "string") return place;
  context.disk.add(
    place.directory,
    place.name,
    context.disk.createDirectory(place.directory.volume, mode & 0o1777),
  );
  return null;
}

function makeLink(context: ChangeContext, path: string, target: string): SystemCode | null {
  if (target === "") return "ENOENT";
  if (new TextEncoder().encode(target).length > TARGET_BYTES_MAX) return "ENAMETOOLONG";
  const place = placeOfNew(context, path, false);
  if (typeof place === "string") return place;
  context.disk.add(
    place.directory,
    place.name,
    context.disk.createLink(place.directory.volume, target),
  );
  return null;
}

function addName(context: ChangeContext, path: string, target: string): SystemCode | null {
  const found = find(context, target, false);
  if (typeof found === "string") return found;
  const place = placeOfNew(context, path, false);
  if (typeof place === "string") return place;
  if (found.inode.volume !== place.directory.volume) return "EXDEV";
  if (found.inode.kind === "directory") return "EPERM";
  context.disk.add(place.directory, place.name, found.inode);
  return null;
}

/** Where something new is to be, or why nothing can. */
function placeOfNew(base: Base, path: string, isDirectory: boolean): Outcome<Place> {
  const place = walk(base, path, "keep");
  if (typeof place === "string") return place;
  if (place.entry !== undefined) return "EEXIST";
  if (place.hasSlash && !isDirectory) return "ENOENT";
  return refuseNameIn(place.directory, base) ?? place;
}

function refuseRemoval({ directory, inode }: Entry, base: Base): SystemCode | null {
  const refusal = refuseNameIn(directory, base);
  if (refusal !== null || base.user === null) return refusal;
  const isSticky = (directory.facts.mode & STICKY) !== 0;
  const isOwner = [inode, directory].some(({ facts }) => facts.user === base.user?.user);
  return isSticky && !isOwner ? "EPERM" : null;
}

function removeFile(context: ChangeContext, path: string): SystemCode | null {
  const place = walk(context, path, "keep");
  if (typeof place === "string") return place;
  const { entry, special, hasSlash } = place;
  if (special !== null) return "EISDIR";
  if (entry === undefined) return "ENOENT";
  const isDirectory = entry.inode.kind === "directory";
  if (hasSlash) return isDirectory ? "EISDIR" : "ENOTDIR";
  const refusal = refuseRemoval(entry, context);
  if (refusal !== null) return refusal;
  if (isDirectory) return "EISDIR";
  context.disk.remove(entry);
  return null;
}

function removeDirectory(context: ChangeContext, path: string): SystemCode | null {
  const place = walk(context, path, "keep");
  if (typeof place === "string") return place;
  const { entry, special } = place;
  if (special === "..") return "ENOTEMPTY";
  if (special === ".") return "EINVAL";
  if (special === "/") return "EBUSY";
  if (entry === undefined) return "ENOENT";
  const refusal = refuseRemoval(entry, context);
  if (refusal !== null) return refusal;
  if (entry.inode.kind !== "directory") return "ENOTDIR";
  if (isMountPoint(entry)) return "EBUSY";
  if (entry.inode.entries.size > 0) return "ENOTEMPTY";
  context.disk.remove(entry);
  return null;
}

function rename(context: ChangeContext, path: string, target: string): SystemCode | null {
  // The directories of both are looked for before any name in them.
  const from = walkToDirectory(context, path, "keep");
  if (typeof from === "string") return from;
  const to = walkToDirectory(context, target, "keep");
  if (typeof to === "string") return to;
  if (from.directory.volume !== to.directory.volume) return "EXDEV";
  if (from.special !== null || to.special !== null) return "EBUSY";
  if (from.isNameTooLong) return "ENAMETOOLONG";
  const { entry } = from;
  if (entry === undefined) return "ENOENT";
  if (to.isNameTooLong) return "ENAMETOOLONG";
  const isDirectory = entry.inode.kind === "directory";
  if (!isDirectory && (from.hasSlash || to.hasSlash)) return "ENOTDIR";
  if (entry.inode.kind === "directory" && isWithin(to.directory, entry.inode)) return "EINVAL";
  const replaced = to.entry;
  if (replaced?.inode.kind === "directory" && isWithin(from.directory, replaced.inode))
    return "ENOTEMPTY";
  if (replaced?.inode === entry.inode) return null;
  const refusal = refuseRemoval(entry, context) ?? refuseReplacement(entry, to, context);
  if (refusal !== null) return refusal;
  context.disk.move(entry, to.directory, to.name);
  return null;
}

function refuseReplacement(entry: Entry, to: Place, base: Base): SystemCode | null {
  const isDirectory = entry.inode.kind === "directory";
  const replaced = to.entry?.inode;
  if (to.entry === undefined || replaced === undefined) {
    const refusal = refuseNameIn(to.directory, base);
    if (refusal !== null) return refusal;
  } else {
    const refusal = refuseRemoval(to.entry, base);
    if (refusal !== null) return refusal;
    if (isDirectory && replaced.kind !== "directory") return "ENOTDIR";
    if (!isDirectory && replaced.kind === "directory") return "EISDIR";
  }
  if ([entry, to.entry].some((one) => one !== undefined && isMountPoint(one))) return "EBUSY";
  // What `..` in it leads to would change.
  const isElsewhere = isDirectory && to.directory !== entry.directory;
  if (isElsewhere && !isAllowed(entry.inode, base.user, WRITE)) return "EACCES";
  return replaced?.kind === "directory" && replaced.entries.size > 0 ? "ENOTEMPTY" : null;
}

function copyFile(
  context: ChangeContext,
  { path, target, replace }: PathChange & { readonly kind: "copy-file" },
): SystemCode | null {
  const source = openInode(context, { path, ...READING });
  if (typeof source === "string") return source;
  const { mode } = source.inode.facts;
  const copy = openInode(context, {
    path: target,
    access: "write",
    create: replace ? "if-missing" : "new",
    truncate: false,
    append: false,
    mode,
  });
  if (typeof copy === "string") return copy;
  if (copy.inode === source.inode) return null;
  const { disk } = context;
  disk.setFacts(copy.inode, { mode });
  const refusal = copyBytes(disk, source.inode as FileInode, copy.inode as FileInode);
  if (refusal !== null && !copy.isRemoved) disk.remove(copy);
  copy.directory.watches.changed(copy.name);
  return refusal;
}

const READING = {
  access: "read",
  create: "never",
  truncate: false,
  append: false,
  mode: 0,
} as const;

/** Bytes that are copied at once. */
const COPY_BYTES = 1024 * 1024;

function copyBytes(disk: Disk, from: FileInode, to: FileInode): SystemCode | null {
  if (from.isDamaged || to.isDamaged) return "EIO";
  to.bytes.setSize(0);
  const buffer = new Uint8Array(Math.min(COPY_BYTES, from.bytes.size));
  for (let position = 0; position < from.bytes.size;) {
    const count = from.bytes.read(buffer, position);
    const written = to.bytes.write(buffer.subarray(0, count), position);
    if (written < count) return "ENOSPC";
    position += count;
  }
  const nowMs = disk.clock.wallNow();
  disk.setFacts(from, { accessedMs: nowMs });
  disk.setFacts(to, { modifiedMs: nowMs });
  return null;
}

function syncDirectory(context: ChangeContext, path: string): SystemCode | null {
  const found = find(context, path, true);
  if (typeof found === "string") return found;
  const { inode } = found;
  if (inode.kind !== "directory") return "ENOTDIR";
  if (!isAllowed(inode, context.user, READ)) return "EACCES";
  if (inode.isDamaged) return "EIO";
  context.disk.journal.sync(inode);
  context.disk.sync(inode);
  return null;
}

function setFacts(
  context: ChangeContext,
  change: PathChange & { readonly kind: "mode" | "times" | "owner" },
): SystemCode | null {
  const found = find(context, change.path, true);
  if (typeof found === "string") return found;
  const { directory, name, inode } = found;
  if (inode.isDamaged) return "EIO";
  const { user } = context;
  if (user !== null && inode.facts.user !== user.user) return "EPERM";
  if (change.kind === "mode") context.disk.setFacts(inode, { mode: change.mode & 0o7777 });
  else if (change.kind === "owner") {
    const owner = ownerAfter(inode, change);
    // Only root gives files away, and an owner only to own groups.
    if (user !== null && (owner.user !== user.user || owner.group !== user.group)) return "EPERM";
    context.disk.setFacts(inode, owner);
  } else {
    const { accessedMs, modifiedMs } = change;
    context.disk.setFacts(inode, {
      accessedMs: Math.floor(accessedMs),
      modifiedMs: Math.floor(modifiedMs),
    });
  }
  if (name !== "") directory.watches.changed(name);
  if (inode.kind === "directory") inode.watches.changed(null);
  return null;
}

function ownerAfter(
  { facts }: Inode,
  { user, group }: PathChange & { readonly kind: "owner" },
): { user: number; group: number } {
  return {
    user: user === UNCHANGED ? facts.user : user,
    group: group === UNCHANGED ? facts.group : group,
  };
}
