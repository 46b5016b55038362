import { BrokenResourceError, BusyResourceError, ClosedResourceError } from "../core/errors.ts";
import { hostOperation } from "../platform/host-operation.ts";
import type { ByteSendStream } from "../streams/byte-stream.ts";
import { requireBytes } from "../streams/byte-arguments.ts";
import type { OpenHandle } from "./open-handle.ts";
import { writePieces } from "./write-pieces.ts";

/** A part of a file as something to send bytes to. */
export class FileSendStream implements ByteSendStream {
  readonly #file: OpenHandle;
  #position: number;
  #sending = false;
  #failure: Error | null = null;
  #closed = false;

  /** The file stays somebody else's. */
  constructor(file: OpenHandle, start: number) {
    this.#file = file;
    this.#position = start;
  }

  send(bytes: Uint8Array): Promise<void> {
    return hostOperation<void>({
      name: "stream.send",
      resource: this,
      mustEnd: true,
      begin: (_backend, completion) => {
        requireBytes("File.sendStream().send", bytes);
        this.#requireReady();
        this.#file.requireOpen("write");
        this.#file.requireAccess("write", "write");
        this.#sending = true;
        writePieces(this.#file, bytes, this.#position, (written, error) => {
          this.#sending = false;
          this.#position += written;
          if (error === null) completion.succeed();
          else completion.fail((this.#failure = brokenBy(error)));
        });
        return () => {};
      },
    });
  }

  #requireReady(): void {
    const where = "File.sendStream().send";
    if (this.#closed) {
      throw new ClosedResourceError(
        `${where}: this stream is closed; close it when nobody uses it any more`,
      );
    }
    if (this.#sending) {
      throw new BusyResourceError(
        `${where}: another task sends to this stream at the moment; let one task do it, or take turns with a Lock`,
      );
    }
    if (this.#failure !== null) throw this.#failure;
  }

  /** Closes the stream; the file stays open. A `send` that runs ends as if it were open. */
  close(): void {
    this.#closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

/** As streams tell it. That the file was closed is told as it is. */
function brokenBy(error: Error): Error {
  if (error instanceof ClosedResourceError) return error;
  return new BrokenResourceError(`File.sendStream().send: ${error.message}`, { cause: error });
}
