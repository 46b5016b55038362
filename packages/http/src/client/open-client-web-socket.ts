import type { TaskGroup } from "arborio";
import { openWebSocket } from "../websocket/open-web-socket.ts";
import type { WebSocketConnection } from "../websocket/web-socket-connection.ts";
import {
  requireNames,
  resolveWebSocketOptions,
  SOCKET_NAMES,
  type WebSocketOptions,
} from "../websocket/web-socket-options.ts";
import type { FetchOptions, RequestDefaults } from "./client-options.ts";
import type { ClientResponse } from "./client-response.ts";
import { isToken } from "../protocol/characters.ts";
import { DEFAULTS_NAMES } from "./fetch-names.ts";
import { describe } from "./require-option.ts";
import { WebSocketHandshake } from "./web-socket-handshake.ts";
import { withHeaders } from "./with-headers.ts";

/** Options of `client.webSocket`. */
export interface ClientWebSocketOptions
  extends WebSocketOptions, RequestDefaults, Pick<FetchOptions, "signal"> {
  /** Subprotocols to offer, the ones this side likes best first. Default: none. */
  readonly protocols?: readonly string[];
  /** The field `Origin`, for servers that ask for one. Default: none, as of what is no browser. */
  readonly origin?: string;
  /** Where the task lives that keeps the deadlines. Default: beside `main`. */
  readonly group?: TaskGroup;
}

const NAMES: Readonly<Record<keyof ClientWebSocketOptions, true>> = {
  ...SOCKET_NAMES,
  ...DEFAULTS_NAMES,
  protocols: true,
  origin: true,
  group: true,
  signal: true,
};

/** Asks for a WebSocket. `fetch` is the client's. */
export async function openClientWebSocket(
  fetch: (url: string, options: FetchOptions) => Promise<ClientResponse>,
  url: string | URL,
  options: ClientWebSocketOptions,
): Promise<WebSocketConnection> {
  const {
    protocols = [],
    origin,
    group,
    headers,
    messageBytesMax: _messageBytesMax,
    fragmentBytesMax: _fragmentBytesMax,
    heartbeatMs: _heartbeatMs,
    pongMs: _pongMs,
    closeMs: _closeMs,
    compression: _compression,
    ...rest
  } = options;
  requireNames("client.webSocket", options, NAMES);
  requireProtocols(protocols);
  if (origin !== undefined && typeof origin !== "string")
    throw new TypeError(`client.webSocket({ origin }): got ${describe(origin)}, needs a text`);
  const resolved = resolveWebSocketOptions("client.webSocket", options);
  const handshake = new WebSocketHandshake(protocols, resolved.compression);
  using response = await fetch(String(url).replace(/^ws(?=s?:)/i, "http"), {
    ...rest,
    upgrade: "websocket",
    // What is no 101 has an error of its own here.
    raiseForStatus: false,
    // In place of those of a handshake that is passed on.
    headers: withHeaders(headers, { own: handshake.fields(origin) }),
  });
  const agreed = handshake.agreed(response);
  return openWebSocket(response.takeStream(), agreed, resolved, group);
}

/** @throws TypeError if one cannot be offered (RFC 6455 §4.1). */
function requireProtocols(protocols: unknown): asserts protocols is readonly string[] {
  if (!Array.isArray(protocols))
    throw new TypeError(
      `client.webSocket({ protocols }): got ${describe(protocols)}, needs a list of names: ["chat"]`,
    );
  const wrong = protocols.find((name, at) => !isToken(name) || protocols.indexOf(name) !== at);
  if (wrong === undefined) return;
  throw new TypeError(
    `client.webSocket({ protocols }): got ${JSON.stringify(wrong)}, needs names that are tokens, each once`,
  );
}
