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

  pathOf(folder: string, name: string): string {
    return `${folder}/${name}`;
  }

  async exists(path: string): Promise<boolean> {
    this.#operate();
    return this.files.has(path);
  }

  async openPart(path: string): Promise<PartFile> {
    this.#operate();
    // As a descriptor does, it stays with the file when that is renamed.
    let bytes = this.files.get(path) ?? new Uint8Array();
    const change = (what: string, next: Uint8Array): void => {
      this.#operate(what);
      for (const [name, contents] of this.files) if (contents === bytes) this.files.set(name, next);
      bytes = next;
    };
    this.files.set(path, bytes);
    return {
      sizeBytes: bytes.length,
      write: async (chunk, offsetBytes) => {
        const next = new Uint8Array(Math.max(bytes.length, offsetBytes + chunk.length));
        next.set(bytes);
        next.set(chunk, offsetBytes);
        change("write", next);
      },
      truncate: async (sizeBytes) => change("truncate", bytes.slice(0, sizeBytes)),
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
    this.files.set(to, this.files.get(from) as Uint8Array);
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
