import { Cancelled, taskGroup } from "arborio";
import type { ByteStream } from "arborio/streams";
import { CODE_FAILED, CODE_GOING_AWAY } from "../protocol/websocket/close-codes.ts";
import { encodeClose } from "../protocol/websocket/close-payload.ts";
import { type AgreedWebSocket, assembleWebSocket } from "./assemble-web-socket.ts";
import { keepAlive } from "./keep-alive.ts";
import type { WebSocketConnection } from "./web-socket-connection.ts";
import type { WebSocketCore } from "./web-socket-core.ts";
import { WebSocketMessageError } from "./web-socket-message-error.ts";
import type { ResolvedWebSocketOptions } from "./web-socket-options.ts";

/** What a WebSocket does. */
export type WebSocketBody = (socket: WebSocketConnection) => Promise<void>;

/**
 * Runs `body` with a WebSocket over `stream`, whose handshake is done, and closes it: in order if `body` ends, with 1011 if it fails. Cancelled, it
 * tells the other side (1001), and does not wait for it. Throws what `body` throws, unless that is only that this WebSocket is closed, or what a
 * message should not have been: then that message's code closes it.
 */
export async function runWebSocket(
  stream: ByteStream,
  agreed: AgreedWebSocket,
  options: ResolvedWebSocketOptions,
  body: WebSocketBody,
): Promise<void> {
  const { core, socket, release } = assembleWebSocket(stream, agreed, options);
  let failure: { readonly error: unknown } | null = null;
  try {
    await taskGroup(async (group) => {
      group.startSoon(() => keepAlive(core, options), {
        daemon: true,
        name: "websocket keep-alive",
      });
      try {
        await body(socket);
      } catch (error) {
        await closeFailed(socket, core, error);
        failure = { error };
        return;
      }
      await socket.close();
    });
  } finally {
    core.drop("WebSocket: it was cut by its own side");
    release();
  }
  // Bare, not as one of a group.
  if (failure !== null) throwUnlessEnd(core, failure);
}

/** @throws Cancelled if that is what it is. */
async function closeFailed(
  socket: WebSocketConnection,
  core: WebSocketCore,
  error: unknown,
): Promise<void> {
  const code = codeOf(error);
  core.beginClose(encodeClose(code, ""), code);
  if (error instanceof Cancelled) throw error;
  try {
    await socket.close(code);
  } catch (closing) {
    // The error that was there before says more.
    if (!(closing instanceof Cancelled)) throw closing;
  }
}

function codeOf(error: unknown): number {
  if (error instanceof Cancelled) return CODE_GOING_AWAY;
  return error instanceof WebSocketMessageError ? error.closeCode : CODE_FAILED;
}

/**
 * That the other side has gone, or the WebSocket was closed, is nobody's error: `body` was told. What the other side should not have sent is its
 * own error, and it was told.
 */
function throwUnlessEnd(core: WebSocketCore, { error }: { readonly error: unknown }): void {
  if (!(core.isEnd(error) || error instanceof WebSocketMessageError)) throw error;
}
