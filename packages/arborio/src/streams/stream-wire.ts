/**
 * The wire over a byte stream: the way for what stands on wires, TLS above all, to stand on any stream. It receives ahead by
 * one chunk, and waits outside the scope of whoever made it, until it is closed.
 */
import { ambientScope, runInScope } from "../core/ambient.ts";
import { BrokenResourceError, EndOfStream } from "../core/errors.ts";
import { textOf } from "../core/exception-text.ts";
import { CancelScope } from "../core/scope.ts";
import type { Wire, WireDetails, WireReceiver } from "../platform/wire.ts";
import { abortStream, type ByteStream } from "./byte-stream.ts";
import { NO_DETAILS } from "./foreign-wire.ts";

/** So long a closed wire waits, in milliseconds, for the stream to take what was written before; then the stream is closed all the same. */
const LINGER_MS = 10_000;

export class StreamWire implements Wire {
  readonly details: WireDetails = NO_DETAILS;
  /** For the simulator's report of deadlocks: what waits for it is no task. */
  readonly isForeign = true;
  readonly #stream: ByteStream;
  readonly #root: CancelScope = ambientScope().runState.root;
  #receiver: WireReceiver | null = null;
  #paused = false;
  #receiving = false;
  #ended = false;
  /** Of the `send` or `sendEof` under way. */
  #sending: CancelScope | null = null;
  #endWanted = false;
  #closed = false;

  /** Owns the stream from then on. */
  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    this.#receive();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#receive();
  }

  write(bytes: Uint8Array): boolean {
    this.#send(
      () => this.#stream.send(bytes),
      () => {
        if (this.#endWanted) this.#sendEof();
        this.#receiver?.written();
      },
    );
    return false;
  }

  end(): void {
    this.#endWanted = true;
    if (this.#sending === null) this.#sendEof();
  }

  close(abortively: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#receiver = null;
    const sending = this.#sending;
    if (abortively) abortStream(this.#stream);
    else if (sending === null) this.#stream.close();
    else sending.deadline = this.#root.kernel.clock.now() + LINGER_MS;
  }

  #sendEof(): void {
    this.#send(
      () => this.#stream.sendEof(),
      () => {},
    );
  }

  /** Whatever comes of it, a wire that was closed meanwhile gives the stream back. */
  #send(fn: () => Promise<void>, sent: () => void): void {
    const scope = new CancelScope();
    this.#sending = scope;
    const settled = (then: () => void): void => {
      this.#sending = null;
      if (this.#closed) this.#stream.close();
      else then();
    };
    this.#outside(() => scope.run(fn)).then(
      () => settled(sent),
      (error: unknown) => settled(() => this.#fail(error)),
    );
  }

  #receive(): void {
    if (this.#paused || this.#receiving || this.#ended || this.#receiver === null) return;
    this.#receiving = true;
    this.#outside(() => this.#stream.receive()).then(
      (bytes) => {
        this.#receiving = false;
        this.#receiver?.received(bytes);
        this.#receive();
      },
      (error: unknown) => this.#receiveFailed(error),
    );
  }

  #receiveFailed(error: unknown): void {
    if (!(error instanceof EndOfStream)) {
      this.#fail(error);
      return;
    }
    this.#ended = true;
    this.#receiver?.ended();
  }

  #fail(cause: unknown): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#ended = true;
    receiver?.failed(
      cause instanceof Error ? cause : new BrokenResourceError(textOf(cause), { cause }),
    );
  }

  /** What waits here may outlive the scope of whoever calls. */
  async #outside<Result>(fn: () => Result): Promise<Awaited<Result>> {
    return await runInScope(this.#root, fn, undefined);
  }
}
