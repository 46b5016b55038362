import { EndOfStream } from "arborio";
import { type ByteReceiveStream, fromReadableStream } from "arborio/streams";
import { EventParser, type ReceivedEvent } from "./event-parser.ts";
import { EventStreamError } from "./event-stream-error.ts";

/** Options of `readEvents`. */
export interface ReadEventsOptions {
  /** Characters that the data of one event may have, and that a line may have. Default 1,048,576. */
  readonly eventCharactersMax?: number;
}

const EVENT_CHARACTERS_MAX = 1_048_576;

/**
 * The events of one response, as they come: of any request, whatever its method. Does not connect again: for that there is
 * `client.events`. Reading ends with the response; leaving early closes it.
 *
 * @throws EventStreamError if the response is no event stream, or an event is too large; what reading the response throws.
 *
 * Source: HTML Standard §9.2.
 *
 * @example What an API streams in answer to a POST
 * ```ts
 * import { run } from "arborio";
 * import { eventStreamResponse, openHttpClient, openServer, readEvents } from "@arborio/http";
 *
 * await run(async () => {
 *   await using server = await openServer(
 *     (request) =>
 *       eventStreamResponse(request, async (events) => {
 *         for (const data of ["to", "ken"]) await events.send({ data });
 *       }),
 *     { port: 0 },
 *   );
 *   await using client = openHttpClient({ base: server.url });
 *   using response = await client.fetch("/", { method: "POST", json: { prompt: "hello" } });
 *   let text = "";
 *   for await (const { data } of readEvents(response)) text += data;
 *   console.assert(text === "token");
 * });
 * ```
 */
export async function* readEvents(
  response: Response,
  options: ReadEventsOptions = {},
): AsyncGenerator<ReceivedEvent, undefined, undefined> {
  const parser = new EventParser(requireCharacters("readEvents", options), "");
  const stream = eventBytes(response);
  try {
    for (;;) {
      const event = await nextEvent(stream, parser);
      if (event === undefined) return undefined;
      yield event;
    }
  } finally {
    stream.close();
  }
}

/** The next event; `undefined`: the stream has ended. Cancelled, nothing is lost. */
export async function nextEvent(
  stream: ByteReceiveStream,
  parser: EventParser,
): Promise<ReceivedEvent | undefined> {
  for (;;) {
    const event = parser.next();
    if (event !== undefined) return event;
    try {
      parser.push(await stream.receive());
    } catch (error) {
      if (error instanceof EndOfStream) return undefined;
      throw error;
    }
  }
}

/** The body of a response that is an event stream. @throws EventStreamError if it is none. */
export function eventBytes(response: Response): ByteReceiveStream {
  const { status, headers, url } = response;
  const where = url === "" ? "event stream" : url;
  if (status !== 200)
    throw new EventStreamError("status", status, `${where}: the status is ${status}, needs 200`);
  const type = headers.get("content-type");
  if (!/^text\/event-stream[ \t]*(?:;|$)/i.test(type ?? "")) {
    throw new EventStreamError(
      "content-type",
      status,
      `${where}: the type is ${JSON.stringify(type?.slice(0, 100) ?? null)}, needs text/event-stream`,
    );
  }
  const { bodyStream } = response as { bodyStream?: ByteReceiveStream | null };
  if (bodyStream !== undefined && bodyStream !== null) return bodyStream;
  return fromReadableStream(response.body ?? new ReadableStream({ start: (to) => to.close() }));
}

/** @throws RangeError if it is no number of characters. */
export function requireCharacters(where: string, options: ReadEventsOptions): number {
  const { eventCharactersMax = EVENT_CHARACTERS_MAX } = options;
  if (typeof eventCharactersMax === "number" && eventCharactersMax >= 1) return eventCharactersMax;
  throw new RangeError(
    `${where}({ eventCharactersMax }): got ${eventCharactersMax}, needs a number from 1 on`,
  );
}
