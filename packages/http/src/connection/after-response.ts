/** What is done with what a client still sends when it has its response. */
import { sleep } from "arborio";
import { ProtocolError } from "../protocol/protocol-error.ts";
import type { ServerConnection } from "./server-connection.ts";

/** So long, in milliseconds, what comes after a response is read and dropped: the rest of a body, or all, if there is no further request. */
const AFTER_RESPONSE_MS = 5000;

/** Likewise, in bytes. */
const LINGER_BYTES_MAX = 1_048_576;

/**
 * To a client that sends more nothing is read for so long, in milliseconds, before the connection is closed: held up, it looks what came.
 * To close at once would reset it while it sends: proxies such as nginx take that for a failure, and never look for the response.
 */
const HELD_UP_MS = 100;

/** Bytes that are dropped at a time. */
const PIECE_BYTES = 65_536;

/**
 * Reads what is left of a body that nobody wanted, so that the next request can be read.
 *
 * @returns `false`: it is too much, takes too long, or breaks the protocol.
 */
export async function dropRest(connection: ServerConnection): Promise<boolean> {
  const { inlet, outlet, parser, core, awaited } = connection;
  if (!outlet.flush()) await connection.drained();
  awaited.begin("rest", core.due(AFTER_RESPONSE_MS));
  try {
    for (let dropped = 0; ;) {
      for (let piece = parser.readBody(PIECE_BYTES); piece !== null;) {
        dropped += piece.length;
        piece = parser.readBody(PIECE_BYTES);
      }
      inlet.consumed();
      if (parser.bodyDone) return true;
      if (dropped > core.limits.drainBytesMax || inlet.ended || awaited.isOverdue) return false;
      await inlet.wait();
    }
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  } finally {
    awaited.end();
  }
}

/**
 * Sends the end, and reads on until the client has seen it: a connection that is closed with bytes unread is reset, and a reset takes the
 * response away from a client that has not read it yet (RFC 9112 §9.6).
 */
export async function linger(connection: ServerConnection): Promise<void> {
  const { inlet, wire, core, awaited } = connection;
  wire.end();
  inlet.ignore();
  const bytesMax = inlet.bytesReceived + LINGER_BYTES_MAX;
  awaited.begin("linger", core.due(AFTER_RESPONSE_MS));
  while (!inlet.ended && !awaited.isOverdue && inlet.bytesReceived < bytesMax) await inlet.wait();
  if (inlet.bytesReceived < bytesMax || inlet.ended) return;
  inlet.pause();
  await sleep(HELD_UP_MS);
}
