import { BrokenResourceError, EndOfStream } from "arborio";
import type { File } from "arborio/fs";
import { checkpoint } from "arborio/lowlevel";
import type { ByteReceiveStream } from "arborio/streams";
import { type BodyOrigin, PulledBody } from "../negotiation/pulled-body.ts";
import type { BodySegment } from "./multipart-ranges.ts";

/**
 * Parts of a file, and bytes between them, as a body. Owns the file: it is closed with the last byte, when a read fails, and when the
 * body is closed. A receive that is cancelled lost nothing.
 *
 * It has the length that was promised, or fails: of a file that became shorter meanwhile nobody shall take a part for the whole.
 */
export function fileBody(
  file: File,
  segments: readonly BodySegment[],
  length: number,
): PulledBody & { readonly length: number } {
  const body = new PulledBody("FileBody", new FileParts(file, segments, length), length);
  return body as PulledBody & { readonly length: number };
}

class FileParts implements BodyOrigin {
  readonly #file: File;
  readonly #length: number;
  /** What is still to come. */
  readonly #segments: BodySegment[];
  #remaining: number;
  /** Of the first segment, if that is a part of the file. */
  #part: ByteReceiveStream | null = null;
  /** Bytes of that part that are still to come. */
  #partRemaining = 0;

  constructor(file: File, segments: readonly BodySegment[], length: number) {
    this.#file = file;
    this.#length = length;
    this.#segments = segments.filter((segment) => bytesOf(segment) > 0);
    this.#remaining = length;
    this.#closeAtEnd();
  }

  async pull(maxBytes: number): Promise<Uint8Array> {
    const segment = this.#segments[0];
    if (segment === undefined || segment instanceof Uint8Array) {
      await checkpoint();
      return this.#take(segment, maxBytes);
    }
    try {
      const bytes = await this.#partOf(segment).receive(Math.min(maxBytes, this.#partRemaining));
      this.#count(bytes.length);
      return bytes;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  release(): void {
    this.#part?.close();
    this.#file.close();
  }

  /** The beginning of bytes that are there; they are shared with nobody. */
  #take(segment: Uint8Array | undefined, maxBytes: number): Uint8Array {
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
    const isShort = error instanceof EndOfStream;
    if (!isShort && !(error instanceof BrokenResourceError)) return error;
    this.#file.close();
    if (!isShort) return error;
    return new BrokenResourceError(
      `FileBody.receive: ${this.#file.path} became shorter while it was sent: ${this.#remaining} of ${this.#length} bytes are missing`,
      { cause: error },
    );
  }
}

function bytesOf(segment: BodySegment): number {
  return segment instanceof Uint8Array ? segment.length : segment.end - segment.start;
}
