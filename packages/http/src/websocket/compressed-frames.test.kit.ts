/** Compressed frames for tests. */
import { constants, deflateRawSync } from "node:zlib";
import type { DeflateParameters } from "../protocol/websocket/negotiate-deflate.ts";
import type { RawPeer } from "./raw-peer.test.kit.ts";

/** Nothing special was agreed upon. */
export const PLAIN: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};

/** Sends a frame whose first byte is given: with RSV1 (40), or without. */
export async function sendRaw(peer: RawPeer, first: number, payload: Uint8Array): Promise<void> {
  const frame = peer.frame(2, payload);
  frame[0] = first;
  await peer.stream.send(frame);
}

/** A message, compressed by itself: ended by a flush, whose last bytes are left out. */
export function flushed(bytes: Uint8Array): Uint8Array {
  return deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}
