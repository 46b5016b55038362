/** What can be changed about a file beside its contents. Links are followed. */
import { describeValue, requireCount, requireKnown, requireOptions } from "../core/arguments.ts";
import { changePath } from "./change-path.ts";
import { requireMode } from "./mode.ts";
import type { Path } from "./path.ts";
import { stat } from "./stat.ts";

/** Options of `Path.setTimes`. What is not given stays. */
export interface FileTimes {
  /** When it counts as read last, in milliseconds since 1970. */
  readonly accessedMs?: number;
  /** When its contents count as changed last, in milliseconds since 1970. */
  readonly modifiedMs?: number;
}

/** Options of `Path.setOwner`. What is not given stays. */
export interface FileOwner {
  /** Number of the user. */
  readonly user?: number;
  /** Number of the group. */
  readonly group?: number;
}

/** For the system: the one that it is. */
const UNCHANGED = -1;

/** Greatest number of a user or a group: the next one is what the system takes for -1. */
const ID_MAX: number = 2 ** 32 - 2;

/** Farthest from 1970 that a time can be, in milliseconds: what a `Date` can tell. Most file systems can tell less. */
const TIME_MS_MAX = 8.64e15;

/** `Path.setMode`. */
export async function setMode({ text }: Path, mode: number): Promise<void> {
  requireMode("Path.setMode", mode);
  await changePath("Path.setMode", { kind: "mode", path: text, mode });
}

/** `Path.setTimes`. */
export async function setTimes(path: Path, times: FileTimes): Promise<void> {
  const where = "Path.setTimes";
  requireOptions(`${where}(times)`, times, "{ modifiedMs: 0 }");
  requireKnown(where, times, { accessedMs: true, modifiedMs: true });
  for (const [name, time] of Object.entries(times) as [string, unknown][]) {
    if (time === undefined || (typeof time === "number" && Math.abs(time) <= TIME_MS_MAX)) continue;
    const message = `${where}({ ${name} }): got ${describeValue(time)}, needs milliseconds since 1970, at most 8.64e15 before or after`;
    throw typeof time === "number" ? new RangeError(message) : new TypeError(message);
  }
  const { accessedMs, modifiedMs } = times;
  const old = accessedMs === undefined || modifiedMs === undefined ? await stat(path) : null;
  await changePath(where, {
    kind: "times",
    path: path.text,
    accessedMs: accessedMs ?? (old?.accessedMs as number),
    modifiedMs: modifiedMs ?? (old?.modifiedMs as number),
  });
}

/** `Path.setOwner`. */
export async function setOwner({ text }: Path, owner: FileOwner): Promise<void> {
  const where = "Path.setOwner";
  requireOptions(`${where}(owner)`, owner, "{ user: 1000 }");
  requireKnown(where, owner, { user: true, group: true });
  const { user = UNCHANGED, group = UNCHANGED } = owner;
  if (owner.user !== undefined) requireId(`${where}({ user })`, user);
  if (owner.group !== undefined) requireId(`${where}({ group })`, group);
  await changePath(where, { kind: "owner", path: text, user, group });
}

function requireId(where: string, id: number): void {
  requireCount(where, id, 0, false);
  if (id > ID_MAX) throw new RangeError(`${where}: got ${id}, needs at most ${ID_MAX}`);
}
