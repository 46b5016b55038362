import type { Completion, Withdraw } from "../platform/network.ts";
import type { ByteSource } from "../platform/standard-streams.ts";
import { type PositionedFile, READ_BYTES_MAX } from "./positioned.ts";

/** A part of a file as something that bytes can be asked of. */
export class FileRange implements ByteSource {
  readonly #file: PositionedFile;
  #at: number;
  readonly #end: number;

  constructor(file: PositionedFile, start: number, end: number) {
    this.#file = file;
    this.#at = start;
    this.#end = end;
  }

  read(maxBytes: number, completion: Completion<Uint8Array | null>): Withdraw {
    const bytes = Math.min(maxBytes, READ_BYTES_MAX, this.#end - this.#at);
    if (bytes === 0) return later(() => completion.succeed(null));
    const view = new Uint8Array(bytes);
    return this.#file.readOwned(view, this.#at, {
      succeed: (count) => {
        this.#at += count;
        completion.succeed(count === 0 ? null : view.subarray(0, count));
      },
      fail: (error) => completion.fail(error),
    });
  }

  /** The file stays open: it is somebody else's. */
  close(): void {}
}

function later(tell: () => void): Withdraw {
  let wanted = true;
  void Promise.resolve().then(() => {
    if (wanted) tell();
  });
  return () => {
    wanted = false;
  };
}
