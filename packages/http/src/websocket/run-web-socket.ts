import { Cancelled, taskGroup } from "arborio";
import { takeWire } from "arborio/lowlevel";
import type { ByteStream } from "arborio/streams";
import { encodeClose } from "../protocol/websocket/close-payload.ts";
import type { WebSocketRole } from "../protocol/websocket/frame.ts";
import { canCompress, type DeflateParameters } from "../protocol/websocket/negotiate-deflate.ts";
import { Deflater } from "./deflater.ts";
import { Inflater } from "./inflater.ts";
import { keepAlive } from "./keep-alive.ts";
import { MessageReceiver } from "./message-receiver.ts";
import { MessageSender } from "./message-sender.ts";
import { WebSocketConnection } from "./web-socket-connection.ts";
import { WebSocketCore } from "./web-socket-core.ts";
import { COMPRESSED_BYTES_MIN, type ResolvedWebSocketOptions } from "./web-socket-options.ts";

/** "Going away" and "internal error" (RFC 6455 §7.4.1). */
const CODE_GOING_AWAY = 1001;
const CODE_FAILED = 1011;

/** What a WebSocket does. */
export type WebSocketBody = (socket: WebSocketConnection) => Promise<void>;

/** What the handshake has agreed upon. */
export interface AgreedWebSocket {
  readonly role: WebSocketRole;
  /** `""`: none. */
  readonly protocol: string;
  /** `null`: nothing is compressed. */
  readonly deflate: DeflateParameters | null;
}

/**
 * Runs `body` with a WebSocket over `stream`, whose handshake is done, and closes it: in order if `body` ends, with 1011 if it fails. Cancelled, it
 * tells the other side (1001), and does not wait for it. Throws what `body` throws, unless that is only that this WebSocket is closed.
 */
export async function runWebSocket(
  stream: ByteStream,
  agreed: AgreedWebSocket,
  options: ResolvedWebSocketOptions,
  body: WebSocketBody,
): Promise<void> {
  const { role, protocol, deflate } = agreed;
  const { messageBytesMax } = options;
  const allowsCompressed = deflate !== null;
  const core = new WebSocketCore(takeWire(stream), { role, messageBytesMax, allowsCompressed });
  const inflater = deflate === null ? null : new Inflater(windowOf(deflate, other(role)));
  const receiver = new MessageReceiver(core, messageBytesMax, inflater);
  const sender = new MessageSender(core, {
    fragmentBytesMax: options.fragmentBytesMax,
    compressedBytesMin: options.compression?.messageBytesMin ?? COMPRESSED_BYTES_MIN,
    deflater: deflaterOf(deflate, role, options),
  });
  let failure: { readonly error: unknown } | null = null;
  try {
    await taskGroup(async (group) => {
      group.startSoon(() => keepAlive(core, options), {
        daemon: true,
        name: "websocket keep-alive",
      });
      const socket = new WebSocketConnection({ core, sender, receiver, protocol });
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
    sender.close();
    receiver.close();
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
  const code = error instanceof Cancelled ? CODE_GOING_AWAY : CODE_FAILED;
  core.beginClose(encodeClose(code, ""), code);
  if (error instanceof Cancelled) throw error;
  try {
    await socket.close(code);
  } catch (closing) {
    // The error that was there before says more.
    if (!(closing instanceof Cancelled)) throw closing;
  }
}

/** That the other side has gone, or the WebSocket was closed, is nobody's error: `body` was told. */
function throwUnlessEnd(core: WebSocketCore, { error }: { readonly error: unknown }): void {
  if (!core.isEnd(error)) throw error;
}

function deflaterOf(
  deflate: DeflateParameters | null,
  role: WebSocketRole,
  { compression }: ResolvedWebSocketOptions,
): Deflater | null {
  if (deflate === null) return null;
  const settings = windowOf(deflate, role);
  return canCompress(settings.windowBits)
    ? new Deflater({ ...settings, level: compression?.level })
    : null;
}

/** How one side compresses. */
function windowOf(
  deflate: DeflateParameters,
  role: WebSocketRole,
): { windowBits: number; noContextTakeover: boolean } {
  return role === "server"
    ? {
        windowBits: deflate.serverMaxWindowBits,
        noContextTakeover: deflate.serverNoContextTakeover,
      }
    : {
        windowBits: deflate.clientMaxWindowBits,
        noContextTakeover: deflate.clientNoContextTakeover,
      };
}

function other(role: WebSocketRole): WebSocketRole {
  return role === "server" ? "client" : "server";
}
