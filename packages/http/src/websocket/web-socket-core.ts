/**
 * What a WebSocket does when something happens: the other side sends, the connection ends, somebody closes. Everything here is decided at once;
 * who waits, waits above it (`web-socket-connection.ts`), and deadlines are kept beside it (`keep-alive.ts`).
 *
 * The end is dealt with once: `end` is what was seen, `outcome` is what everybody is told, and between them is the time that a handler has to
 * answer what came before a close frame.
 */
import { Event, ExceptionGroup } from "arborio";
import { ParkingLot, type Wire, type WireReceiver } from "arborio/lowlevel";
import { CODE_BROKEN, CODE_NONE } from "../protocol/websocket/close-codes.ts";
import { encodeClose, parseClose } from "../protocol/websocket/close-payload.ts";
import {
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
  type WebSocketRole,
} from "../protocol/websocket/frame.ts";
import { WebSocketProtocolError } from "../protocol/websocket/websocket-protocol-error.ts";
import { type ControlListener, FrameInlet } from "./frame-inlet.ts";
import { FrameOutlet } from "./frame-outlet.ts";
import { WebSocketClosedError } from "./web-socket-closed-error.ts";

const EMPTY: Uint8Array = new Uint8Array(0);

/** What is compressed may be larger than what it means, if that is random: by so much, and so many bytes for each message. */
const COMPRESSED_FACTOR = 1.01;
const COMPRESSED_BYTES_MORE = 1024;

/** What a core needs to know. */
export interface CoreSettings {
  readonly role: WebSocketRole;
  readonly messageBytesMax: number;
  readonly allowsCompressed: boolean;
}

/** Takes a message at once: it is spared the way through everything that waits. */
export interface MessageTaker {
  /** A message has come; there is none before it. */
  take(message: string): void;
  /** There is something new in the inlet, or an end. */
  arrived(): void;
}

export class WebSocketCore implements WireReceiver, ControlListener {
  readonly role: WebSocketRole;
  readonly inlet: FrameInlet;
  readonly outlet: FrameOutlet;
  /** Something happened that ends it: for who keeps the deadlines. */
  readonly stirred: Event = new Event();
  /** A close frame was sent, or never will be. */
  readonly closing: Event = new Event();
  /** The other side will send nothing more. */
  readonly atEnd: Event = new Event();
  /** The connection was given back. */
  readonly gone: Event = new Event();
  /** Who waits for a message, and takes it where it comes in. */
  taker: MessageTaker | null = null;
  /** Who waits for something to receive, and looks what it is when it goes on. */
  readonly #receivers: ParkingLot = new ParkingLot("webSocket.receive");
  /** Who waits for pongs, by their payload. */
  readonly pings: Map<string, Event> = new Map();
  /** Whether somebody was given a message, and has not asked for the next one: there may be an answer to come. */
  isBusy = false;
  /** Whether a piece is being decompressed, or what it gave is on its way to who receives: then there is an answer to come, too. */
  isDecoding = false;
  /** Whether somebody waits for what comes, and takes it soon. */
  isWanted = false;
  /** Counts signs of life of the other side: bytes that came, bytes that it took. */
  signs = 0;
  /** Set by the next sign of life. */
  #awaitedSign: Event | null = null;
  readonly #wire: Wire;
  #isPaused = false;
  /** Set when a close frame was sent: why nothing else is. */
  #sent: WebSocketClosedError | null = null;
  #outcome: WebSocketClosedError | null = null;

  constructor(wire: Wire, settings: CoreSettings) {
    const { role, messageBytesMax, allowsCompressed } = settings;
    const compressedBytesMax = messageBytesMax * COMPRESSED_FACTOR + COMPRESSED_BYTES_MORE;
    this.role = role;
    this.#wire = wire;
    this.outlet = new FrameOutlet(wire, role);
    this.inlet = new FrameInlet(
      { role, messageBytesMax, compressedBytesMax, allowsCompressed },
      this,
    );
    wire.open(this);
  }

  /** What everybody is told from now on; `null` while it is open. */
  get outcome(): WebSocketClosedError | null {
    return this.#outcome;
  }

  /** Whether this side reads no more because nobody receives what came. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether an end was seen that waits for the messages before it. */
  get isDeferred(): boolean {
    return this.#outcome === null && this.inlet.end !== null;
  }

  /** Why nothing can be sent any more; `null` if it can. */
  get refusal(): WebSocketClosedError | null {
    return this.#outcome ?? this.#sent;
  }

