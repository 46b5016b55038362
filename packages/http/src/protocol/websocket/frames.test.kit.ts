/** Frames for tests. */
import { FrameParser, type FrameEvent, type FrameParserOptions } from "./frame-parser.ts";
import { WebSocketProtocolError } from "./websocket-protocol-error.ts";

/** `"81 05 48"` as bytes. */
export function hex(text: string): Uint8Array {
  const words = text.split(/\s+/).filter((word) => word !== "");
  return Uint8Array.from(words, (word) => Number.parseInt(word, 16));
}

/** What came of some input. */
export interface Parsed {
  readonly events: readonly FrameEvent[];
  /** The rule that was broken, if one was. */
  readonly failure: string | undefined;
  readonly closeCode: number | undefined;
}

/** Pushes copies of the pieces, and takes what comes after each. */
export function parsed(options: FrameParserOptions, pieces: Iterable<Uint8Array>): Parsed {
  const parser = new FrameParser(options);
  const events: FrameEvent[] = [];
  try {
    for (const piece of pieces) {
      parser.push(piece.slice());
      for (let event = parser.next(); event !== undefined; event = parser.next())
        events.push({ ...event, bytes: event.bytes.slice() });
    }
  } catch (error) {
    if (!(error instanceof WebSocketProtocolError)) throw error;
    return { events, failure: error.rule, closeCode: error.closeCode };
  }
  return { events, failure: undefined, closeCode: undefined };
}

/** Pieces of a message put together, so that what is left does not depend on how the input was cut. */
export function messagesOf(events: readonly FrameEvent[]): string[] {
  const lines: string[] = [];
  let bytes: number[] = [];
  for (const event of events) {
    const isControl = event.kind === "ping" || event.kind === "pong" || event.kind === "close";
    if (isControl) {
      lines.push(`${event.kind} ${[...event.bytes].join()}`);
      continue;
    }
    if (event.isFirst) bytes = [];
    bytes.push(...event.bytes);
    if (event.isLast)
      lines.push(`${event.kind}${event.isCompressed ? " compressed" : ""} ${bytes.join()}`);
  }
  return lines;
}

/** Cuts bytes into pieces of these lengths, over and over. */
export function* cut(bytes: Uint8Array, lengths: readonly number[]): Iterable<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] as number;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
