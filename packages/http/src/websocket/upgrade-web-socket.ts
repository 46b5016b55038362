import { createDigest } from "arborio/lowlevel";
import { HttpResponse } from "../web/http-response.ts";
import type { RequestContext } from "../server/request-context.ts";
import { type AllowedOrigins, allowsOrigin } from "../protocol/websocket/allows-origin.ts";
import {
  checkUpgradeRequest,
  chooseProtocol,
  type HandshakeRefusal,
  offeredProtocols,
  webSocketAccept,
} from "../protocol/websocket/handshake.ts";
import { acceptDeflate } from "../protocol/websocket/negotiate-deflate.ts";
import { runWebSocket, type WebSocketBody } from "./run-web-socket.ts";
import { resolveUpgradeOptions, type UpgradeWebSocketOptions } from "./upgrade-options.ts";

/**
 * Begins a WebSocket that a client asks for (RFC 6455): gives the response for the handler to return; when that was sent, `body` runs with the
 * WebSocket, inside the request's scope. When `body` ends, the WebSocket is closed in order (1000); if it fails, with 1011, and
 * the error is reported. That the other side closes, or goes, is no error: receiving ends. A shutdown of the server tells the other side (1001),
 * and cancels `body` after the grace.
 *
 * @returns 101; or if the request is no good handshake, the response that says so: 400, 403, 405 or 426.
 * @throws TypeError, RangeError for wrong options.
 *
 * @example Echo
 * ```ts
 * import { run } from "arborio";
 * import { upgradeWebSocket } from "@arborio/http";
 * import { testClient } from "@arborio/http/testing";
 *
 * await run(async () => {
 *   await using client = testClient((request, context) =>
 *     upgradeWebSocket(request, context, async (socket) => {
 *       for await (const message of socket) await socket.send(message);
 *     }),
 *   );
 *   console.assert((await client.fetch("/")).status === 426);
 * });
 * ```
 */
export function upgradeWebSocket(
  request: Request,
  context: RequestContext,
  body: WebSocketBody,
  options: UpgradeWebSocketOptions = {},
): Response {
  if (typeof body !== "function") {
    throw new TypeError(
      `upgradeWebSocket: got ${typeof body}, needs a function that takes the socket`,
    );
  }
  const { resolved, protocols, origins } = resolveUpgradeOptions(options);
  const { headers: fields } = request;
  const refusal =
    checkUpgradeRequest(request.method, fields) ?? checkRest(request, context, origins);
  if (refusal !== null) return refused(refusal);

  const protocol = chooseProtocol(offeredProtocols(fields), protocols);
  const deflate =
    resolved.compression === null
      ? null
      : acceptDeflate(fields.get("sec-websocket-extensions"), resolved.compression);
  const headers = new Headers(options.headers);
  headers.set(
    "sec-websocket-accept",
    webSocketAccept(fields.get("sec-websocket-key") ?? "", (bytes) =>
      createDigest("sha-1").update(bytes).digest(),
    ),
  );
  if (protocol !== null) headers.set("sec-websocket-protocol", protocol);
  if (deflate !== null) headers.set("sec-websocket-extensions", deflate.value);
  const agreed = {
    role: "server",
    protocol: protocol ?? "",
    deflate: deflate?.parameters ?? null,
  } as const;
  return context.upgrade((stream) => runWebSocket(stream, agreed, resolved, body), {
    protocol: "websocket",
    headers,
  });
}

/** What is wrong beside the fields of the handshake. */
function checkRest(
  request: Request,
  context: RequestContext,
  origins: AllowedOrigins,
): HandshakeRefusal | null {
  if (!context.upgradeProtocols.some((protocol) => protocol.toLowerCase() === "websocket")) {
    const message = "a WebSocket begins with a request of HTTP/1.1 that has no body";
    return { status: 400, message, fields: [] };
  }
  const origin = request.headers.get("origin");
  if (allowsOrigin(origin, new URL(request.url).host, origins)) return null;
  return { status: 403, message: "this page may not connect here", fields: [] };
}

function refused({ status, message, fields }: HandshakeRefusal): Response {
  const headers: [string, string][] = fields.map(([name, value]) => [name, value]);
  return new HttpResponse(`${message}\n`, { status, headers });
}