  /** Whether an error says that this WebSocket is closed, or such errors are all that it holds. */
  isEnd(error: unknown): boolean {
    if (error instanceof ExceptionGroup)
      return [...error.leaves()].every((leaf) => this.isEnd(leaf));
    return error !== null && (error === this.#outcome || error === this.#sent);
  }

  // What the wire tells ----------------------------------------------------------------------------------------------------

  received(bytes: Uint8Array): void {
    this.#sign();
    if (this.#outcome !== null || this.inlet.end !== null) return;
    // Who gets the first message of several is about to ask for the next.
    const { isWanted } = this;
    this.inlet.push(bytes);
    const text = this.taker === null ? undefined : this.inlet.shortText();
    if (text !== undefined) {
      this.taker?.take(text);
      if (this.inlet.isUsedUp) return;
    }
    this.inlet.parse(isWanted);
    this.#afterInput();
  }

  ended(): void {
    this.#breakOff("WebSocket: the other side ended the connection without a close frame");
    this.atEnd.set();
  }

  written(): void {
    this.#sign();
    this.outlet.written();
  }

  failed(error: Error): void {
    this.outlet.close();
    this.#breakOff("WebSocket: the connection broke", error);
    this.atEnd.set();
  }

  // What frames tell -------------------------------------------------------------------------------------------------------

  pinged(payload: Uint8Array): void {
    if (this.#sent === null) this.outlet.control(OPCODE_PONG, payload);
  }

  ponged(payload: Uint8Array): void {
    this.pings.get(keyOf(payload))?.set();
  }

  // Receiving --------------------------------------------------------------------------------------------------------------

  /** Somebody asks for what comes next, and so has answered what came before. */
  want(): void {
    this.isBusy = false;
    this.settleIfDue();
  }

  /** Waits until there is something new: a piece, or an end. Who has waited sets `isWanted` back. */
  arrival(): Promise<void> {
    this.isWanted = true;
    return this.#receivers.park();
  }

  /** After something was taken out of the inlet. */
  taken(): void {
    if (this.inlet.end !== null) this.#stir();
    if (!this.#isPaused || this.inlet.isFull) return;
    this.#isPaused = false;
    this.#wire.resume();
  }

  /** From now on messages mean nothing. */
  discard(): void {
    this.inlet.discard();
    this.#afterInput();
    this.taken();
  }

  #afterInput(): void {
    this.settleIfDue();
    this.#wake();
    if (!this.inlet.isFull || this.#isPaused) return;
    this.#isPaused = true;
    this.#wire.pause();
  }

  #wake(): void {
    this.#receivers.unparkAll();
    this.taker?.arrived();
  }

  #sign(): void {
    this.signs += 1;
    this.#awaitedSign?.set();
    this.#awaitedSign = null;
  }

  /** An event that the next sign of life sets. */
  awaitSign(): Event {
    return (this.#awaitedSign ??= new Event());
  }

  /** Ends the watch over signs of life, also where it waits for one: from now on the deadline is that of the close. */
  #stir(): void {
    this.stirred.set();
    this.#awaitedSign?.set();
  }

  // Closing ----------------------------------------------------------------------------------------------------------------

  /** Sends a close frame, if none was sent. */
  beginClose(payload: Uint8Array, code: number): void {
    if (this.#outcome === null) this.#sendClose(payload, code);
    this.#stir();
    this.closing.set();
    this.settleIfDue();
  }

  /** Deals with an end that was seen, unless messages before it have not been received and answered. */
  settleIfDue(): void {
    if (!this.isDeferred) return;
    this.#stir();
    const mayAnswer = this.#sent === null;
    if (mayAnswer && (this.inlet.hasPieces || this.isDecoding || this.isBusy)) return;
    this.settle();
  }

  /** Deals with an end that was seen: answers it, and tells everybody. What came before it can still be received. */
  settle(): void {
    if (this.#outcome !== null) return;
    const { end } = this.inlet;
    if (end instanceof WebSocketProtocolError) this.fail(end);
    else if (end !== null) this.#answerClose(end);
  }

  #answerClose(payload: Uint8Array): void {
    try {
      const { code, reason } = parseClose(payload);
      const hadCode = code !== CODE_NONE;
      this.#sendClose(hadCode ? encodeClose(code, "") : EMPTY, code);
      const what = hadCode ? `the code ${code}` : "no code";
      const message = `WebSocket: it was closed with ${what}${reason === "" ? "" : `: ${JSON.stringify(reason)}`}`;
      this.#finish(new WebSocketClosedError(code, reason, true, message));
    } catch (error) {
      if (!(error instanceof WebSocketProtocolError)) throw error;
      this.fail(error);
    }
  }

  #sendClose(payload: Uint8Array, code: number): void {
    if (this.#sent !== null) return;
    this.#sent = new WebSocketClosedError(code, "", false, "WebSocket: this side is closing it");
    this.outlet.control(OPCODE_CLOSE, payload);
  }

  /**
   * The other side broke a rule: the connection is closed, and what it sends from now on means nothing. A close in order that was seen since is
   * none: something before it was lost.
   */
  fail(error: WebSocketProtocolError): void {
    if (this.#outcome !== null && !this.#outcome.wasClean) return;
    this.#sendClose(encodeClose(error.closeCode, ""), error.closeCode);
    const outcome = new WebSocketClosedError(error.closeCode, "", false, error.message, {
      cause: error,
    });
    this.#finish(outcome);
    this.outlet.end();
  }

  /** The connection ended. If a close frame came before, that is how. */
  #breakOff(message: string, cause?: Error): void {
    this.inlet.finish();
    this.settle();
    if (this.#outcome !== null) return;
    const options = cause === undefined ? undefined : { cause };
    this.#finish(new WebSocketClosedError(CODE_BROKEN, "", false, message, options));
  }

  #finish(outcome: WebSocketClosedError): void {
    this.#outcome = outcome;
    this.#stir();
    this.closing.set();
    for (const ping of this.pings.values()) ping.set();
    // The server ends the connection first (RFC 6455 §7.1.1).
    if (this.role === "server") this.outlet.end();
    this.#wake();
  }

  /**
   * Gives the connection back.
   *
   * @param isCut whether the other side is to learn that something failed, even if it was told of a close.
   */
  drop(message: string, isCut: boolean = false): void {
    if (this.gone.isSet) return;
    const wasTold = this.#sent !== null && !this.outlet.isWriting;
    // First: nothing is ended in order any more.
    this.outlet.close();
    this.#breakOff(message);
    this.#wire.close(isCut || !(wasTold || this.#outcome?.wasClean === true));
    this.atEnd.set();
    this.gone.set();
    this.#wake();
  }

  // Pings ------------------------------------------------------------------------------------------------------------------

  /** Asks for a sign of life. */
  ping(payload: Uint8Array): void {
    if (this.refusal === null) this.outlet.control(OPCODE_PING, payload);
  }
}

/** Names the payload of a ping. */
export function keyOf(payload: Uint8Array): string {
  return payload.join();
}
