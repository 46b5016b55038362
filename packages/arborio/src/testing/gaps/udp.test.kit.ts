import { SystemError } from "../../core/errors.ts";
import { connectUdp, openUdp } from "../../net/open-udp.ts";
import { connectUnixDatagram, openUnixDatagram } from "../../net/unix-datagram.ts";
import { moveOnAfter } from "../../sync/timeouts.ts";
import { expect, Gap, type ProbeArea, Untestable } from "./probe.test.kit.ts";

const HOST = "127.0.0.1";
const GROUP = "239.7.7.6";
/** Longer than a datagram, or what becomes of it, takes on this machine. */
const COMES_MS = 500;

export const udp: ProbeArea = {
  title: "UDP and Unix datagrams",
  probes: [
    {
      feature: "a connected socket is told that nobody has the other port (`ECONNREFUSED`)",
      async check() {
        const gone = await openUdp({ host: HOST });
        const { port } = gone.localAddress;
        gone.close();
        using socket = await connectUdp(HOST, port);
        const refused = await moveOnAfter(COMES_MS, async () => {
          for (;;) {
            // The news of the send before may come with this one, or while something is waited for.
            const error = await moveOnAfter(20, () =>
              codeOf(async () => {
                await socket.send(new Uint8Array(1));
                await socket.receive();
              }),
            );
            if (error !== undefined) return error;
          }
        });
        expect(refused === "ECONNREFUSED", "it is not told");
      },
    },
    {
      feature: "errors of sending have the system's code",
      async check() {
        using socket = await openUdp();
        const broadcast = { host: "255.255.255.255", port: 9 };
        const code = await codeOf(() => socket.send(new Uint8Array(1), broadcast));
        expect(code !== "EUNKNOWN", "only some do, the others `EUNKNOWN`");
        expect(code === "EACCES", `${code} instead of EACCES`);
      },
    },
    {
      feature: "`reusePort`: several sockets at one port",
      async check() {
        using first = await openUdp({ host: HOST, reusePort: true });
        using _second = await openUdp({
          host: HOST,
          port: first.localAddress.port,
          reusePort: true,
        });
      },
    },
    {
      feature: "multicast",
      async check() {
        using member = await openUdp();
        using sender = await openUdp();
        try {
          member.joinGroup(GROUP, { networkInterface: HOST });
          sender.setMulticastInterface(HOST);
        } catch (error) {
          if (error instanceof SystemError) throw new Untestable("no multicast on loopback");
          throw error;
        }
        await sender.send(new Uint8Array(1), { host: GROUP, port: member.localAddress.port });
        const came = await moveOnAfter(COMES_MS, () => member.receive());
        expect(came !== undefined, "nothing comes");
      },
    },
    {
      feature: "hop limits of IPv6 (`setTimeToLive`, `setMulticastTimeToLive`)",
      async check() {
        using socket = await openIpv6();
        socket.setTimeToLive(3);
        socket.setMulticastTimeToLive(3);
      },
    },
    {
      feature: "Unix datagrams",
      async check() {
        // Where it is a path of files nobody gets so far as to make one.
        using server = await openUnixDatagram({ path: "/tmp/arborio-gaps.sock" });
        using client = await connectUnixDatagram(server.localAddress.path);
        await client.send(new Uint8Array(1));
        expect((await server.receive()).data.length === 1, "nothing comes");
      },
    },
  ],
};

async function openIpv6(): ReturnType<typeof openUdp> {
  try {
    return await openUdp({ host: "::1" });
  } catch (error) {
    if (error instanceof SystemError) throw new Untestable("no IPv6");
    throw error;
  }
}

/** The system's code of what `fn` fails with. */
async function codeOf(fn: () => Promise<unknown>): Promise<string> {
  try {
    await fn();
  } catch (error) {
    if (error instanceof SystemError) return error.systemCode;
    throw error;
  }
  throw new Gap("it does not fail");
}
