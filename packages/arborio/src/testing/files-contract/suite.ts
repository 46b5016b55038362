import { SystemError } from "../../core/errors.ts";
import type {
  DirectoryEntry,
  FileHandle,
  Files,
  FileStat,
  LockRequest,
  OpenTarget,
  PathChange,
  WatchHandle,
} from "../../platform/files.ts";
import type { Completion, Withdraw } from "../../platform/network.ts";
import { shielded } from "../../sync/shield.ts";
import { failAfter, sleep } from "../../sync/timeouts.ts";
import { equal, errorOf, instance, ok } from "../conformance/assert.ts";
import { settled } from "../network-contract/suite.ts";

/** One promise of the contract. */
export interface FilesCheck {
  readonly title: string;
  readonly body: (bench: Bench) => Promise<void>;
}

/** Time for something that happens. */
const WAIT_MS_MAX = 8_000;
/** How long to wait before looking again. */
const LOOK_AGAIN_MS = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a test needs; everything it makes is removed when the test has ended. */
export class Bench {
  readonly files: Files;
  /** The test's own, empty directory: absolute, without links. */
  readonly directory: string;
  readonly #handles: FileHandle[] = [];
  readonly #others: { close(): void }[] = [];
  /** What is told although it was withdrawn. */
  readonly #faults: unknown[] = [];
  /** For what is withdrawn. */
  readonly never: Completion<unknown> = {
    succeed: (value) => void this.#faults.push(value),
    fail: (error) => void this.#faults.push(error),
  };

  private constructor(files: Files, directory: string) {
    this.files = files;
    this.directory = directory;
  }

  static async open(files: Files, name: string): Promise<Bench> {
    const parent = await settled<string>("realPath", (done) =>
      files.realPath(files.temporaryDirectory, done),
    );
    const bench = new Bench(files, `${parent}/${name}`);
    await bench.makeDirectory("");
    return bench;
  }

  /** Where something in the directory is. */
  at(name: string): string {
    return name === "" ? this.directory : `${this.directory}/${name}`;
  }

  // Operations -----------------------------------------------------------------------------------------------------------

  /** Opens a file, to read it if nothing else is asked for. */
  async openFile(name: string, target: Partial<OpenTarget> = {}): Promise<FileHandle> {
    const handle = await this.openPath(this.at(name), target);
    this.#handles.push(handle);
    return handle;
  }

  openPath(path: string, target: Partial<OpenTarget> = {}): Promise<FileHandle> {
    const full: OpenTarget = {
      path,
      access: "read",
      create: "never",
      truncate: false,
      append: false,
      mode: 0o644,
      ...target,
    };
    return settled<FileHandle>("open", (done) => this.files.open(full, done));
  }

  stat(name: string): Promise<FileStat> {
    return settled("stat", (done) => this.files.stat(this.at(name), true, done));
  }

  /** `stat` of a link itself. */
  look(name: string): Promise<FileStat> {
    return settled("stat", (done) => this.files.stat(this.at(name), false, done));
  }

  realPath(name: string): Promise<string> {
    return settled("realPath", (done) => this.files.realPath(this.at(name), done));
  }

  readLink(name: string): Promise<string> {
    return settled("readLink", (done) => this.files.readLink(this.at(name), done));
  }

  entries(name: string): Promise<readonly DirectoryEntry[]> {
    return settled("readDirectory", (done) => this.files.readDirectory(this.at(name), done));
  }

  /** The names in a directory, sorted. */
  async list(name: string = ""): Promise<string> {
    return (await this.entries(name))
      .map((entry) => entry.name)
      .sort()
      .join(" ");
  }

  /** Does a change; paths are names in the directory, but not where a symbolic link is to lead. */
  change(change: PathChange): Promise<void> {
    let here: PathChange = { ...change, path: this.at(change.path) };
    if ("target" in here && here.kind !== "symbolic-link")
      here = { ...here, target: this.at(here.target) };
    return settled<void>(change.kind, (done) => this.files.change(here, done));
  }

  makeDirectory(path: string, mode: number = 0o755): Promise<void> {
    return this.change({ kind: "make-directory", path, mode });
  }

  removeFile(path: string): Promise<void> {
    return this.change({ kind: "remove-file", path });
  }

  removeDirectory(path: string): Promise<void> {
    return this.change({ kind: "remove-directory", path });
  }

  rename(path: string, target: string): Promise<void> {
    return this.change({ kind: "rename", path, target });
  }

  symbolicLink(path: string, target: string): Promise<void> {
    return this.change({ kind: "symbolic-link", path, target });
  }

  hardLink(path: string, target: string): Promise<void> {
    return this.change({ kind: "hard-link", path, target });
  }

  copyFile(path: string, target: string, replace: boolean = false): Promise<void> {
    return this.change({ kind: "copy-file", path, target, replace });
  }

