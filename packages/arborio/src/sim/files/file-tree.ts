import {
  describeValue,
  requireCount,
  requireKnown,
  requireOptions,
  requireTime,
} from "../../core/arguments.ts";
import { SystemError } from "../../core/errors.ts";
import type { FileStat } from "../../platform/files.ts";
import type { Chooser } from "../chooser.ts";
import type { VirtualClock } from "../clock.ts";
import type { SocketFiles, UnixNamespace } from "../net/unix-namespace.ts";
import { resolvePath } from "../paths.ts";
import { type SystemCode, systemError } from "../system-errors.ts";
import { Disk } from "./disk.ts";
import { DiskTimes } from "./disk-times.ts";
import { type Entry, type Inode, type InodeFacts, statOf } from "./inode.ts";
import { Volume } from "./volume.ts";
import { type Base, find, type LastLink, type Place, walk } from "./path-walk.ts";

/** Options of `host.files.write`. */
export interface WriteFileOptions {
  /** Permission bits; without any to read, opening is `EACCES`. Default: those that it has, `0o644` for a new file. */
  readonly mode?: number;
  /** When the contents count as changed, in milliseconds since 1970. Default: now, in a world that began with the year 2000. */
  readonly modifiedMs?: number;
}

/** Options of `host.files.mount`. */
export interface MountOptions {
  /** How many bytes it has, as of `capacityBytes`. Default `Infinity`. */
  readonly capacityBytes?: number;
}

/** The files of a simulated host, as a test sees them: no permission is asked for, and all of it is on the disk at once. Made anew for each run. */
export class FileTree {
  /** @internal */ readonly disk: Disk;
  /** @internal */ readonly times: DiskTimes;
  readonly #chooser: Chooser;
  #mounts = 0;

  /** @internal */
  constructor(clock: VirtualClock, chooser: Chooser, sockets: UnixNamespace) {
    this.disk = new Disk(clock);
    this.times = new DiskTimes(clock, chooser.fork("files"));
    this.#chooser = chooser.fork("crash");
    sockets.files = this.#socketFiles();
    this.makeDirectory("/tmp");
    const temporary = this.#find("find /tmp", "/tmp", true);
    this.disk.setFacts(temporary, { mode: 0o1777 });
    this.disk.sync(temporary);
  }

