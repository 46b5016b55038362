/**
 * What comes in: pieces of messages, kept until somebody receives them, few at a time; pings and pongs, told at once; and the end that the
 * frames tell, a close frame or a broken rule, which waits for the messages before it.
 */
import { CODE_BAD_DATA } from "../protocol/websocket/close-codes.ts";
import {
  type FrameEvent,
  FrameParser,
  type FrameParserOptions,
} from "../protocol/websocket/frame-parser.ts";
import { Utf8Validator } from "../protocol/websocket/utf8-validator.ts";
import { WebSocketProtocolError } from "../protocol/websocket/websocket-protocol-error.ts";

/** So much is read that nobody has asked for: enough that pings behind it are answered; then the wire is paused. */
const PIECES_AHEAD_MAX = 16;
const BYTES_AHEAD_MAX = 65_536;

/** What is kept is copied if the memory behind it is this many times as large. */
const WASTE_MAX = 4;
/** Of less memory no copy is made. */
const WASTE_BYTES_MIN = 1024;

/** The end, as the frames tell it: the payload of a close frame, or a rule that was broken. */
export type FramesEnd = Uint8Array | WebSocketProtocolError;

/** Who is told of pings and pongs. */
export interface ControlListener {
  pinged(payload: Uint8Array): void;
  ponged(payload: Uint8Array): void;
}

/** The receiving half of a WebSocket. */
export class FrameInlet {
  readonly #parser: FrameParser;
  readonly #listener: ControlListener;
  readonly #validator: Utf8Validator = new Utf8Validator();
  #pieces: FrameEvent[] = [];
  #bytes = 0;
  #end: FramesEnd | null = null;
  #isDiscarding = false;
  #isFinished = false;

  constructor(options: FrameParserOptions, listener: ControlListener) {
    this.#parser = new FrameParser(options);
    this.#listener = listener;
  }

  /** Whether there are pieces to take. */
  get hasPieces(): boolean {
    return this.#pieces.length > 0;
  }

  /** The end, once everything before it was parsed. */
  get end(): FramesEnd | null {
    return this.#end;
  }

  /** Whether no more bytes should come for now. */
  get isFull(): boolean {
    return this.#pieces.length >= PIECES_AHEAD_MAX || this.#bytes >= BYTES_AHEAD_MAX;
  }

  /** Takes bytes; they are the inlet's. Who pushes them calls `parse`, after `shortText` if it likes. */
  push(bytes: Uint8Array): void {
    this.#parser.push(bytes);
  }

  /** The next message, if it is a short text and nothing else is to be taken before it. */
  shortText(): string | undefined {
    return this.#pieces.length === 0 && !this.#isDiscarding ? this.#parser.shortText() : undefined;
  }

  /** Whether nothing is left of what was pushed. */
  get isUsedUp(): boolean {
    return !this.#parser.hasInput;
  }

  /**
   * Looks at what was pushed.
   *
   * @param isWanted whether somebody receives: then what it kept is taken soon, and need not be copied.
   */
  parse(isWanted: boolean): void {
    this.#parse();
    if (!isWanted) this.#pieces = this.#pieces.map(frugal);
  }

  /** The next piece. */
  take(): FrameEvent | undefined {
    const piece = this.#pieces.shift();
    if (piece === undefined) return undefined;
    this.#bytes -= piece.bytes.length;
    if (this.#parser.hasInput) this.#parse();
    return piece;
  }

  /** No more bytes come: looks for the end also behind what is kept, however many pieces that makes of the bytes that are there. */
  finish(): void {
    this.#isFinished = true;
    this.#parse();
  }

  /** Passes over all messages from now on. */
  discard(): void {
    this.#isDiscarding = true;
    this.#pieces = [];
    this.#bytes = 0;
    this.#parse();
  }

  #parse(): void {
    if (this.#end !== null) return;
    try {
      while (this.#isFinished || !this.isFull) {
        const event = this.#parser.next();
        if (event === undefined) return;
        if (this.#take(event)) return;
      }
    } catch (error) {
      if (!(error instanceof WebSocketProtocolError)) throw error;
      this.#end = error;
    }
  }

  /** @returns whether that was the end. */
  #take(event: FrameEvent): boolean {
    switch (event.kind) {
      case "close":
        this.#end = event.bytes.slice();
        return true;
      case "ping":
        this.#listener.pinged(event.bytes);
        return false;
      case "pong":
        this.#listener.ponged(event.bytes);
        return false;
      default:
        this.#keep(event);
        return false;
    }
  }

  #keep(piece: FrameEvent): void {
    if (this.#isDiscarding) return;
    if (piece.kind === "text" && !piece.isCompressed) requireText(this.#validator, piece);
    this.#pieces.push(piece);
    this.#bytes += piece.bytes.length;
  }
}

/**
 * Checks a piece of text, as it comes (RFC 6455 §8.1). A text that has ended leaves the validator as new.
 *
 * @throws WebSocketProtocolError at the first byte that cannot be UTF-8, or if the text ends inside a character.
 */
export function requireText(
  validator: Utf8Validator,
  piece: Pick<FrameEvent, "isLast" | "bytes">,
): void {
  if (validator.push(piece.bytes) && (!piece.isLast || validator.isWhole)) return;
  throw new WebSocketProtocolError(
    CODE_BAD_DATA,
    "invalid-utf8",
    "WebSocket: a text is not UTF-8 (RFC 6455 §8.1)",
  );
}

function frugal(piece: FrameEvent): FrameEvent {
  const { bytes } = piece;
  const memory = bytes.buffer.byteLength;
  if (memory <= WASTE_BYTES_MIN || memory <= WASTE_MAX * bytes.length) return piece;
  return { ...piece, bytes: bytes.slice() };
}
