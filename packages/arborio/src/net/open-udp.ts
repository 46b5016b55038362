import { describeValue, requireFlag, requireOptions } from "../core/arguments.ts";
import { SystemError } from "../core/errors.ts";
import { requireCapability } from "../platform/capabilities.ts";
import { hostOperation } from "../platform/host-operation.ts";
import type { DatagramHandle, DatagramTarget } from "../platform/network.ts";
import { formatHostAndPort, type IpFamily, ipFamily } from "./address.ts";
import { type DatagramQueueOptions, queueLimits } from "./datagram-queue.ts";
import { requireHost, requirePort } from "./host-name.ts";
import { lookup, requireFamilies } from "./lookup.ts";
import { reachableHost } from "./udp-address.ts";
import { ConnectedUdpSocket, type IpDatagramSocket, UdpSocket } from "./udp-socket.ts";

/** Options of `openUdp`. */
export interface OpenUdpOptions extends DatagramQueueOptions {
  /** Address of this machine, or a name of it, to receive at. Default: all addresses of the family. */
  readonly host?: string;
  /** Port to receive at, 0 to 65,535. Default 0: the system chooses one that is free. */
  readonly port?: number;
  /** Version of the internet protocol. Default: that of `host`; 4 without one. */
  readonly family?: IpFamily;
  /** Lets several sockets share an address and port (`SO_REUSEADDR`), so that each gets what is sent to a multicast group. Default `false`. */
  readonly reuseAddress?: boolean;
  /** Lets several sockets share an address and port, and the system spread datagrams over them (`SO_REUSEPORT`). Default `false`. */
  readonly reusePort?: boolean;
  /** Whether a socket of IPv6 at all addresses has nothing to do with IPv4. Default `false`. */
  readonly ipv6Only?: boolean;
}

/** Options of `connectUdp`. */
export interface ConnectUdpOptions extends DatagramQueueOptions {
  /** Version of the internet protocol. Default: that of `localHost`, else that of `host`. */
  readonly family?: IpFamily;
  /** Numeric address of this machine to send from. Default: the system chooses. */
  readonly localHost?: string;
  /** Port to send from, 0 to 65,535. Default 0: the system chooses one that is free. */
  readonly localPort?: number;
  /** As in `openUdp`. Default `false`. */
  readonly reuseAddress?: boolean;
  /** As in `openUdp`. Default `false`. */
  readonly reusePort?: boolean;
}

/**
 * Opens a UDP socket, which sends to anybody and receives from anybody.
 *
 * What comes is kept until it is received, as far as `queueDatagrams` and `queueBytes` allow; `statistics()` counts what was dropped for
 * want of room. Cancelled, it leaves no socket open.
 *
 * A socket of IPv6 at all addresses takes IPv4 too, whose addresses it shows as `"::ffff:127.0.0.1"`.
 *
 * @throws SystemError if the system refuses: `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`; `ENOTFOUND` if the name is not known.
 * @throws NotSupportedError for `reusePort` on Deno.
 * @throws TypeError, RangeError for wrong arguments.
 *
 * Counterpart: `anyio.create_udp_socket`.
 *
 * @example Question and answer
 * ```ts
 * import { run } from "arborio";
 * import { openUdp } from "arborio/net";
 *
 * await run(async (group) => {
 *   const server = await openUdp({ host: "127.0.0.1" });
 *   group.startSoon(async () => {
 *     using _closing = server;
 *     for await (const { data, address } of server) await server.send(data, address);
 *   }, { daemon: true });
 *   using client = await openUdp({ host: "127.0.0.1" });
 *   await client.send(new Uint8Array([1, 2]), server.localAddress);
 *   console.assert((await client.receive()).data.length === 2);
 * });
 * ```
 */
export async function openUdp(options: OpenUdpOptions = {}): Promise<UdpSocket> {
  requireOptions("openUdp", options, '{ host: "127.0.0.1" }');
  const { port = 0, ipv6Only = false } = options;
  const shared = sharedTarget("openUdp", options);
  requirePort("openUdp({ port })", port, 0);
  requireFlag("openUdp({ ipv6Only })", ipv6Only);
  const limits = queueLimits("openUdp", options);
  const host =
    options.host === undefined ? undefined : requireHost("openUdp({ host })", options.host);
  const asked = requireFamily("openUdp", options.family, host);
  const found = host === undefined ? undefined : await firstAddress(host, asked);
  const family = (found === undefined ? asked : ipFamily(found)) ?? 4;
  const socket = new UdpSocket(limits, family, ipv6Only);
  await open(socket, { ...shared, family, host: found, port, ipv6Only, remote: undefined });
  return socket;
}