  /**
   * Puts a file there, or replaces the contents of the one that is there, which whoever has it open sees. Makes the directories above it.
   *
   * @param path absolute, or below `/`.
   * @throws SystemError if something in the way is not a directory, the path leads to one, or the disk is full.
   * @throws TypeError if `contents` or an option is none.
   *
   * @example A program that reads its settings
   * ```ts
   * import { readTextFile } from "arborio/fs";
   * import { simulate } from "arborio/sim";
   *
   * await simulate({ seed: 1 }, async (world) => {
   *   world.localhost.files.write("/etc/app.conf", "port = 80");
   *   console.assert((await readTextFile("/etc/app.conf")) === "port = 80");
   * });
   * ```
   */
  write(path: string, contents: string | Uint8Array, options: WriteFileOptions = {}): void {
    if (typeof contents !== "string" && !(contents instanceof Uint8Array)) {
      throw new TypeError(
        `host.files.write: got ${describeValue(contents)}, needs a string or a Uint8Array`,
      );
    }
    requireOptions("host.files.write(path, contents, options)", options, "{ mode: 0o600 }");
    requireKnown("host.files.write", options, { mode: true, modifiedMs: true });
    const { mode, modifiedMs = this.disk.clock.wallNow() } = options;
    const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
    const attempt = `write ${path}`;
    const { inode, directory, name } = this.#make(attempt, path, (volume) =>
      this.disk.createFile(volume, mode ?? 0o644),
    );
    if (inode.kind !== "file") throw systemError(attempt, "EISDIR");
    inode.bytes.setSize(0);
    const written = inode.bytes.write(bytes, 0);
    const changedMs = Math.floor(modifiedMs);
    this.disk.setFacts(inode, {
      mode: mode ?? inode.facts.mode,
      modifiedMs: changedMs,
      accessedMs: changedMs,
    });
    this.disk.sync(inode);
    directory.watches.changed(name);
    if (written < bytes.length) throw systemError(attempt, "ENOSPC");
  }

  /** The bytes of a file. @throws SystemError if there is none. */
  read(path: string): Uint8Array {
    const inode = this.#find(`read ${path}`, path, true);
    if (inode.kind !== "file") throw systemError(`read ${path}`, "EISDIR");
    const bytes = new Uint8Array(inode.bytes.size);
    inode.bytes.read(bytes, 0);
    return bytes;
  }

  /** The text of a file. @throws SystemError if there is none. @throws TypeError if it is not UTF-8. */
  readText(path: string): string {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.read(path));
  }

  /** Whether a path leads to something. */
  exists(path: string): boolean {
    return typeof this.find(path) === "object";
  }

  /** What is known about what is there; of a link itself. @throws SystemError if nothing is. */
  stat(path: string): FileStat {
    return statOf(this.#find(`stat ${path}`, path, false));
  }

  /** The names in a directory, sorted. @throws SystemError if there is none. */
  list(path: string): string[] {
    const inode = this.#find(`list ${path}`, path, true);
    if (inode.kind !== "directory") throw systemError(`list ${path}`, "ENOTDIR");
    return [...inode.entries.keys()].sort();
  }

  /** Makes a directory and those above it, as far as they are not there. @throws SystemError if something else is in the way. */
  makeDirectory(path: string): void {
    const attempt = `make the directory ${path}`;
    const { inode } = this.#make(attempt, path, (volume) =>
      this.disk.createDirectory(volume, 0o755),
    );
    if (inode.kind !== "directory") throw systemError(attempt, "ENOTDIR");
  }

  /**
   * Makes an empty directory, and those above it, that is another disk: nothing can be renamed, or get another name, across (`EXDEV`).
   *
   * @throws SystemError if something is at `path`, or in its way.
   */
  mount(path: string, options: MountOptions = {}): void {
    const attempt = `mount a disk at ${path}`;
    requireOptions("host.files.mount(path, options)", options, "{ capacityBytes: 2 ** 20 }");
    requireKnown("host.files.mount", options, { capacityBytes: true });
    const { capacityBytes = Infinity } = options;
    requireCount("host.files.mount({ capacityBytes })", capacityBytes, 0, true);
    const place = this.#placeIn(attempt, path, "keep");
    if (place.entry !== undefined) throw systemError(attempt, "EEXIST");
    this.#mounts += 1;
    const volume = new Volume(this.disk.root.volume.device + this.#mounts, capacityBytes);
    this.#add(place, this.disk.createDirectory(volume, 0o755));
  }

  /**
   * Makes a symbolic link, and the directories above it.
   *
   * @param path where it is to be.
   * @param target where it leads: absolute, or seen from the directory it is in. Nothing need be there.
   * @throws SystemError if something is at `path`, or in its way.
   */
  link(path: string, target: string): void {
    const attempt = `make the link ${path}`;
    if (target === "") throw systemError(attempt, "ENOENT");
    const place = this.#placeIn(attempt, path, "keep");
    if (place.entry !== undefined) throw systemError(attempt, "EEXIST");
    this.#add(place, this.disk.createLink(place.directory.volume, target));
  }

  /** Gives a file or a directory other permission bits; links are followed. @throws SystemError if nothing is there. */
  setMode(path: string, mode: number): void {
    this.#setFacts(`set the mode of ${path}`, path, { mode });
  }

  /**
   * Gives a file or a directory another owner; links are followed. Programs are user 1000 of group 1000, and so is all that they make.
   *
   * @throws SystemError if nothing is there.
   */
  setOwner(path: string, user: number, group: number): void {
    this.#setFacts(`set the owner of ${path}`, path, { user, group });
  }

  /** Removes a file, a link, or a directory with what is in it; whether there was one. Whoever has a file open keeps it. */
  remove(path: string): boolean {
    const place = walk(this.#base, path, "keep");
    if (typeof place === "string" || place.entry === undefined) return false;
    if (place.special !== null) throw systemError(`remove ${path}`, "EBUSY");
    this.#removeEntry(place.entry);
    return true;
  }

  /**
   * How many bytes the disk has, in pages of 4 KiB; names and directories take none. When it is full, writing is `ENOSPC`, after as
   * much as there was room for. Default `Infinity`.
   *
   * @example A disk that is full in the middle of a file
   * ```ts
   * import { PartialWriteError, writeFile } from "arborio/fs";
   * import { simulate } from "arborio/sim";
   *
   * await simulate({ seed: 1 }, async ({ localhost: { files } }) => {
   *   files.capacityBytes = 8192;
   *   try {
   *     await writeFile("/data", new Uint8Array(10_000));
   *   } catch (error) {
   *     console.assert(error instanceof PartialWriteError && error.writtenBytes === 8192);
   *   }
   * });
   * ```
   */
  get capacityBytes(): number {
    return this.disk.root.volume.capacityBytes;
  }

  set capacityBytes(bytes: number) {
    requireCount("host.files.capacityBytes", bytes, 0, true);
    this.disk.root.volume.capacityBytes = bytes;
  }

  /** How many bytes of it are taken. A file that was removed takes its own until nobody has it open. */
  get usedBytes(): number {
    return this.disk.root.volume.usedBytes;
  }

  /** How many milliseconds each operation of the disk takes, at least and at most. Default `[0.02, 0.5]`. */
  get latencyMs(): readonly [least: number, greatest: number] {
    return this.times.latencyMs;
  }

  set latencyMs(range: readonly [least: number, greatest: number]) {
    const [least, greatest] = range;
    requireTime("host.files.latencyMs, the least", least);
    requireTime("host.files.latencyMs, the greatest", greatest);
    if (least < 0 || least > greatest || greatest === Infinity) {
      throw new RangeError(
        `host.files.latencyMs: got [${least}, ${greatest}], needs the least first, from 0 on, and a finite greatest`,
      );
    }
    this.times.latencyMs = [least, greatest];
  }

  /**
   * Makes the disk fail where a file or a directory is: to read, write or sync it is `EIO`, and so is to close it if something written
   * was not synced; below a directory nothing is found. Those that have it open see it too. What a sync could not write, no later
   * sync writes, as on Linux: it must be written once more.
   *
   * @param path links are followed.
   * @throws SystemError if nothing is there.
   */
  damage(path: string): void {
    this.#find(`damage ${path}`, path, true).isDamaged = true;
  }

  /** Ends what `damage` began. */
  repair(path: string): void {
    this.#find(`repair ${path}`, path, true).isDamaged = false;
  }

  /** @internal Forgets what had not reached the disk. No file may be open. */
  crash(): void {
    this.disk.crash(this.#chooser);
  }

  /** @internal What is there, or why nothing is. Links are followed. */
  find(path: string): Inode | SystemCode {
    const entry = find(this.#base, path, true);
    return typeof entry === "string" ? entry : entry.inode;
  }

  #setFacts(attempt: string, path: string, facts: Partial<InodeFacts>): void {
    const entry = find(this.#base, path, true);
    if (typeof entry === "string") throw systemError(attempt, entry);
    const { inode, directory, name } = entry;
    this.disk.setFacts(inode, facts);
    this.disk.sync(inode);
    directory.watches.changed(name);
  }

  get #base(): Base {
    return { root: this.disk.root, user: null };
  }

  #find(attempt: string, path: string, followLinks: boolean): Inode {
    const entry = find(this.#base, path, followLinks);
    if (typeof entry === "string") throw systemError(attempt, entry);
    return entry.inode;
  }

  /** What is at a path, or what `create` makes there. */
  #make(attempt: string, path: string, create: (volume: Volume) => Inode): Entry {
    const place = this.#placeIn(attempt, path, "follow");
    return place.entry ?? this.#add(place, create(place.directory.volume));
  }

  /** The place that a path leads to, in a directory that is made if it is not there. */
  #placeIn(attempt: string, path: string, lastLink: LastLink): Place {
    const place = walk(this.#base, path, lastLink);
    if (typeof place !== "string") return place;
    const parent = resolvePath(`${path}/..`);
    if (place !== "ENOENT" || path === "" || find(this.#base, parent, true) !== "ENOENT")
      throw systemError(attempt, place);
    this.makeDirectory(parent);
    return this.#placeIn(attempt, resolvePath(path), lastLink);
  }

  #add({ directory, name }: Place, inode: Inode): Entry {
    return this.#synced(() => this.disk.add(directory, name, inode));
  }

  #removeEntry(entry: Entry): void {
    const all = [entry];
    for (const { inode } of all) {
      if (inode.kind !== "directory") continue;
      for (const below of inode.entries.values()) all.push(below);
    }
    for (const one of all.reverse()) this.#synced(() => this.disk.remove(one));
  }

  #synced<T>(change: () => T): T {
    const result = change();
    this.disk.journal.syncLast();
    return result;
  }

  #socketFiles(): SocketFiles {
    return {
      add: (path, mode) => {
        try {
          const place = this.#placeIn(`bind ${path}`, path, "keep");
          return this.#add(place, this.disk.createSocket(place.directory.volume, mode)).inode;
        } catch (error) {
          if (error instanceof SystemError) return error.systemCode as SystemCode;
          throw error;
        }
      },
      find: (path, followLinks) => {
        const entry = find(this.#base, path, followLinks);
        return typeof entry === "string" ? entry : entry.inode;
      },
      remove: (path, file) => {
        const entry = find(this.#base, path, false);
        if (typeof entry !== "string" && entry.inode === file) this.#removeEntry(entry);
      },
    };
  }
}
