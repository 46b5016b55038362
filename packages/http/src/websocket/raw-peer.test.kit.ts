/** A peer of a WebSocket that sends what it likes, and sees the very frames; and pairs of WebSockets. */
import { BrokenResourceError, EndOfStream, type TaskGroup } from "arborio";
import { type ByteStream, createMemoryStreamPair } from "arborio/streams";
import { encodeClose } from "../protocol/websocket/close-payload.ts";
import { encodeFrame } from "../protocol/websocket/encode-frame.ts";
import type { WebSocketRole } from "../protocol/websocket/frame.ts";
import { type FrameEvent, FrameParser } from "../protocol/websocket/frame-parser.ts";
import type { DeflateParameters } from "../protocol/websocket/negotiate-deflate.ts";
import { runWebSocket, type WebSocketBody } from "./run-web-socket.ts";
import { resolveWebSocketOptions, type WebSocketOptions } from "./web-socket-options.ts";

const MASK = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

/** How a connection ended. */
export type PeerEnd = "end" | "reset";

/** What a peer sees, in short: `text hello`, `ping 1,2`, `close 1000 bye`. */
export type Seen = string;

export class RawPeer {
  readonly stream: ByteStream;
  readonly role: WebSocketRole;
  readonly #parser: FrameParser;
  #pieces: number[] = [];

  constructor(stream: ByteStream, role: WebSocketRole) {
    this.stream = stream;
    this.role = role;
    this.#parser = new FrameParser({ role, allowsCompressed: true });
  }

  /** A frame as bytes, masked if this is a client. */
  frame(opcode: number, payload: string | Uint8Array = "", isFinal: boolean = true): Uint8Array {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    const mask = this.role === "client" ? MASK : undefined;
    return encodeFrame({ opcode, isFinal, mask }, bytes);
  }

  async send(
    opcode: number,
    payload: string | Uint8Array = "",
    isFinal: boolean = true,
  ): Promise<void> {
    await this.stream.send(this.frame(opcode, payload, isFinal));
  }

  async close(code: number, reason: string = ""): Promise<void> {
    await this.send(8, encodeClose(code, reason));
  }

  /** The next frame, or piece of one; how the connection ended, if it did. */
  async event(): Promise<FrameEvent | PeerEnd> {
    for (;;) {
      const event = this.#parser.next();
      if (event !== undefined) return event;
      try {
        this.#parser.push(await this.stream.receive());
      } catch (error) {
        if (error instanceof EndOfStream) return "end";
        if (error instanceof BrokenResourceError) return "reset";
        throw error;
      }
    }
  }

  /** The next message or control frame, or the end. */
  async next(): Promise<Seen> {
    for (;;) {
      const event = await this.event();
      if (typeof event === "string") return event;
      const { kind, bytes } = event;
      if (kind === "close") return seenClose(bytes);
      if (kind === "ping" || kind === "pong") return `${kind} ${bytes.join()}`;
      if (event.isFirst) this.#pieces = [];
      this.#pieces.push(...bytes);
      if (!event.isLast) continue;
      const whole = Uint8Array.from(this.#pieces);
      return kind === "text" ? `text ${new TextDecoder().decode(whole)}` : `binary ${whole.join()}`;
    }
  }

  /** Everything until the connection ends. */
  async rest(): Promise<Seen[]> {
    const seen: Seen[] = [];
    for (;;) {
      const one = await this.next();
      seen.push(one);
      if (one === "end" || one === "reset") return seen;
    }
  }
}

function seenClose(bytes: Uint8Array): Seen {
  if (bytes.length === 0) return "close";
  const code = ((bytes[0] as number) << 8) | (bytes[1] as number);
  return `close ${code} ${new TextDecoder().decode(bytes.subarray(2))}`.trimEnd();
}

/** What a test of one side needs. */
export interface PeerOptions extends WebSocketOptions {
  /** Of the side under test. Default `"server"`. */
  readonly role?: WebSocketRole;
  readonly deflate?: DeflateParameters;
  /** Bytes that each side may have sent and the other not received. */
  readonly capacity?: number;
}

/** Runs a WebSocket as the side under test, in a task, and gives the other side's peer. */
export function peerOf(group: TaskGroup, body: WebSocketBody, options: PeerOptions = {}): RawPeer {
  const { role = "server", capacity = 65_536 } = options;
  const [near, far] = createMemoryStreamPair({ capacity });
  group.startSoon(() => runOver(far, body, options), { name: "websocket" });
  return new RawPeer(near, role === "server" ? "client" : "server");
}

/** Runs a WebSocket over a stream whose handshake is done. */
export function runOver(
  stream: ByteStream,
  body: WebSocketBody,
  options: PeerOptions = {},
): Promise<void> {
  const { role = "server", deflate = null, capacity: _capacity, ...rest } = options;
  const resolved = resolveWebSocketOptions("test", rest);
  return runWebSocket(stream, { role, protocol: "", deflate }, resolved, body);
}

export const echo: WebSocketBody = async (socket) => {
  for await (const message of socket) await socket.send(message);
};
