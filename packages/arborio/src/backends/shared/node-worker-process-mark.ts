/**
 * Two numbers, one that a program shows to its worker, and one that this shows to the program. Each can look at the other's at any time: also
 * while code runs without a pause and no message is read, and when the worker has ended. Processes of JavaScript share no memory, but the
 * first bytes of a file do as well: it costs a system call. The file loses its name as soon as the worker has opened it.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lazily } from "./builtin.ts";

const fs = lazily("node:fs");

const MARK_BYTES = Int32Array.BYTES_PER_ELEMENT;
/** Where in the file the program's is, in bytes. */
const OF_PROGRAM = 0;
/** Where in the file the worker's is, in bytes. */
const OF_WORKER: number = MARK_BYTES;

/** One side of the file. */
export class MarkFile {
  /** Where the other side finds it. */
  readonly path: string;
  readonly #own: number;
  readonly #others: number;
  readonly #seen: Int32Array = new Int32Array(1);
  #descriptor: number | null;

  private constructor(path: string, descriptor: number, own: number, others: number) {
    this.path = path;
    this.#descriptor = descriptor;
    this.#own = own;
    this.#others = others;
  }

  /** The program's side. At first both numbers are 0. `null` if no file can be made, as where the whole system is read-only. */
  static create(): MarkFile | null {
    try {
      const path = join(tmpdir(), `arborio-mark-${crypto.randomUUID()}`);
      const file = new MarkFile(path, fs().openSync(path, "wx+", 0o600), OF_PROGRAM, OF_WORKER);
      fs().ftruncateSync(file.#descriptor as number, 2 * MARK_BYTES);
      return file;
    } catch {
      return null;
    }
  }

  /** The worker's side, for as long as it lives. `null` if the file is gone, which somebody has cleaned away. */
  static open(path: string): MarkFile | null {
    try {
      const file = new MarkFile(path, fs().openSync(path, "r+"), OF_WORKER, OF_PROGRAM);
      fs().rmSync(path, { force: true });
      return file;
    } catch {
      return null;
    }
  }

  show(mark: number): void {
    if (this.#descriptor !== null)
      fs().writeSync(this.#descriptor, Int32Array.of(mark), 0, MARK_BYTES, this.#own);
  }

  /** What the other side has shown last; when this one is closed, what it had until then. */
  read(): number {
    if (this.#descriptor !== null)
      fs().readSync(this.#descriptor, this.#seen, 0, MARK_BYTES, this.#others);
    return this.#seen[0] as number;
  }

  close(): void {
    if (this.#descriptor === null) return;
    this.read();
    fs().closeSync(this.#descriptor);
    this.#descriptor = null;
    // The other side may have ended before it came to that.
    fs().rmSync(this.path, { force: true });
  }
}
