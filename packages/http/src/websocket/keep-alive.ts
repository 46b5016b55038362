/** The deadlines of a WebSocket, as scopes: of signs of life, of answers to what came before a close, of the close itself. */
import { currentScope, moveOnAfter, soft } from "arborio";
import { CODE_GOING_AWAY } from "../protocol/websocket/close-codes.ts";
import { encodeClose } from "../protocol/websocket/close-payload.ts";
import type { WebSocketCore } from "./web-socket-core.ts";
import type { ResolvedWebSocketOptions } from "./web-socket-options.ts";

/**
 * So many milliseconds a close frame of the other side waits for who has been given messages before it and may still answer them (RFC 6455
 * §5.5.1 lets it). The other side waits for our close frame meanwhile, commonly for 10 s.
 */
const ANSWER_MS = 1000;

/** A payload that no `ping` has, since theirs are longer. */
const HEARTBEAT: Uint8Array = new Uint8Array(0);

/**
 * Watches over a WebSocket until it is gone: asks for signs of life, tells the other side of a shutdown, and cuts the connection if its end
 * takes too long.
 */
export async function keepAlive(
  core: WebSocketCore,
  options: ResolvedWebSocketOptions,
): Promise<void> {
  await soft(() => watchSigns(core, options));
  if (currentScope().shuttingDown && !core.stirred.isSet)
    core.beginClose(encodeClose(CODE_GOING_AWAY, ""), CODE_GOING_AWAY);
  if (core.isDeferred) {
    await moveOnAfter(ANSWER_MS, () => core.closing.wait());
    core.settle();
  }
  await moveOnAfter(options.closeMs, () => core.atEnd.wait());
  core.drop(`WebSocket: the other side did not answer the close within ${options.closeMs} ms`);
}

/** Until something ends it. */
async function watchSigns(
  core: WebSocketCore,
  { heartbeatMs, pongMs }: ResolvedWebSocketOptions,
): Promise<void> {
  while (!core.stirred.isSet) {
    const signs = core.signs;
    await moveOnAfter(heartbeatMs, () => core.stirred.wait());
    if (core.stirred.isSet || core.signs !== signs) continue;
    // Who does not read cannot hear, but sees what is taken: one that takes nothing would hold its `send` for ever.
    if (core.isPaused && !core.outlet.isWriting) continue;
    const sign = core.awaitSign();
    core.ping(HEARTBEAT);
    await moveOnAfter(pongMs, () => sign.wait());
    if (!sign.isSet && !core.stirred.isSet)
      core.drop(`WebSocket: the other side gave no sign of life for ${heartbeatMs + pongMs} ms`);
  }
}
