/**
 * Runs what makes events beside what sends them. Two tasks, with a channel without room between them: so an event is sent whole or not
 * at all, whatever cuts its producer short (a deadline around one `send`, a shutdown), and what keeps the stream alive never falls into
 * the middle of an event. The producer is soft: a shutdown ends it, and then the stream, in order; the client comes back elsewhere.
 */
import {
  Cancelled,
  ClosedResourceError,
  createChannel,
  gather,
  moveOnAfter,
  type ReceiveChannel,
  type SendChannel,
  soft,
} from "arborio";
import { encodeEvent, type ServerSentEvent } from "../protocol/encode-event.ts";
import type { BodySink } from "../web/body-producer.ts";

/** Where a producer of events puts them. */
export interface EventSink {
  /**
   * The id of the last event that the client has got, if it was connected before: where to go on. `undefined` for a new client, and
   * where events have no ids.
   */
  readonly lastEventId: string | undefined;
  /**
   * Sends an event, and waits until the one before it has been taken by the connection: this is the client's backpressure. Several
   * tasks may send; events go in the order of the calls. Cancelled, the event is not sent, and the stream goes on.
   *
   * @throws TypeError, RangeError for an event that cannot be sent, as `encodeEvent`; the stream goes on.
   * @throws ClosedResourceError when the stream has ended.
   */
  send(event: ServerSentEvent): Promise<void>;
}

/** What makes the events: see `eventStreamResponse`. */
export type EventProducer = (events: EventSink) => Promise<void>;

/** Options of `produceEvents`. */
export interface ProduceEventsOptions {
  readonly heartbeatMs: number;
  readonly lastEventId: string | undefined;
}

/** A line that every client skips (HTML Standard §9.2.7). */
const HEARTBEAT = ":\n\n";

/**
 * Runs `produce`, and sends to `sink` what it sends, and a comment whenever nothing was sent for `heartbeatMs`. Ends in order, with
 * every event that `send` took, when `produce` returns and when a shutdown asks. If sending fails, `produce` is cancelled; if
 * `produce` fails, its error comes out bare.
 */
export async function produceEvents(
  sink: BodySink,
  produce: EventProducer,
  { heartbeatMs, lastEventId }: ProduceEventsOptions,
): Promise<void> {
  // No room: whoever sends waits until the event before is on its way.
  const [sender, receiver] = createChannel<string>(0);
  const failures: unknown[] = [];
  const produceAll = async (): Promise<void> => {
    using _ending = sender;
    try {
      await soft(() => produce(new ChannelEventSink(sender, lastEventId)));
    } catch (error) {
      if (!(error instanceof Cancelled)) failures.push(error);
      throw error;
    }
  };
  try {
    await gather([() => sendAll(receiver, sink, heartbeatMs), produceAll]);
  } catch (error) {
    // What went wrong here says more than that the client has gone, which may be why.
    throw failures.length === 0 ? error : failures[0];
  }
}

async function sendAll(
  receiver: ReceiveChannel<string>,
  sink: BodySink,
  heartbeatMs: number,
): Promise<void> {
  const items = receiver[Symbol.asyncIterator]();
  for (;;) {
    const next = await moveOnAfter(heartbeatMs, () => items.next());
    if (next?.done === true) return;
    await sink.send(next === undefined ? HEARTBEAT : next.value);
  }
}

class ChannelEventSink implements EventSink {
  readonly #sender: SendChannel<string>;
  readonly lastEventId: string | undefined;

  constructor(sender: SendChannel<string>, lastEventId: string | undefined) {
    this.#sender = sender;
    this.lastEventId = lastEventId;
  }

  async send(event: ServerSentEvent): Promise<void> {
    try {
      await this.#sender.send(encodeEvent(event));
    } catch (error) {
      if (!(error instanceof ClosedResourceError)) throw error;
      throw new ClosedResourceError(
        "EventSink.send: the event stream has ended, needs to be called before its producer returns",
      );
    }
  }
}
