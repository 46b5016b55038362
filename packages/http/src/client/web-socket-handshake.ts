import { createDigest, randomBytes } from "arborio/lowlevel";
import {
  checkUpgradeResponse,
  webSocketKey,
  WEBSOCKET_VERSION,
} from "../protocol/websocket/handshake.ts";
import {
  acceptedDeflate,
  type DeflateWishes,
  offerDeflate,
} from "../protocol/websocket/negotiate-deflate.ts";
import type { AgreedWebSocket } from "../websocket/assemble-web-socket.ts";
import type { ClientResponse } from "./client-response.ts";
import { WebSocketHandshakeError } from "./web-socket-handshake-error.ts";

/** A nonce of so many bytes tells that the server has read this request (RFC 6455 §4.1). */
const KEY_BYTES = 16;

/** What a client asks of the server of a WebSocket, and what the answer must be. */
export class WebSocketHandshake {
  readonly #key: string = webSocketKey(randomBytes(KEY_BYTES));
  readonly #protocols: readonly string[];
  readonly #wishes: DeflateWishes | null;

  /** @param wishes `null`: nothing is to be compressed. */
  constructor(protocols: readonly string[], wishes: DeflateWishes | null) {
    this.#protocols = protocols;
    this.#wishes = wishes;
  }

  /** The fields of the request. */
  fields(origin: string | undefined): [string, string][] {
    const fields: [string, string][] = [
      ["sec-websocket-version", WEBSOCKET_VERSION],
      ["sec-websocket-key", this.#key],
    ];
    if (this.#protocols.length > 0)
      fields.push(["sec-websocket-protocol", this.#protocols.join(", ")]);
    if (this.#wishes !== null)
      fields.push(["sec-websocket-extensions", offerDeflate(this.#wishes)]);
    if (origin !== undefined) fields.push(["origin", origin]);
    return fields;
  }

  /** What was agreed upon. @throws WebSocketHandshakeError if the response is no WebSocket that was asked for. */
  agreed(response: ClientResponse): AgreedWebSocket {
    const { status, headers } = response;
    const question = { key: this.#key, protocols: this.#protocols };
    const wrong = checkUpgradeResponse(status, headers, question, sha1);
    if (wrong !== null) throw new WebSocketHandshakeError(response, wrong);
    try {
      const extensions = headers.get("sec-websocket-extensions");
      return {
        role: "client",
        protocol: headers.get("sec-websocket-protocol") ?? "",
        deflate: acceptedDeflate(extensions, this.#wishes),
      };
    } catch (error) {
      throw new WebSocketHandshakeError(response, (error as Error).message);
    }
  }
}

function sha1(bytes: Uint8Array): Uint8Array {
  return createDigest("sha-1").update(bytes).digest();
}
