import { CommandError } from "../command-error.ts";
import type { Disk, PartFile } from "./disk.ts";
import { type Checksum, checksumOf } from "./checksum.ts";
import { formatPartState, parsePartState, partPathOf, statePathOf } from "./part-state.ts";
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
  /** Whether a part that is not of an earlier run may be replaced: browsers name theirs so too. */
  readonly overwrite: boolean;
}

/**
 * A file. Its bytes are collected in `NAME.part`, with a state in `NAME.part.json` beside it, and get their name when all are there: so a
 * file of that name is complete, and a process that is killed at any moment leaves what the next one can complete, or nothing. Of two that
 * work at the same file, the one that finds its part gone in the end fails; neither finishes what the other has written.
 */
export class FileTarget implements Target {
  readonly #disk: Disk;
  readonly #options: FileTargetOptions;
  #file: PartFile;
  readonly #partPath: string;
  readonly #statePath: string;
  #version: Version | null = null;
  #sizeBytes = 0;
  /** What an earlier run has left, or another one works at, is as it was. */
  #isUntouched: boolean;

  /** @internal Use `openFileTarget`. */
  constructor(disk: Disk, options: FileTargetOptions, file: PartFile) {
    this.#disk = disk;
    this.#options = options;
    this.#file = file;
    this.#partPath = partPathOf(options.path);
    this.#statePath = statePathOf(options.path);
    this.#isUntouched = !file.isNew;
  }

  /** @internal Takes over what an earlier run has left. @throws CommandError if what is there is not of one. */
  async takeOver(): Promise<void> {
    const text = await this.#disk.readText(this.#statePath);
    const { url, resume, overwrite } = this.#options;
    if (text === null && this.#file.sizeBytes > 0 && !overwrite)
      throw new CommandError(
        `${this.#partPath} is there, and is not of an earlier run; --overwrite replaces it`,
      );
    const state = text === null ? null : parsePartState(text);
    if (!resume || state === null || state.url !== url) return;
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
    // Whoever has a part open that was there goes on writing to it.
    const isFree = this.#file.isNew && this.#sizeBytes === 0;
    this.#isUntouched = false;
    this.#version = null;
    this.#sizeBytes = 0;
    // In this order: whenever the process is killed, no state stands beside bytes of another version, and no bytes without a state.
    if (!isFree || !(await this.#file.isInPlace())) {
      const former = this.#file;
      this.#file = await this.#disk.replacePart(this.#partPath);
      // Only now: else the new file could get the number of the former one, and be taken for it.
      await former.close();
    }
    await this.#writeState(version);
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
    await this.#requireInPlace();
    if (checksum !== null) {
      // Of what the disk has, with what an earlier run has put there.
      const { hex } = await checksumOf(checksum.algorithm, this.#disk.read(this.#partPath));
      await this.#requireInPlace();
      if (hex !== checksum.hex) {
        await this.#drop();
        throw wrongChecksum(checksum, hex);
      }
    }
    await this.#disk.rename(this.#partPath, this.#options.path);
    await this.#disk.remove(this.#statePath);
  }

  async close(): Promise<void> {
    const version = this.#version;
    const canBeCompleted = version !== null && version.validator !== null && this.#sizeBytes > 0;
    try {
      const isWorthless = !canBeCompleted && !this.#isUntouched;
      if (isWorthless && (await this.#file.isInPlace())) await this.#drop();
    } finally {
      await this.#file.close();
    }
  }

  async #requireInPlace(): Promise<void> {
    if (await this.#file.isInPlace()) return;
    throw new CommandError(
      `${this.#partPath} is not the file that it was: does another run work at it?`,
    );
  }

  async #drop(): Promise<void> {
    await this.#disk.remove(this.#partPath);
    await this.#disk.remove(this.#statePath);
  }

  async #writeState(version: Version): Promise<void> {
    const { url } = this.#options;
    await this.#disk.writeText(this.#statePath, formatPartState({ url, version }));
  }
}

/** Opens the part of a file. @throws CommandError if it cannot be written, or is somebody else's. */
export async function openFileTarget(disk: Disk, options: FileTargetOptions): Promise<FileTarget> {
  const file = await disk.openPart(partPathOf(options.path));
  const target = new FileTarget(disk, options, file);
  try {
    await target.takeOver();
    return target;
  } catch (error) {
    await file.close();
    throw error;
  }
}
