/**
 * A number that a process shows to another, which can look at it at any time: also while its code runs without a pause, and no message
 * is read. Processes of JavaScript share no memory, but the first bytes of a file do as well: it costs a system call. The file loses its
 * name as soon as the other has opened it.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lazily } from "./builtin.ts";

const fs = lazily("node:fs");

const MARK_BYTES = Int32Array.BYTES_PER_ELEMENT;

/** The side that shows the number. At first it is 0. */
export class MarkWriter {
  /** Where the other side finds it. */
  readonly path: string;
  #descriptor: number | null;

  private constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  /** `null` if no file can be made, as where the whole system is read-only. */
  static create(): MarkWriter | null {
    try {
      const path = join(tmpdir(), `arborio-mark-${crypto.randomUUID()}`);
      const writer = new MarkWriter(path, fs().openSync(path, "wx", 0o600));
      writer.show(0);
      return writer;
    } catch {
      return null;
    }
  }

  show(mark: number): void {
    if (this.#descriptor !== null)
      fs().writeSync(this.#descriptor, Int32Array.of(mark), 0, MARK_BYTES, 0);
  }

  close(): void {
    if (this.#descriptor === null) return;
    fs().closeSync(this.#descriptor);
    this.#descriptor = null;
    // The other side may have ended before it came to that.
    fs().rmSync(this.path, { force: true });
  }
}

/** The side that looks at the number, as long as the process lives. */
export class MarkReader {
  readonly #descriptor: number;
  readonly #mark: Int32Array = new Int32Array(1);

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** `null` if the file is gone, which somebody has cleaned away. */
  static open(path: string): MarkReader | null {
    try {
      const reader = new MarkReader(fs().openSync(path, "r"));
      fs().rmSync(path, { force: true });
      return reader;
    } catch {
      return null;
    }
  }

  read(): number {
    fs().readSync(this.#descriptor, this.#mark, 0, MARK_BYTES, 0);
    return this.#mark[0] as number;
  }
}
