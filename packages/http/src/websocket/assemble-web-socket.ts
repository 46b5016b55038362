import { takeWire } from "arborio/lowlevel";
import type { ByteStream } from "arborio/streams";
import type { WebSocketRole } from "../protocol/websocket/frame.ts";
import { canCompress, type DeflateParameters } from "../protocol/websocket/negotiate-deflate.ts";
import { Deflater } from "./deflater.ts";
import { Inflater } from "./inflater.ts";
import { MessageReceiver } from "./message-receiver.ts";
import { MessageSender } from "./message-sender.ts";
import { WebSocketConnection } from "./web-socket-connection.ts";
import { WebSocketCore } from "./web-socket-core.ts";
import { COMPRESSED_BYTES_MIN, type ResolvedWebSocketOptions } from "./web-socket-options.ts";

/** What the handshake has agreed upon. */
export interface AgreedWebSocket {
  readonly role: WebSocketRole;
  /** `""`: none. */
  readonly protocol: string;
  /** `null`: nothing is compressed. */
  readonly deflate: DeflateParameters | null;
}

/** A WebSocket and what works for it. */
export interface AssembledWebSocket {
  readonly core: WebSocketCore;
  readonly socket: WebSocketConnection;
  /** Gives back what its compression holds: nothing is received or sent any more. */
  readonly release: () => void;
}

/** Makes a WebSocket over `stream`, whose handshake is done. Who calls it keeps its deadlines (`keepAlive`), and releases it. */
export function assembleWebSocket(
  stream: ByteStream,
  { role, protocol, deflate }: AgreedWebSocket,
  options: ResolvedWebSocketOptions,
): AssembledWebSocket {
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
  const release = (): void => {
    sender.close();
    receiver.close();
  };
  return { core, socket: new WebSocketConnection({ core, sender, receiver, protocol }), release };
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
