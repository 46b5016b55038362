import { BrokenResourceError, BusyResourceError, ClosedResourceError, EndOfStream } from "arborio";
import type { File } from "arborio/fs";
import { checkpoint, checkpointIfCancelled } from "arborio/lowlevel";
import type { ByteReceiveStream } from "arborio/streams";
import type { BodySegment } from "./multipart-ranges.ts";

/**
 * Parts of a file, and bytes between them, as a body. Owns the file: it is closed with the last byte, when a read fails, and when the
 * body is closed. A receive that is cancelled lost nothing.
 *
 * It has the length that was promised, or fails: of a file that became shorter meanwhile nobody shall take a part for the whole.
 */
export class FileBody implements ByteReceiveStream {
  /** Bytes of all together. */
  readonly length: number;
  readonly #file: File;
  readonly #segments: BodySegment[];
  #remaining: number;
  /** Of the first segment, if that is a part of the file. */
  #part: ByteReceiveStream | null = null;
  /** Bytes of the first segment that are still to come. */
  #partRemaining = 0;
  #receiving = false;
  #closed = false;

  constructor(file: File, segments: readonly BodySegment[], length: number) {
    this.#file = file;
    this.#segments = segments.filter((segment) => bytesOf(segment) > 0);
    this.length = length;
    this.#remaining = length;
    if (length === 0) file.close();
  }

  async receive(maxBytes: number = 65_536): Promise<Uint8Array> {
    checkpointIfCancelled();
    this.#begin("receive", maxBytes);
    try {
      const segment = this.#segments[0];
      if (segment === undefined || segment instanceof Uint8Array) {
        await checkpoint();
        return this.#take(segment, maxBytes);
      }
      const bytes = await this.#partOf(segment).receive(Math.min(maxBytes, this.#partRemaining));
      this.#count(bytes.length);
      return bytes;
    } catch (error) {
      throw this.#failed(error);
    } finally {
      this.#receiving = false;
    }
  }

  async receiveInto(view: Uint8Array): Promise<number> {
    const bytes = await this.receive(view.length);
    view.set(bytes);
    return bytes.length;
  }

  /** Iterates over chunks until the end. Leaving early closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined, undefined> {
    return {
      next: async () => {
        try {
          return { done: false, value: await this.receive() };
        } catch (error) {
          if (error instanceof EndOfStream) return { done: true, value: undefined };
          throw error;
        }
      },
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#part?.close();
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #begin(operation: string, maxBytes: number): void {
    if (!(Number.isInteger(maxBytes) && maxBytes > 0)) {
      throw new RangeError(
        `FileBody.${operation}: got ${String(maxBytes)}, needs a whole number of bytes from 1 on`,
      );
    }
    if (this.#receiving) {
      throw new BusyResourceError(
        `FileBody.${operation}: another task receives from this body at the moment; let one task do it`,
      );
    }
    if (this.#closed) {
      throw new ClosedResourceError(
        `FileBody.${operation}: this body is closed; close it when nobody uses it any more`,
      );
    }
    this.#receiving = true;
  }

  /** The beginning of bytes that are there; they are shared with nobody. */
  #take(segment: Uint8Array | undefined, maxBytes: number): Uint8Array {
    if (this.#closed) throw new ClosedResourceError("FileBody.receive: this body was closed");
    if (segment === undefined) throw new EndOfStream("FileBody.receive: there is nothing more");
    const bytes = segment.subarray(0, maxBytes);
    if (bytes.length === segment.length) this.#segments.shift();
    else this.#segments[0] = segment.subarray(bytes.length);
    this.#remaining -= bytes.length;
    this.#closeAtEnd();
    return bytes;
  }

  #partOf(segment: { readonly start: number; readonly end: number }): ByteReceiveStream {
    if (this.#part === null) {
      this.#part = this.#file.stream(segment);
      this.#partRemaining = bytesOf(segment);
    }
    return this.#part;
  }

  #count(bytes: number): void {
    this.#partRemaining -= bytes;
    this.#remaining -= bytes;
    if (this.#partRemaining === 0) {
      this.#part = null;
      this.#segments.shift();
    }
    this.#closeAtEnd();
  }

  #closeAtEnd(): void {
    if (this.#remaining === 0) this.#file.close();
  }

  /** What to throw for a failure; those of the file end everything. */
  #failed(error: unknown): unknown {
    const isShort = error instanceof EndOfStream && this.#remaining > 0;
    if (!isShort && !(error instanceof BrokenResourceError)) return error;
    this.#part = null;
    this.#file.close();
    if (!isShort) return error;
    return new BrokenResourceError(
      `FileBody.receive: ${this.#file.path} became shorter while it was sent: ${this.#remaining} of ${this.length} bytes are missing`,
      { cause: error },
    );
  }
}

function bytesOf(segment: BodySegment): number {
  return segment instanceof Uint8Array ? segment.length : segment.end - segment.start;
}
