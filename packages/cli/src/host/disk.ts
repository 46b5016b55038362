/** Files, for writing: `arborio/fs` reads only. Each call here is short, and is waited for also when its task is cancelled: no write goes on behind anybody's back. */
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { getSystemErrorMap } from "node:util";
import { CommandError } from "../command-error.ts";

/** Bytes of a file that are read at a time. */
const READ_BYTES = 256 * 1024;

/** What downloads need of a file system. */
export interface Disk {
  /** The absolute path of a file below a folder. */
  pathOf(folder: string, name: string): string;
  /** Whether there is a file. @throws CommandError if there is something else. */
  exists(path: string): Promise<boolean>;
  /** Opens a file for writing, which is made if there is none, with its folder. */
  openPart(path: string): Promise<PartFile>;
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
  write(bytes: Uint8Array, offsetBytes: number): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  /** Waits until the disk has it. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The machine's own. Errors are `CommandError`s that say what could not be done. */
export const disk: Disk = {
  pathOf: (folder, name) => resolve(folder, name),
  exists: (path) =>
    told(`look for ${path}`, async () => {
      try {
        if ((await stat(path)).isFile()) return true;
        throw new CommandError(`${path} is there, and is no file`);
      } catch (error) {
        if (codeOf(error) === "ENOENT") return false;
        throw error;
      }
    }),
  openPart: (path) =>
    told(`write ${path}`, async () => {
      await mkdir(dirname(path), { recursive: true });
      // Not "a+", with which every write would go to the end; not "w+", which would cut what is there.
      const handle = await open(path, "r+").catch(async (error: unknown) => {
        if (codeOf(error) !== "ENOENT") throw error;
        return await open(path, "wx+");
      });
      return await partFile(path, handle);
    }),
  readText: (path) =>
    told(`read ${path}`, async () => {
      try {
        return await readFile(path, "utf8");
      } catch (error) {
        if (codeOf(error) === "ENOENT") return null;
        throw error;
      }
    }),
  writeText: (path, text) =>
    told(`write ${path}`, async () => {
      const next = `${path}.new`;
      const handle = await open(next, "w");
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(next, path);
    }),
  read: readChunks,
  rename: (from, to) => told(`make ${to}`, () => rename(from, to)),
  remove: (path) => told(`remove ${path}`, () => rm(path, { force: true })),
};

async function partFile(path: string, handle: FileHandle): Promise<PartFile> {
  const { size } = await handle.stat();
  const write = <T>(work: () => Promise<T>): Promise<T> => told(`write ${path}`, work);
  return {
    sizeBytes: size,
    write: (bytes, offsetBytes) =>
      write(async () => {
        for (let done = 0; done < bytes.length;) {
          const { bytesWritten } = await handle.write(
            bytes,
            done,
            bytes.length - done,
            offsetBytes + done,
          );
          done += bytesWritten;
        }
      }),
    truncate: (sizeBytes) => write(() => handle.truncate(sizeBytes)),
    sync: () => write(() => handle.sync()),
    close: () => write(() => handle.close()),
  };
}

async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  const handle = await told(`read ${path}`, () => open(path, "r"));
  try {
    for (;;) {
      const chunk = new Uint8Array(READ_BYTES);
      const { bytesRead } = await told(`read ${path}`, () => handle.read(chunk, 0, READ_BYTES));
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function told<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    const [, text = ""] = [...getSystemErrorMap().values()].find(([name]) => name === code) ?? [];
    throw new CommandError(`cannot ${what}: ${text === "" ? code : `${text} (${code})`}`);
  }
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}
