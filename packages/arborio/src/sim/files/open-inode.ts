import type { OpenTarget } from "../../platform/files.ts";
import type { Disk } from "./disk.ts";
import type { SystemCode } from "../system-errors.ts";
import type { Entry, Outcome } from "./inode.ts";
import { type Base, isAllowed, type Place, READ, refuseNameIn, walk, WRITE } from "./path-walk.ts";

const BITS = { read: READ, write: WRITE, "read-write": READ | WRITE } as const;

interface Context extends Base {
  readonly disk: Disk;
}

/** Finds or makes what is to be opened, as open(2) does it, or says why not. What it gives is always a file. */
export function openInode(context: Context, target: OpenTarget): Outcome<Entry> {
  const place = walk(context, target.path, LAST_LINKS[target.create]);
  if (typeof place === "string") return place;
  const { entry } = place;
  if (target.create === "never") {
    if (entry === undefined) return "ENOENT";
    if (place.hasSlash && entry.inode.kind !== "directory") return "ENOTDIR";
  } else {
    if (place.special === null && place.hasSlash) return "EISDIR";
    if (entry === undefined) return makeFile(context, place, target.mode);
    if (target.create === "new") return "EEXIST";
  }
  return refuseOpening(context, entry, target) ?? entry;
}

const LAST_LINKS = { never: "follow", "if-missing": "follow-without-slash", new: "keep" } as const;

function makeFile(context: Context, { directory, name }: Place, mode: number): Outcome<Entry> {
  const refusal = refuseNameIn(directory, context);
  if (refusal !== null) return refusal;
  return context.disk.add(
    directory,
    name,
    context.disk.createFile(directory.volume, mode & 0o7777),
  );
}

/** Why what is there cannot be opened. If it can, it is made empty if that is asked for. */
function refuseOpening(
  { disk, user }: Context,
  { inode, directory, name }: Entry,
  { access, truncate }: OpenTarget,
): SystemCode | null {
  if (inode.kind === "directory") return "EISDIR";
  if (inode.kind !== "file") return "ENXIO";
  const bits = BITS[access] | (truncate ? WRITE : 0);
  if (!isAllowed(inode, user, bits)) return "EACCES";
  if (!truncate) return null;
  if (inode.isDamaged) return "EIO";
  inode.bytes.setSize(0);
  disk.setFacts(inode, { modifiedMs: disk.clock.wallNow() });
  directory.watches.changed(name);
  return null;
}
