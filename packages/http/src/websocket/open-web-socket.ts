import { startSystemTask } from "arborio/lowlevel";
import { shielded, type TaskGroup } from "arborio";
import type { ByteStream } from "arborio/streams";
import {
  type AgreedWebSocket,
  type AssembledWebSocket,
  assembleWebSocket,
} from "./assemble-web-socket.ts";
import { keepAlive } from "./keep-alive.ts";
import type { WebSocketConnection } from "./web-socket-connection.ts";
import type { ResolvedWebSocketOptions } from "./web-socket-options.ts";

/**
 * A WebSocket over `stream`, whose handshake is done, for who closes it themselves. What keeps its deadlines is a task of `group`, else one beside
 * `main`; it ends with the WebSocket, and cuts it when it is cancelled.
 */
export function openWebSocket(
  stream: ByteStream,
  agreed: AgreedWebSocket,
  options: ResolvedWebSocketOptions,
  group: TaskGroup | undefined,
): WebSocketConnection {
  const { core, socket, release } = assembled(stream, agreed, options);
  const watch = async (): Promise<void> => {
    try {
      await keepAlive(core, options);
    } catch (error) {
      core.drop("WebSocket: the task that watched over it was cancelled", true);
      throw error;
    }
  };
  const name = "websocket keep-alive";
  try {
    const watcher =
      group === undefined
        ? startSystemTask(watch, { name })
        : group.startSoon(watch, { name, daemon: true });
    socket.onDispose = async () => {
      release();
      await shielded(() => watcher.wait());
    };
  } catch (error) {
    core.drop("WebSocket: nothing could watch over it", true);
    release();
    throw error;
  }
  return socket;
}

/** @throws BrokenResourceError if the connection has broken; it is closed then. */
function assembled(
  stream: ByteStream,
  agreed: AgreedWebSocket,
  options: ResolvedWebSocketOptions,
): AssembledWebSocket {
  try {
    return assembleWebSocket(stream, agreed, options);
  } catch (error) {
    stream.close();
    throw error;
  }
}
