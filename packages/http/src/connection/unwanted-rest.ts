import { ProtocolError } from "../protocol/protocol-error.ts";
import type { ResponseParser } from "../protocol/response-parser.ts";

/** The rest of a response that nobody wants is dropped, to keep the connection, if it has at most so many bytes; a new connection costs more. */
const DROPPED_BYTES_MAX = 65_536;

/** So long, in milliseconds, it may take to come: about what connecting anew takes at worst. */
export const DROPPED_MS = 1000;

/** The rest of a response that nobody wants: dropped, if it is short. It is waited for only if it is known to be: an endless one is left at once. */
export class UnwantedRest {
  readonly #parser: ResponseParser;
  /** Whether it is waited for. */
  isDropped = false;

  constructor(parser: ResponseParser) {
    this.#parser = parser;
  }

  /** @param bytesLeft that are still to come; `undefined`: nobody knows. @returns whether there is hope for it. */
  begin(bytesLeft: number | undefined): boolean {
    this.isDropped = bytesLeft !== undefined && bytesLeft <= DROPPED_BYTES_MAX;
    if (!this.isDropped && bytesLeft !== undefined) return false;
    return this.drop();
  }

  end(): void {
    this.isDropped = false;
  }

  /** Drops what has come. @returns whether it has ended, or will soon. */
  drop(): boolean {
    const parser = this.#parser;
    try {
      while (parser.readBody(DROPPED_BYTES_MAX) !== null);
    } catch (error) {
      if (error instanceof ProtocolError) return false;
      throw error;
    }
    return parser.bodyDone || this.isDropped;
  }
}
