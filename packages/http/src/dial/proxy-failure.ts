import { BrokenResourceError, EndOfStream } from "arborio";
import { ProtocolError } from "../protocol/protocol-error.ts";
import { SocksError, type SocksFailure } from "../protocol/socks/socks-error.ts";
import { DialError } from "./dial-error.ts";
import { hostAndPort } from "./host-and-port.ts";
import type { ProxyRoute } from "./route.ts";

/** Failures that are no answer. */
const OTHERS: Partial<Record<SocksFailure, "protocol" | "disconnected">> = {
  malformed: "protocol",
  closed: "disconnected",
};

/** What went wrong with a proxy, as the error of dialing. What is none of its failures stays what it is. */
export function proxyFailure(error: unknown, proxy: ProxyRoute): unknown {
  const where = `the proxy ${hostAndPort(proxy)}`;
  if (error instanceof ProtocolError) {
    const message = `${where} breaks HTTP: ${error.message}`;
    return new DialError("proxy", "protocol", message, error);
  }
  if (error instanceof SocksError) {
    const reason = OTHERS[error.failure] ?? "refused-by-proxy";
    return new DialError("proxy", reason, `${where}: ${error.message}`, error);
  }
  if (error instanceof EndOfStream) {
    const message = `${where} ended the connection in place of an answer`;
    return new DialError("proxy", "disconnected", message, error);
  }
  if (error instanceof BrokenResourceError) {
    const message = `the connection to ${where} broke: ${error.message}`;
    return new DialError("proxy", "disconnected", message, error);
  }
  return error;
}
