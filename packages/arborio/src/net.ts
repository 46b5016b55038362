/**
 * Sockets.
 *
 * @module
 */
import "./platform/host.ts";

export { connectTcp } from "./net/connect-tcp.ts";
export { listenTcp, type ListenTcpOptions } from "./net/listen-tcp.ts";
export { type ConnectionHandler, Listener, type ServeOptions } from "./net/listener.ts";
export { SocketStream } from "./net/socket-stream.ts";
export type {
  IpAddress,
  SocketAddress,
  SocketOptions,
  TlsInfo,
  UnixAddress,
} from "./platform/wire.ts";