  /** Watches a directory; `log` is told the names, and `"failed CODE"`. */
  async watch(name: string, log: (string | null)[]): Promise<WatchHandle> {
    const told = {
      changed: (changed: string | null): void => void log.push(changed),
      failed: (error: Error): void => void log.push(`failed ${codeOf(error)}`),
    };
    const watch = await settled<WatchHandle>("watch", (done) =>
      this.files.watch(this.at(name), told, done),
    );
    this.owns(watch);
    return watch;
  }

  /** Closes it when the test has ended. */
  owns(handle: { close(): void }): void {
    this.#others.push(handle);
  }

  // Files as wholes ------------------------------------------------------------------------------------------------------

  /** Makes a file, or writes over what is in one. */
  async write(name: string, text: string): Promise<void> {
    const handle = await this.openFile(name, {
      access: "write",
      create: "if-missing",
      truncate: true,
    });
    await writeAll(handle, text, 0);
    await closed(handle);
  }

  /** What is in a file. */
  async read(name: string): Promise<string> {
    const handle = await this.openFile(name);
    const text = await readAll(handle);
    await closed(handle);
    return text;
  }

  // Waiting --------------------------------------------------------------------------------------------------------------

  /** Waits until it is so. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    try {
      await failAfter(WAIT_MS_MAX, async () => {
        while (!(await holds())) await sleep(LOOK_AGAIN_MS);
      });
    } catch (error) {
      throw new Error(`did not happen: ${what}`, { cause: error });
    }
  }

  /** Ends and removes everything. */
  close(): Promise<void> {
    return shielded(async () => {
      for (const other of this.#others) other.close();
      for (const handle of this.#handles) await closed(handle);
      await this.#removeTree("");
      equal(this.#faults.join(", "), "", "told although it was withdrawn");
    });
  }

  async #removeTree(name: string): Promise<void> {
    await this.change({ kind: "mode", path: name, mode: 0o700 });
    for (const entry of await this.entries(name)) {
      const path = name === "" ? entry.name : `${name}/${entry.name}`;
      if (entry.kind === "directory") await this.#removeTree(path);
      else await this.removeFile(path);
    }
    await this.removeDirectory(name);
  }
}

/** Writes all of a text. */
export async function writeAll(handle: FileHandle, text: string, position: number): Promise<void> {
  const bytes = encoder.encode(text);
  for (let done = 0; done < bytes.length;)
    done += await write(handle, bytes.subarray(done), position + done);
}

/** The text of a file from a position on, at most so many bytes. */
export async function readAll(
  handle: FileHandle,
  position: number = 0,
  bytesMax: number = Infinity,
): Promise<string> {
  const bytes: number[] = [];
  while (bytes.length < bytesMax) {
    const view = new Uint8Array(Math.min(bytesMax - bytes.length, 65_536));
    const count = await read(handle, view, position + bytes.length);
    if (count === 0) break;
    bytes.push(...view.subarray(0, count));
  }
  return decoder.decode(Uint8Array.from(bytes));
}

export function write(handle: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  return settled("write", (done) => handle.write(bytes, position, done));
}

export function read(handle: FileHandle, view: Uint8Array, position: number): Promise<number> {
  return settled("read", (done) => handle.read(view, position, done));
}

export function setSize(handle: FileHandle, bytes: number): Promise<void> {
  return settled("setSize", (done) => handle.setSize(bytes, done));
}

export function sync(handle: FileHandle, dataOnly: boolean): Promise<void> {
  return settled("sync", (done) => handle.sync(dataOnly, done));
}

export function statOf(handle: FileHandle): Promise<FileStat> {
  return settled("stat", (done) => handle.stat(done));
}

export function lock(handle: FileHandle, request: LockRequest): Promise<boolean> {
  return settled("lock", beginLock(handle, request));
}

export function beginLock(
  handle: FileHandle,
  request: LockRequest,
): (done: Completion<boolean>) => Withdraw {
  return (done) => {
    ok(handle.lock, "needed a lock");
    return handle.lock(request, done);
  };
}

/** Closes a file; what closing said. One that is closed already says nothing. */
export async function closed(handle: FileHandle): Promise<Error | null> {
  let said: Error | null = null;
  handle.close((error) => {
    said = error;
  });
  return said;
}

/** Fails unless it is refused with one of these codes. */
export async function refused(
  promise: Promise<unknown>,
  ...codes: readonly string[]
): Promise<void> {
  const error = await errorOf(promise);
  instance(error, SystemError);
  ok(codes.includes(error.systemCode), `needed ${codes.join(" or ")}: ${error.message}`);
}

function codeOf(error: Error): string {
  return error instanceof SystemError ? error.systemCode : String(error);
}
