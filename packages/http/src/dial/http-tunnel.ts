import type { ByteStream } from "arborio/streams";
import type { ResponseHead } from "../protocol/message.ts";
import { ResponseParser } from "../protocol/response-parser.ts";
import { DialError } from "./dial-error.ts";
import { hostAndPort } from "./host-and-port.ts";
import { ProxyRefusedError } from "./proxy-refused-error.ts";
import type { ProxyRoute } from "./route.ts";

/** Bytes of the head of the answer. That of a proxy has a few fields. */
const HEAD_BYTES_MAX = 16_384;

/** So many interim responses are taken: a proxy needs none, and must not keep a client for ever. */
const INTERIM_RESPONSES_MAX = 8;

/**
 * Asks an HTTP proxy to connect on (RFC 9110 §9.3.6): after that the stream leads to the server.
 *
 * @throws DialError, ProtocolError if it does not; what the stream throws.
 */
export async function openHttpTunnel(
  stream: ByteStream,
  proxy: ProxyRoute,
  target: { readonly host: string; readonly port: number },
): Promise<void> {
  const to = hostAndPort(target);
  const request = `CONNECT ${to} HTTP/1.1\r\nhost: ${to}\r\n${proxy.fieldText}\r\n`;
  await stream.send(latin1(request));
  const parser = new ResponseParser({ headBytesMax: HEAD_BYTES_MAX });
  parser.expect("CONNECT");
  const head = await receiveAnswer(stream, parser);
  if (head.status >= 300) {
    const status = `${head.status} ${head.reason}`.trimEnd();
    const message = `the proxy ${hostAndPort(proxy)} does not connect to ${to}: ${status}`;
    throw new DialError("proxy", "refused-by-proxy", message, new ProxyRefusedError(message, head));
  }
  requireNothing(parser.takeRest());
}

async function receiveAnswer(stream: ByteStream, parser: ResponseParser): Promise<ResponseHead> {
  for (let interims = 0; ;) {
    const head = parser.readHead();
    if (head === null) {
      parser.push(await stream.receive());
    } else if (head.status >= 200) {
      return head;
    } else if (head.status === 101) {
      throw new DialError("proxy", "protocol", "the proxy answered CONNECT by 101");
    } else if (++interims > INTERIM_RESPONSES_MAX) {
      throw new DialError(
        "proxy",
        "protocol",
        `the proxy answered CONNECT by more than ${INTERIM_RESPONSES_MAX} interim responses`,
      );
    }
  }
}

/**
 * Servers of HTTP and TLS wait for what the client says. What is here before that, the proxy has made up.
 *
 * @throws DialError if there is something.
 */
export function requireNothing(rest: Uint8Array): void {
  if (rest.length === 0) return;
  throw new DialError(
    "proxy",
    "protocol",
    `the proxy sent ${rest.length} bytes behind its answer, before the server was asked for anything`,
  );
}

/** Fields are checked to be of such characters. */
function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
