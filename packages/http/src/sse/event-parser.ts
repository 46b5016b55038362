import { createParser, type EventSourceParser } from "eventsource-parser";
import { EventStreamError } from "./event-stream-error.ts";

/** An event of an event stream, as it is dispatched (HTML Standard §9.2.6). */
export interface ReceivedEvent {
  /** Its name; `"message"` if it was given none. */
  readonly type: string;
  /** Its lines, joined by LF. */
  readonly data: string;
  /** The last event id: of this event, or of one before it; `""` if there was none. */
  readonly lastEventId: string;
}

/** What stands before data in a line that is not whole yet, and counts there too. */
const DATA = "data: ";

/** Bytes of an event stream to events: strictly by the HTML Standard §9.2.5, within a limit. */
export class EventParser {
  /** What the next connection is to say; changes with the end of each block. */
  lastEventId: string;
  /** What the server has asked to wait before the next connection, in milliseconds. */
  retryMs: number | undefined = undefined;
  readonly #events: ReceivedEvent[] = [];
  readonly #eventCharactersMax: number;
  readonly #parser: EventSourceParser;
  // The parser takes the byte order mark away; two of them are one too many.
  #decoder: TextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #isTooLarge = false;

  constructor(eventCharactersMax: number, lastEventId: string) {
    this.#eventCharactersMax = eventCharactersMax;
    this.lastEventId = lastEventId;
    this.#parser = createParser({
      maxBufferSize: eventCharactersMax + DATA.length,
      onId: (id) => (this.lastEventId = id),
      onEvent: ({ event = "message", data }) => {
        // The parser looks at what it keeps only, not at what came whole.
        if (data.length > eventCharactersMax) this.#isTooLarge = true;
        if (!this.#isTooLarge)
          this.#events.push({ type: event, data, lastEventId: this.lastEventId });
      },
      onRetry: (ms) => {
        if (Number.isSafeInteger(ms)) this.retryMs = ms;
      },
      onError: ({ type }) => {
        if (type === "max-buffer-size-exceeded") this.#isTooLarge = true;
      },
    });
  }

  /** @throws EventStreamError if an event is over the limit; those before it can still be taken. */
  push(bytes: Uint8Array): void {
    if (!this.#isTooLarge) this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The next event that is whole; `undefined`: there is none yet. @throws EventStreamError behind the last one before one over the limit. */
  next(): ReceivedEvent | undefined {
    const event = this.#events.shift();
    if (event === undefined && this.#isTooLarge) {
      throw new EventStreamError(
        "too-large",
        0,
        `event stream: an event has more than ${this.#eventCharactersMax} characters`,
      );
    }
    return event;
  }

  /** A new connection begins: what was not whole is gone. */
  restart(): void {
    this.#parser.reset();
    this.#decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    this.#events.length = 0;
  }
}
