/**
 * Sockets: names, connecting, listening.
 *
 * @example A server and its client
 * ```ts
 * import { run } from "arborio";
 * import { connectTcp, listenTcp } from "arborio/net";
 *
 * await run(async (group) => {
 *   using listener = await listenTcp(0);
 *   group.startSoon(() => listener.serve((stream) => stream.send(new Uint8Array([1, 2, 3]))), { daemon: true });
 *   using stream = await connectTcp("localhost", listener.port);
 *   console.assert((await stream.receive()).length > 0);
 * });
 * ```
 *
 * @module
 */
import "./platform/host.ts";

export { connectTcp, type ConnectTcpOptions } from "./net/connect-tcp.ts";
export { connectUnix, type ConnectUnixOptions } from "./net/connect-unix.ts";
export { ConnectionFailedError, type FailedAttempt } from "./net/errors.ts";
export { type ReceivedDescriptors, SocketStream } from "./net/socket-stream.ts";
export { listenTcp, type ListenTcpOptions } from "./net/listen-tcp.ts";
export { listenUnix, type ListenUnixOptions } from "./net/listen-unix.ts";
export type { ListenOptions } from "./net/listen.ts";
export { Listener, type ListenerStatistics } from "./net/listener.ts";
export type { ConnectionHandler, ServeOptions } from "./net/serve.ts";
export { listenDescriptor, streamFromDescriptor } from "./net/descriptors.ts";
export {
  connectUdp,
  type ConnectUdpOptions,
  openUdp,
  type OpenUdpOptions,
} from "./net/open-udp.ts";
export {
  ConnectedUdpSocket,
  IpDatagramSocket,
  type MembershipOptions,
  UdpSocket,
} from "./net/udp-socket.ts";
export {
  ConnectedUnixDatagramSocket,
  connectUnixDatagram,
  type ConnectUnixDatagramOptions,
  openUnixDatagram,
  type OpenUnixDatagramOptions,
  UnixDatagramSocket,
} from "./net/unix-datagram.ts";
export { DatagramSocket, type DatagramStatistics } from "./net/datagram-socket.ts";
export type { Datagram, DatagramQueueOptions } from "./net/datagram-queue.ts";
export { wrapTls, type WrapTlsOptions } from "./net/tls.ts";
export type {
  TlsClientOptions,
  TlsCommonOptions,
  TlsServerOptions,
  TlsVersion,
} from "./net/tls-options.ts";
export type { Pem, TlsIdentity } from "./platform/tls.ts";
export { lookup, type LookupOptions } from "./net/lookup.ts";
export { formatAddress, type IpFamily, isIpAddress } from "./net/address.ts";
export type {
  IpAddress,
  SocketAddress,
  SocketOptions,
  TlsInfo,
  UnixAddress,
} from "./platform/wire.ts";
