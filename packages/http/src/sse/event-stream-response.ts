import { encodeEvent } from "../protocol/encode-event.ts";
import { HttpResponse } from "../web/http-response.ts";
import { type EventProducer, produceEvents } from "./produce-events.ts";
import type { HeadersSource } from "../web/headers-source.ts";

/** Options of `eventStreamResponse`. */
export interface EventStreamOptions {
  /**
   * Milliseconds of silence after which a comment is sent, so that nobody between takes the connection for dead, and a client that has
   * vanished is found. Default 15,000, as the HTML Standard advises. `Infinity`: none is sent.
   */
  readonly heartbeatMs?: number;
  /** Milliseconds that the client waits before it connects again when the stream has ended. Default: its own, a few seconds. */
  readonly retryMs?: number;
  /** Further fields; they win over those that are set here: `Content-Type`, `Cache-Control` and `X-Accel-Buffering`. */
  readonly headers?: HeadersSource;
}

/** After this long without a byte proxies begin to close connections; HTML Standard §9.2.7. */
const HEARTBEAT_MS = 15_000;

/**
 * A response that goes on: a stream of server-sent events for `EventSource`, made by `produce` while it is being sent.
 *
 * The producer runs inside the request's scope. It is cancelled when the client leaves; by a shutdown it is cancelled at once, and the
 * stream then ends in order, so that the client comes back to another server. The stream ends when it returns. If it throws, the stream
 * breaks off, and the error is reported as one of a handler. In each case `EventSource` connects again, with the id of the last event it
 * got: to make it stay away, answer its next request with 204.
 *
 * @param request what is answered; its `Last-Event-ID` is `events.lastEventId`.
 * @param produce makes the events; not called for HEAD.
 * @throws RangeError if a number of milliseconds is out of its range; TypeError if a field cannot be sent.
 *
 * Source: HTML Standard §9.2. Counterpart: `aiohttp_sse.sse_response`.
 *
 * @example A ticker
 * ```ts
 * import { sleep } from "arborio";
 * import { eventStreamResponse } from "@arborio/http";
 *
 * const handler = (request: Request) =>
 *   eventStreamResponse(request, async (events) => {
 *     for (let tick = Number(events.lastEventId ?? 0) + 1; ; tick++) {
 *       await events.send({ id: `${tick}`, data: JSON.stringify({ tick }) });
 *       await sleep(1000);
 *     }
 *   });
 * console.assert(handler(new Request("http://localhost/")).status === 200);
 * ```
 */
export function eventStreamResponse(
  request: Request,
  produce: EventProducer,
  options: EventStreamOptions = {},
): HttpResponse {
  const { heartbeatMs = HEARTBEAT_MS, retryMs, headers } = options;
  if (!(heartbeatMs > 0)) {
    throw new RangeError(
      `eventStreamResponse({ heartbeatMs }): got ${heartbeatMs}, needs milliseconds above 0; Infinity for none`,
    );
  }
  if (typeof produce !== "function") {
    throw new TypeError(
      `eventStreamResponse: got ${typeof produce}, needs a function that sends events`,
    );
  }
  const first = retryMs === undefined ? "" : encodeEvent({ retryMs });
  const lastEventId = lastEventIdOf(request);
  return new HttpResponse(
    async (sink) => {
      if (first !== "") await sink.send(first);
      await produceEvents(sink, produce, { heartbeatMs, lastEventId });
    },
    { headers: fieldsWith(headers) },
  );
}

const FIELDS: readonly (readonly [string, string])[] = [
  ["content-type", "text/event-stream"],
  // Nobody between may keep it, or answer from it.
  ["cache-control", "no-store"],
  // nginx collects responses otherwise.
  ["x-accel-buffering", "no"],
];

function fieldsWith(given: HeadersSource | undefined): Headers {
  const fields = new Headers(given);
  for (const [name, value] of FIELDS) if (!fields.has(name)) fields.set(name, value);
  return fields;
}

/** Clients send it in UTF-8 (HTML Standard §9.2.3), and `Headers` gives bytes as characters. */
function lastEventIdOf(request: Request): string | undefined {
  const bytes = request.headers.get("last-event-id");
  if (bytes === null || bytes === "") return undefined;
  return UTF8.decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
}

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