/**
 * Opens a UDP socket for one other address: what comes from elsewhere is dropped. Nothing is sent by it, so this succeeds whether or not
 * anybody is there. Cancelled, it leaves no socket open.
 *
 * @param host a name or a numeric address. Of a name, the first address is taken that the system knows a way to (Deno does not ask it);
 *   whether IPv6 works beyond that, UDP cannot find out, so give a `family` where it may not.
 * @param port 1 to 65,535.
 * @throws SystemError if the system refuses, as `openUdp`, and `ENETUNREACH` if there is no way there.
 * @throws NotSupportedError for `reusePort` on Deno.
 * @throws TypeError, RangeError for wrong arguments.
 *
 * Counterpart: `anyio.create_connected_udp_socket`.
 *
 * @example Ask until answered
 * ```ts
 * import { moveOnAfter, run } from "arborio";
 * import { connectUdp, openUdp } from "arborio/net";
 *
 * await run(async (group) => {
 *   const server = await openUdp({ host: "127.0.0.1" });
 *   group.startSoon(async () => {
 *     using _closing = server;
 *     for await (const { data, address } of server) await server.send(data, address);
 *   }, { daemon: true });
 *   using socket = await connectUdp("127.0.0.1", server.localAddress.port);
 *   let answer: Uint8Array | undefined;
 *   while (answer === undefined) {
 *     await socket.send(new Uint8Array([7]));
 *     answer = await moveOnAfter(1000, () => socket.receive());
 *   }
 *   console.assert(answer[0] === 7);
 * });
 * ```
 */
export async function connectUdp(
  host: string,
  port: number,
  options: ConnectUdpOptions = {},
): Promise<ConnectedUdpSocket> {
  requireOptions("connectUdp", options, "{ family: 4 }");
  const { localHost, localPort = 0 } = options;
  const shared = sharedTarget("connectUdp", options);
  const name = requireHost("connectUdp", host);
  requirePort("connectUdp", port, 1);
  requirePort("connectUdp({ localPort })", localPort, 0);
  if (localHost !== undefined && ipFamily(localHost) === undefined) {
    throw new RangeError(
      `connectUdp({ localHost }): got ${describeValue(localHost)}, needs a numeric address of this machine`,
    );
  }
  const limits = queueLimits("connectUdp", options);
  const asked = requireFamily("connectUdp", options.family, localHost);
  let failure: unknown;
  for (const found of await lookup(name, asked === undefined ? {} : { family: asked })) {
    const remote = { host: reachableHost(found), port };
    const family = ipFamily(remote.host) as IpFamily;
    const socket = new ConnectedUdpSocket(limits, family, remote);
    try {
      const local = { family, host: localHost, port: localPort, ipv6Only: false };
      await open(socket, { ...shared, ...local, remote });
      return socket;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

/** The family that options and a local address leave; `undefined` if they leave both. */
function requireFamily(
  where: string,
  family: IpFamily | undefined,
  localHost: string | undefined,
): IpFamily | undefined {
  requireFamilies(`${where}({ family })`, family);
  const own = localHost === undefined ? undefined : ipFamily(localHost);
  if (family === undefined || own === undefined || own === family) return family ?? own;
  throw new RangeError(
    `${where}({ family }): got ${family} for the local address ${localHost}, needs ${own}, or none`,
  );
}

async function firstAddress(host: string, family: IpFamily | undefined): Promise<string> {
  const [first = ""] = await lookup(host, family === undefined ? {} : { family });
  return first;
}

function sharedTarget(
  where: string,
  options: OpenUdpOptions | ConnectUdpOptions,
): Pick<DatagramTarget, "reuseAddress" | "reusePort"> {
  const { reuseAddress = false, reusePort = false } = options;
  requireFlag(`${where}({ reuseAddress })`, reuseAddress);
  requireFlag(`${where}({ reusePort })`, reusePort);
  return { reuseAddress, reusePort };
}

/** The socket is the backend's receiver before it is open: nothing that comes early is lost. */
async function open(socket: IpDatagramSocket<unknown>, target: DatagramTarget): Promise<void> {
  const { remote, host, family, port } = target;
  const operation = remote === undefined ? "openUdp" : "connectUdp";
  const local = { host: host ?? (family === 6 ? "::" : "0.0.0.0"), port };
  const at = remote ?? local;
  const handle = await hostOperation<DatagramHandle>({
    name: operation,
    resource: formatHostAndPort(at.host, at.port),
    begin: (backend, completion) =>
      requireCapability(backend, "network", operation).openDatagram(target, socket, completion),
  });
  socket.attach(handle);
}
