import { BusyResourceError, ClosedResourceError, EndOfStream } from "arborio";
import { checkpointIfCancelled } from "arborio/lowlevel";
import type { ByteReceiveStream } from "arborio/streams";

/** Where the bytes of a `PulledBody` come from. One `pull` at a time, none after `release`. */
export interface BodyOrigin {
  /**
   * The next bytes, at least one and at most `maxBytes`. A checkpoint; cancelled, it lost nothing.
   *
   * @throws EndOfStream if there are no more.
   */
  pull(maxBytes: number): Promise<Uint8Array>;
  /** Gives back what it holds; a `pull` that waits fails with `ClosedResourceError`. A second call does nothing. */
  release(): void;
}

/** A body over something that gives bytes when it is asked: what all byte streams promise, written once. */
export class PulledBody implements ByteReceiveStream {
  /** Bytes of all together; `undefined` if that is not known before they have come. */
  readonly length: number | undefined;
  readonly #name: string;
  readonly #origin: BodyOrigin;
  #receiving = false;
  #closed = false;

  constructor(name: string, origin: BodyOrigin, length?: number) {
    this.#name = name;
    this.#origin = origin;
    this.length = length;
  }

  async receive(maxBytes: number = 65_536): Promise<Uint8Array> {
    checkpointIfCancelled();
    this.#requireFree(maxBytes);
    this.#receiving = true;
    try {
      return await this.#origin.pull(maxBytes);
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
    this.#origin.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #requireFree(maxBytes: number): void {
    const where = `${this.#name}.receive`;
    if (!(Number.isInteger(maxBytes) && maxBytes > 0)) {
      throw new RangeError(
        `${where}: got ${String(maxBytes)}, needs a whole number of bytes from 1 on`,
      );
    }
    if (this.#closed) {
      throw new ClosedResourceError(
        `${where}: this body is closed; close it when nobody uses it any more`,
      );
    }
    if (this.#receiving) {
      throw new BusyResourceError(
        `${where}: another task receives from this body at the moment; let one task do it`,
      );
    }
  }
}
