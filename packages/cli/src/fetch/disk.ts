/** The files of downloads. */
import { shielded, SystemError } from "arborio";
import { type File, openFile, Path, readTextFile, replaceFile, stat } from "arborio/fs";
import { CommandError } from "../command-error.ts";

/** What downloads need of a file system. */
export interface Disk {
  /** The path of a file below a folder. */
  pathOf(folder: string, name: string): string;
  /** Whether there is a file. @throws CommandError if there is something else. */
  exists(path: string): Promise<boolean>;
  /** Opens a file for writing, which is made if there is none, with its folder. */
  openPart(path: string): Promise<PartFile>;
  /** Makes an empty file for writing, in the place of one that may be there: who has that open keeps it, and disturbs nobody. */
  replacePart(path: string): Promise<PartFile>;
  /** The whole of a text file; `null` if there is none. */
  readText(path: string): Promise<string | null>;
  /** Replaces a file by this text, all or nothing. */
  writeText(path: string, text: string): Promise<void>;
  /** The bytes of a file. */
  read(path: string): AsyncIterable<Uint8Array>;
  /** Moves a file to another place, where it takes the place of what is there. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, if it is there. */
  remove(path: string): Promise<void>;
}

/** A file that is being written. */
export interface PartFile {
  /** When it was opened. */
  readonly sizeBytes: number;
  /** Nobody else has made it. */
  readonly isNew: boolean;
  /** Whether its path still leads to it: another process may have removed, moved or replaced it. */
  isInPlace(): Promise<boolean>;
  write(bytes: Uint8Array, offsetBytes: number): Promise<void>;
  /** Waits until the disk has it. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Not "a+", where every write would go to the end; not "w+", which would cut what is there. */
const PART_FLAGS = "r+";
const NEW_FLAGS = "wx+";

/** Bytes of a file that are read at a time. */
const READ_BYTES = 256 * 1024;

/**
 * The machine's own. Each call here is short, and is done to its end also when its task is cancelled: what is on the disk fits together
 * after Ctrl-C too. Errors are `CommandError`s that say what could not be done.
 */
export const disk: Disk = {
  pathOf: (folder, name) => new Path(folder, name).toString(),
  exists: (path) =>
    told(async () => {
      const found = await orNull(stat(path));
      if (found === null) return false;
      if (found.kind === "file") return true;
      throw new CommandError("is there already, and is no file");
    }),
  openPart: (path) =>
    told(async () => {
      const { parent } = new Path(path);
      await parent.makeDirectory({ parents: true, existOk: true });
      const there = await orNull(openFile(path, { flags: PART_FLAGS }));
      if (there !== null) return await partFile(path, there, false);
      return await partFile(path, await openFile(path, { flags: NEW_FLAGS }), true);
    }),
  replacePart: (path) =>
    told(async () => {
      await new Path(path).remove({ missingOk: true });
      return await partFile(path, await openFile(path, { flags: NEW_FLAGS }), true);
    }),
  readText: (path) => told(() => orNull(readTextFile(path))),
  writeText: async (path, text) => {
    await told(() => replaceFile(path, text));
  },
  read: readChunks,
  rename: (from, to) => told(() => new Path(from).rename(to)),
  remove: (path) => told(() => new Path(path).remove({ missingOk: true })),
};

async function partFile(path: string, file: File, isNew: boolean): Promise<PartFile> {
  const { size, inode, device } = await file.stat();
  return {
    sizeBytes: size,
    isNew,
    isInPlace: () =>
      told(async () => {
        const found = await orNull(stat(path));
        return found?.inode === inode && found.device === device;
      }),
    write: async (bytes, offsetBytes) => void (await told(() => file.write(bytes, offsetBytes))),
    sync: () => told(() => file.sync()),
    close: () => told(() => file[Symbol.asyncDispose]()),
  };
}

async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  const file = await told(() => openFile(path));
  try {
    for (;;) {
      const chunk = await told(() => file.read(READ_BYTES));
      if (chunk.length === 0) return;
      yield chunk;
    }
  } finally {
    file.close();
  }
}

/** Its message says what was attempted, on which path. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await shielded(work);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new CommandError(`cannot ${error.message}`);
  }
}

/** `null` if there is no such file. */
async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof SystemError && error.systemCode === "ENOENT") return null;
    throw error;
  }
}
