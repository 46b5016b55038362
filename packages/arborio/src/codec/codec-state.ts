/** What compressors and decompressors share: one operation at a time, and what is left of one that was cut. */
import {
  BrokenResourceError,
  BusyResourceError,
  ClosedResourceError,
  InvalidStateError,
} from "../core/errors.ts";
import type { Codec, CodecEnding } from "../platform/compression.ts";
import { hostOperation } from "../platform/host-operation.ts";
import type { Completion } from "../platform/network.ts";
import { requireBytes } from "../streams/wire-stream.ts";

export const EMPTY: Uint8Array = new Uint8Array(0);

export class CodecState {
  readonly #name: string;
  readonly #codec: Codec;
  /** The operation that runs. */
  #running: Completion<never> | null = null;
  /** Whether input was given that is not used up. */
  #hasInput = false;
  #finished = false;
  #broken: unknown = null;
  #closed = false;

  constructor(name: string, codec: Codec) {
    this.#name = name;
    this.#codec = codec;
  }

  get ended(): boolean {
    return this.#codec.ended;
  }

  /** Gives input. Synchronous. */
  write(operation: string, input: Uint8Array, ending: CodecEnding): void {
    const where = `${this.#name}.${operation}`;
    requireBytes(where, input);
    this.#requireUsable(where);
    if (this.#finished)
      throw new InvalidStateError(`${where}: called after the end; reset() begins anew`);
    if (this.#hasInput) {
      throw new InvalidStateError(
        `${where}: called before read() has told that the input before is used up; read until it returns undefined`,
      );
    }
    this.#hasInput = true;
    this.#finished = ending === "finish";
    this.#codec.write(input, ending);
  }

  /**
   * The next piece of output; `undefined` when the input is used up. `take` sees it before, and may throw to stop. Cancelled while
   * waiting, the codec is broken.
   */
  read(operation: string, take: (piece: Uint8Array) => void): Promise<Uint8Array | undefined> {
    return this.#wait<Uint8Array | undefined>(operation, (completion) => {
      const used = (): void => {
        this.#hasInput = false;
        completion.succeed(undefined);
      };
      if (!this.#hasInput) {
        void Promise.resolve().then(used);
        return;
      }
      this.#codec.read({
        succeed: (piece) => {
          if (piece === null) used();
          else if (isTaken(piece, take, completion)) completion.succeed(piece);
        },
        fail: (error) => completion.fail(error),
      });
    });
  }

  /**
   * Gives input, and hands all that comes of it to `take`, which may throw to stop. Cancelled while waiting, the codec is broken.
   * One wait for all of it: each costs as much as a small piece.
   */
  convert(
    operation: string,
    input: Uint8Array,
    ending: CodecEnding,
    take: (piece: Uint8Array) => void,
  ): Promise<void> {
    return this.#wait<void>(operation, (completion) => {
      this.write(operation, input, ending);
      const next: Completion<Uint8Array | null> = {
        succeed: (piece) => {
          if (piece === null) {
            this.#hasInput = false;
            completion.succeed();
            return;
          }
          if (isTaken(piece, take, completion)) this.#codec.read(next);
        },
        fail: (error) => completion.fail(error),
      };
      this.#codec.read(next);
    });
  }

  #wait<T>(operation: string, start: (completion: Completion<T>) => void): Promise<T> {
    return hostOperation<T>({
      name: `codec.${operation}`,
      resource: this,
      begin: (_backend, completion) => {
        this.#requireUsable(`${this.#name}.${operation}`);
        const running: Completion<T> = {
          succeed: (value) => {
            if (this.#running !== running) return;
            this.#running = null;
            completion.succeed(value);
          },
          fail: (error) => {
            if (this.#running !== running) return;
            this.#running = null;
            this.#break(error);
            completion.fail(error);
          },
        };
        start(running);
        this.#running = running;
        return () => {
          this.#running = null;
          this.#break(new Error(`${this.#name}.${operation} was cancelled`));
        };
      },
    });
  }

  /** It is somewhere in the middle of something, for good. */
  #break(cause: unknown): void {
    if (this.#broken !== null || this.#closed) return;
    this.#broken = cause;
    this.#codec.close();
  }

  reset(): void {
    const where = `${this.#name}.reset`;
    this.#requireUsable(where);
    if (this.#hasInput)
      throw new InvalidStateError(`${where}: called before all output was read; read it, or close`);
    this.#finished = false;
    this.#codec.reset();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#broken === null) this.#codec.close();
    this.#running?.fail(new ClosedResourceError(`${this.#name}: it was closed while it worked`));
  }

  #requireUsable(where: string): void {
    if (this.#closed) throw new ClosedResourceError(`${where}: it is closed`);
    if (this.#broken !== null) {
      throw new BrokenResourceError(
        `${where}: an earlier operation was cancelled or failed in the middle; make a new one`,
        { cause: this.#broken },
      );
    }
    if (this.#running !== null) {
      throw new BusyResourceError(
        `${where}: another task uses it at the moment; let one task do it, or take turns with a Lock`,
      );
    }
  }
}

function isTaken(
  piece: Uint8Array,
  take: (piece: Uint8Array) => void,
  completion: Completion<never>,
): boolean {
  try {
    take(piece);
    return true;
  } catch (error) {
    completion.fail(error as Error);
    return false;
  }
}
