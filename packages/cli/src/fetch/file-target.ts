import type { Disk, PartFile } from "./disk.ts";
import { type Checksum, checksumOf } from "./checksum.ts";
import { formatPartState, parsePartState } from "./part-state.ts";
import type { Part, Version } from "./range-plan.ts";
import { type Target, wrongChecksum } from "./target.ts";

/** Which file, of what. */
export interface FileTargetOptions {
  /** Where it is to be when it is complete. */
  readonly path: string;
  /** Where it comes from: a part of something else is of no use. */
  readonly url: string;
  /** Whether the part that an earlier run has left may be completed. */
  readonly resume: boolean;
}

/**
 * A file. Its bytes are collected in `NAME.part`, with a state in `NAME.part.json` beside it, and get their name when all are there: so a
 * file of that name is complete, and a process that is killed at any moment leaves what the next one can complete, or nothing.
 */
export class FileTarget implements Target {
  readonly #disk: Disk;
  readonly #options: FileTargetOptions;
  readonly #file: PartFile;
  readonly #partPath: string;
  readonly #statePath: string;
  #version: Version | null = null;
  #sizeBytes = 0;

  /** @internal Use `openFileTarget`. */
  constructor(disk: Disk, options: FileTargetOptions, file: PartFile) {
    this.#disk = disk;
    this.#options = options;
    this.#file = file;
    this.#partPath = partPathOf(options.path);
    this.#statePath = statePathOf(options.path);
  }

  /** @internal Takes over what an earlier run has left. */
  async takeOver(): Promise<void> {
    const text = await this.#disk.readText(this.#statePath);
    const state = text === null ? null : parsePartState(text);
    if (state === null || state.url !== this.#options.url) return;
    const { totalBytes } = state.version;
    if (totalBytes !== null && this.#file.sizeBytes > totalBytes) return;
    this.#version = state.version;
    this.#sizeBytes = this.#file.sizeBytes;
  }

  get part(): Part | null {
    const version = this.#version;
    return version === null ? null : { version, sizeBytes: this.#sizeBytes };
  }

  async begin(version: Version): Promise<void> {
    this.#version = null;
    this.#sizeBytes = 0;
    // In this order: whenever the process is killed, no state stands beside bytes of another version.
    await this.#disk.remove(this.#statePath);
    await this.#file.truncate(0);
    if (version.validator !== null) await this.#writeState(version);
    this.#version = version;
  }

  async resume(version: Version): Promise<void> {
    if (version.totalBytes !== this.#version?.totalBytes) await this.#writeState(version);
    this.#version = version;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes, this.#sizeBytes);
    this.#sizeBytes += bytes.length;
  }

  async finish(checksum: Checksum | null): Promise<void> {
    // Before it gets its name: after a loss of power, a file of that name has its bytes too.
    await this.#file.sync();
    if (checksum !== null) {
      // Of what the disk has, with what an earlier run has put there.
      const { hex } = await checksumOf(checksum.algorithm, this.#disk.read(this.#partPath));
      if (hex !== checksum.hex) {
        await this.#drop();
        throw wrongChecksum(checksum, hex);
      }
    }
    await this.#disk.rename(this.#partPath, this.#options.path);
    await this.#disk.remove(this.#statePath);
  }

  async close(): Promise<void> {
    await this.#file.close();
    const version = this.#version;
    const canBeCompleted = version !== null && version.validator !== null && this.#sizeBytes > 0;
    if (!canBeCompleted) await this.#drop();
  }

  async #drop(): Promise<void> {
    await this.#disk.remove(this.#statePath);
    await this.#disk.remove(this.#partPath);
  }

  async #writeState(version: Version): Promise<void> {
    const { url } = this.#options;
    await this.#disk.writeText(this.#statePath, formatPartState({ url, version }));
  }
}

/** Opens the part of a file. @throws CommandError if it cannot be written. */
export async function openFileTarget(disk: Disk, options: FileTargetOptions): Promise<FileTarget> {
  const file = await disk.openPart(partPathOf(options.path));
  const target = new FileTarget(disk, options, file);
  try {
    if (options.resume) await target.takeOver();
    return target;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function partPathOf(path: string): string {
  return `${path}.part`;
}

function statePathOf(path: string): string {
  return `${path}.part.json`;
}
