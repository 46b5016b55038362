/**
 * What is written to many files, as one stream. Each file has a task that looks at it, and sends what it finds into one channel: when
 * nobody takes out of it, nothing more is read. Watches of the directories tell the tasks when to look.
 */
import {
  BrokenResourceError,
  Event,
  moveOnAfter,
  type SendChannel,
  sleep,
  SystemError,
  taskGroup,
} from "arborio";
import { PurePath, watchDirectory } from "arborio/fs";
import { FollowedFile } from "./followed-file.ts";

/** Whole lines of a file. */
export interface Chunk {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** How files are followed. */
export interface FollowOptions {
  /** So many lines of each file are sent first. */
  readonly lastLines: number;
  readonly sender: SendChannel<Chunk>;
  /** Is told what becomes of a file. */
  readonly note: (path: string, text: string) => void;
}

/** Milliseconds of quiet after which a file is looked at: a program that writes all the time is read in larger parts. */
const SETTLE_MS = 10;

/** Files are looked at every so many milliseconds anyway: a link's target, or a directory that is not there yet, nobody watches. */
const LOOK_MS = 1000;

/** Follows the files until it is cancelled. */
export async function followFiles(
  paths: readonly string[],
  { lastLines, sender, note }: FollowOptions,
): Promise<void> {
  const bells = new Map<string, Bell>();
  await taskGroup(async (group) => {
    // The last lines of one file come before those of the next.
    for (const path of new Set(paths)) {
      const file = new FollowedFile(path, {
        lines: (bytes) => sender.send({ path, bytes }),
        note: (text) => note(path, text),
      });
      const bell = new Bell();
      bells.set(path, bell);
      group.startSoon(() => follow(file, bell), { name: path });
      await file.open(lastLines);
      bell.ring();
    }
    for (const [directory, ringers] of byDirectory(bells))
      group.startSoon(() => watch(directory, ringers), { name: directory });
  });
}

/** Owns the file; begins at the first ring. */
async function follow(file: FollowedFile, bell: Bell): Promise<void> {
  using _closing = file;
  await bell.wait();
  for (;;) {
    await file.look();
    await moveOnAfter(LOOK_MS, () => bell.wait());
  }
}

/** Rings for each name in a directory to which something happens, also when the directory goes and comes again. */
async function watch(directory: string, ringers: ReadonlyMap<string, Bell>): Promise<void> {
  for (;;) {
    try {
      using changes = await watchDirectory(directory, {
        settleMs: SETTLE_MS,
        ignore: (path) => !ringers.has(nameOf(path)),
      });
      for (const bell of ringers.values()) bell.ring();
      for await (const { path } of changes) ringers.get(nameOf(path))?.ring();
    } catch (error) {
      if (!(error instanceof SystemError || error instanceof BrokenResourceError)) throw error;
    }
    await sleep(LOOK_MS);
  }
}

/** Something that several rings in a row wake from once. */
class Bell {
  #rung: Event = new Event();

  ring(): void {
    this.#rung.set();
  }

  async wait(): Promise<void> {
    await this.#rung.wait();
    this.#rung = new Event();
  }
}

/** The bells of each directory, by name. */
function byDirectory(bells: ReadonlyMap<string, Bell>): Map<string, Map<string, Bell>> {
  const directories = new Map<string, Map<string, Bell>>();
  for (const [path, bell] of bells) {
    const directory = String(new PurePath(path).parent);
    const names = directories.get(directory) ?? new Map<string, Bell>();
    directories.set(directory, names.set(nameOf(path), bell));
  }
  return directories;
}

function nameOf(path: string): string {
  return new PurePath(path).name;
}
