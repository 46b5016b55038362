import { sleepForever, soft, type StartStatus, taskGroup } from "arborio";
import {
  type Listener,
  listenTcp,
  listenUnix,
  openUdp,
  type SocketStream,
  type TlsIdentity,
  type UdpSocket,
} from "arborio/net";

/** Where to listen; what is absent is not offered. */
export interface EchoPlaces {
  /** Name or address, for all but the Unix socket. */
  readonly host: string;
  /** Ports; 0 lets the system choose. */
  readonly tcp?: number;
  readonly tls?: { readonly port: number; readonly identity: TlsIdentity };
  readonly udp?: number;
  /** Path of the socket. */
  readonly unix?: string;
}

/** The place of each protocol: a port, or a path. */
export type EchoAddresses = Partial<Record<"tcp" | "tls" | "udp" | "unix", number | string>>;

/**
 * Sends back what comes, over each protocol, until it is cancelled or asked to shut down: then it accepts no more, and
 * connections may go on for the grace. It says when it listens, so start it with `group.start`.
 */
export async function serveEcho(
  places: EchoPlaces,
  status: StartStatus<EchoAddresses>,
): Promise<void> {
  const { host, tcp, tls, udp, unix } = places;
  const addresses: EchoAddresses = {};
  const listeners: Listener[] = [];
  const listen = async (
    protocol: keyof EchoAddresses,
    opened: Promise<Listener>,
  ): Promise<void> => {
    const listener = await opened;
    listeners.push(listener);
    addresses[protocol] = unix !== undefined && protocol === "unix" ? unix : listener.port;
  };
  try {
    if (tcp !== undefined) await listen("tcp", listenTcp(tcp, { host }));
    if (tls !== undefined)
      await listen("tls", listenTcp(tls.port, { host, tls: { identity: tls.identity } }));
    if (unix !== undefined) await listen("unix", listenUnix(unix));
    await taskGroup(async (group) => {
      if (udp !== undefined) {
        const socket = await openUdp({ host, port: udp });
        addresses.udp = socket.localAddress.port;
        group.startSoon(() => soft(() => echoDatagrams(socket)));
      }
      status.started(addresses);
      for (const listener of listeners) group.startSoon(() => listener.serve(echoStream));
      await soft(() => sleepForever());
    });
  } finally {
    for (const listener of listeners) listener.close();
  }
}

/** One connection: every chunk goes back, until the other side ends. */
async function echoStream(stream: SocketStream): Promise<void> {
  for await (const chunk of stream) await stream.send(chunk);
}

/** Every datagram goes back to where it came from. */
async function echoDatagrams(socket: UdpSocket): Promise<void> {
  using _closing = socket;
  for await (const { data, address } of socket) await socket.send(data, address);
}
