import type { Wire, WireDetails, WireReceiver } from "arborio/lowlevel";

/**
 * The rest of a connection, for the protocol that was switched to. It begins with what came behind the head of the request. The
 * connection stays the receiver of the wire below, and passes on what it is told.
 */
export class UpgradedWire implements Wire, WireReceiver {
  readonly #wire: Wire;
  readonly #onClose: (() => void) | undefined;
  /** What came before, until it is told. */
  #rest: Uint8Array | null;
  #ended: boolean;
  #endTold = false;
  #failure: Error | null = null;
  #receiver: WireReceiver | null = null;
  #paused = false;
  #telling = false;
  #closed = false;

  /** @param wire paused. */
  constructor(wire: Wire, rest: Uint8Array, ended: boolean, onClose?: () => void) {
    this.#wire = wire;
    this.#onClose = onClose;
    this.#rest = rest.length === 0 ? null : rest;
    this.#ended = ended;
  }

  open(receiver: WireReceiver): void {
    this.#receiver = receiver;
    this.#tellSoon();
  }

  pause(): void {
    this.#paused = true;
    this.#wire.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#tellSoon();
  }

  write(bytes: Uint8Array): boolean {
    return this.#wire.write(bytes);
  }

  end(): void {
    this.#wire.end();
  }

  close(abortively: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#receiver = null;
    this.#rest = null;
    this.#wire.close(abortively);
    this.#onClose?.();
  }

  /** Who had the connection before ends it: the receiver is told of a failure. */
  breakOff(error: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rest = null;
    this.#wire.close(true);
    this.failed(error);
  }

  get details(): WireDetails {
    return this.#wire.details;
  }

  // What the wire below tells --------------------------------------------------------------------------------------------

  received(bytes: Uint8Array): void {
    if (this.#rest === null && !this.#paused && this.#receiver !== null) {
      this.#receiver.received(bytes);
      return;
    }
    // The wire is paused: what was read already may still come.
    this.#rest = this.#rest === null ? bytes : joined(this.#rest, bytes);
  }

  ended(): void {
    this.#ended = true;
    this.#tellSoon();
  }

  written(): void {
    this.#receiver?.written();
  }

  failed(error: Error): void {
    this.#failure = error;
    this.#tellSoon();
  }

  /** Later, since nothing is told before `open` and `resume` have returned. */
  #tellSoon(): void {
    if (this.#telling) return;
    this.#telling = true;
    void Promise.resolve().then(() => this.#tell());
  }

  /** What came, in its order. A failure does not wait for who has paused. */
  #tell(): void {
    this.#telling = false;
    const rest = this.#rest;
    if (rest !== null && this.#isListening) {
      this.#rest = null;
      this.#receiver?.received(rest);
    }
    if (this.#ended && !this.#endTold && this.#rest === null && this.#isListening) {
      this.#endTold = true;
      this.#receiver?.ended();
    }
    if (this.#failure !== null) {
      const receiver = this.#receiver;
      this.#receiver = null;
      receiver?.failed(this.#failure);
    } else if (this.#isListening && this.#rest === null && !this.#ended) {
      this.#wire.resume();
    }
  }

  get #isListening(): boolean {
    return this.#receiver !== null && (!this.#paused || this.#failure !== null);
  }
}

/** The rest of a connection from here on, with what it had received. */
export function upgradedWire(
  { wire, parser, inlet }: UpgradedConnectionParts,
  onClose: () => void,
): UpgradedWire {
  wire.pause();
  const upgraded = new UpgradedWire(wire, parser.takeRest(), inlet.ended, onClose);
  if (inlet.failure !== null) upgraded.failed(inlet.failure);
  return upgraded;
}

/** What is taken over of a connection. */
interface UpgradedConnectionParts {
  readonly wire: Wire;
  readonly parser: { takeRest(): Uint8Array };
  readonly inlet: { readonly ended: boolean; readonly failure: Error | null };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
