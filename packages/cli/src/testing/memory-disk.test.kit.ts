import { CommandError } from "../command-error.ts";
import type { Disk, PartFile } from "../fetch/disk.ts";

/** What every operation of a disk throws whose process was killed. */
export class Killed extends Error {}

/** Files in memory. Can be killed between any two operations, as a process can. */
export class MemoryDisk implements Disk {
  readonly files: Map<string, Uint8Array> = new Map();
  /** What was done, in order, but for reading. */
  readonly log: string[] = [];
  /** Operations that are still done. */
  operationsLeft: number = Infinity;
  /** By what is in them. */
  readonly #opened: WeakMap<Uint8Array, { contents: Uint8Array }> = new WeakMap();

  pathOf(folder: string, name: string): string {
    return `${folder}/${name}`;
  }

  async exists(path: string): Promise<boolean> {
    this.#operate();
    return this.files.has(path);
  }

  async openPart(path: string): Promise<PartFile> {
    this.#operate();
    return this.#part(path, !this.files.has(path));
  }

  async replacePart(path: string): Promise<PartFile> {
    this.#operate(`replace ${path}`);
    this.files.delete(path);
    return this.#part(path, true);
  }

  #part(path: string, isNew: boolean): PartFile {
    const contents = this.files.get(path) ?? new Uint8Array();
    this.files.set(path, contents);
    // As descriptors do, all that are open stay with the file when it is renamed.
    const file = this.#opened.get(contents) ?? { contents };
    this.#opened.set(contents, file);
    return {
      sizeBytes: contents.length,
      isNew,
      isInPlace: async () => {
        this.#operate();
        return this.files.get(path) === file.contents;
      },
      write: async (chunk, offsetBytes) => {
        this.#operate("write");
        const before = file.contents;
        const after = new Uint8Array(Math.max(before.length, offsetBytes + chunk.length));
        after.set(before);
        after.set(chunk, offsetBytes);
        for (const [name, bytes] of this.files) if (bytes === before) this.files.set(name, after);
        file.contents = after;
        this.#opened.set(after, file);
      },
      sync: async () => this.#operate("sync"),
      close: async () => this.#operate("close"),
    };
  }

  async readText(path: string): Promise<string | null> {
    this.#operate();
    const bytes = this.files.get(path);
    return bytes === undefined ? null : new TextDecoder().decode(bytes);
  }

  async writeText(path: string, text: string): Promise<void> {
    this.#operate(`write ${path}`);
    this.files.set(path, new TextEncoder().encode(text));
  }

  async *read(path: string): AsyncGenerator<Uint8Array> {
    this.#operate();
    yield (this.files.get(path) as Uint8Array).slice();
  }

  async rename(from: string, to: string): Promise<void> {
    this.#operate(`rename ${from}`);
    const bytes = this.files.get(from);
    if (bytes === undefined) throw new CommandError(`cannot move ${from}: it is not there`);
    this.files.set(to, bytes);
    this.files.delete(from);
  }

  async remove(path: string): Promise<void> {
    this.#operate(`remove ${path}`);
    this.files.delete(path);
  }

  #operate(what?: string): void {
    if (this.operationsLeft <= 0) throw new Killed("killed");
    this.operationsLeft -= 1;
    if (what !== undefined) this.log.push(what);
  }
}
