import { BusyResourceError, InvalidStateError } from "../core/errors.ts";
import type { Completion, Withdraw } from "../platform/network.ts";
import type { OpenHandle } from "./open-handle.ts";
import type { ReadAhead } from "./read-ahead.ts";
import { type WriteEnd, writePieces } from "./write-pieces.ts";

/** Reads and writes at given positions, or at the file's own, where only one operation may run. */
export class FileCursor {
  readonly #open: OpenHandle;
  #position = 0;
  /** An operation at the file's own position runs. */
  #moving = false;

  constructor(open: OpenHandle) {
    this.#open = open;
  }

  get position(): number {
    return this.#position;
  }

  seek(position: number): void {
    this.#requireStill("seek");
    this.#position = position;
  }

  read(
    operation: string,
    view: Uint8Array,
    position: number | undefined,
    completion: Completion<number>,
  ): Withdraw {
    const { handle } = this.#open;
    this.#open.requireAccess(operation, "read");
    if (position !== undefined) return handle.read(view, position, completion);
    this.#requireStill(operation);
    this.#moving = true;
    const withdraw = handle.read(view, this.#position, {
      succeed: (count) => {
        this.#moving = false;
        this.#position += count;
        completion.succeed(count);
      },
      fail: (error) => {
        this.#moving = false;
        completion.fail(error);
      },
    });
    return () => {
      this.#moving = false;
      withdraw();
    };
  }

  /** The next chunk at the file's own position, by somebody who reads ahead; `null` at the end. */
  next(ahead: ReadAhead, maxBytes: number, completion: Completion<Uint8Array | null>): Withdraw {
    this.#open.requireAccess("read", "read");
    this.#requireStill("read");
    this.#moving = true;
    ahead.seek(this.#position);
    const withdraw = ahead.read(maxBytes, {
      succeed: (chunk) => {
        this.#moving = false;
        this.#position += chunk?.length ?? 0;
        completion.succeed(chunk);
      },
      fail: (error) => {
        this.#moving = false;
        completion.fail(error);
      },
    });
    return () => {
      this.#moving = false;
      withdraw();
    };
  }

  write(bytes: Uint8Array, position: number | undefined, ended: WriteEnd): void {
    this.#open.requireAccess("write", "write");
    if (position !== undefined) {
      this.#requireHeeded(position);
      writePieces(this.#open, bytes, position, ended);
      return;
    }
    this.#requireStill("write");
    this.#moving = true;
    writePieces(this.#open, bytes, this.#position, (written, error) => {
      this.#moving = false;
      if (!this.#open.appends) this.#position += written;
      ended(written, error);
    });
  }

  #requireStill(operation: string): void {
    if (!this.#moving) return;
    throw new BusyResourceError(
      `File.${operation}: another task reads or writes at the file's own position at the moment; give a position, or let one task do it`,
    );
  }

  #requireHeeded(position: number): void {
    if (!this.#open.appends) return;
    throw new InvalidStateError(
      `File.write: got the position ${position}, but ${this.#open.path} was opened to append: all goes to its end; leave the position out, or open it with "r+"`,
    );
  }
}
