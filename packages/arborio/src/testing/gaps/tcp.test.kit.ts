import {
  BrokenResourceError,
  EndOfStream,
  NotSupportedError,
  SystemError,
} from "../../core/errors.ts";
import { connectTcp } from "../../net/connect-tcp.ts";
import { listenDescriptor, streamFromDescriptor } from "../../net/descriptors.ts";
import { listenTcp } from "../../net/listen-tcp.ts";
import type { SocketStream } from "../../net/socket-stream.ts";
import { currentBackend } from "../../platform/capabilities.ts";
import { moveOnAfter } from "../../sync/timeouts.ts";
import { expect, Gap, type ProbeArea } from "./probe.test.kit.ts";

/** Far more than the systems' buffers of a connection hold, so that a send waits. */
const MUCH_BYTES = 64 * 1024 * 1024;
/** No process has so many descriptors. */
const NO_DESCRIPTOR = 1_000_000;

const HOST = "127.0.0.1";

export const tcp: ProbeArea = {
  title: "TCP",
  probes: [
    {
      feature: "half-close: what comes after `sendEof` of the other side can still be answered",
      check: () =>
        withConnection(async (client, server) => {
          await client.sendEof();
          try {
            await server.receive();
          } catch (error) {
            if (!(error instanceof EndOfStream)) throw error;
          }
          await server.send(new Uint8Array(3));
          expect((await client.receive()).length > 0, "nothing comes");
        }),
    },
    {
      feature: "a reset by the other side is told from its end",
      check: () =>
        withConnection(async (client, server) => {
          // A stream that is closed within a send is reset.
          await moveOnAfter(50, () => client.send(new Uint8Array(MUCH_BYTES)));
          client.close();
          try {
            for await (const _chunk of server);
          } catch (error) {
            if (error instanceof BrokenResourceError) return;
            throw error;
          }
          throw new Gap("it is taken for the end if bytes came before it");
        }),
    },
    {
      feature: "`reusePort`: several listeners on one port",
      async check() {
        using first = await listenTcp(0, { host: HOST, reusePort: true });
        using _second = await listenTcp(first.port, { host: HOST, reusePort: true });
      },
    },
    {
      feature: "`stream.descriptor` tells the descriptor of a connection",
      check: () =>
        withConnection(async (client, server) => {
          const told = client.descriptor !== undefined && server.descriptor !== undefined;
          expect(told, "it is `undefined`");
        }),
    },
    {
      feature: "`streamFromDescriptor` takes over a connection",
      // Whether it works with a good one is tested with sockets of another program.
      check: async () => refusesOnlyBad(async () => streamFromDescriptor(NO_DESCRIPTOR)),
    },
    {
      feature: "`listenDescriptor` takes over a listening socket",
      check: () => refusesOnlyBad(() => listenDescriptor(NO_DESCRIPTOR)),
    },
  ],
};

/** Connects, and gives both ends to `fn`. */
export async function withConnection(
  fn: (client: SocketStream, server: SocketStream) => Promise<void>,
): Promise<void> {
  using listener = await listenTcp(0, { host: HOST });
  using client = await connectTcp(HOST, listener.port);
  using server = await listener.accept();
  await fn(client, server);
}

async function refusesOnlyBad(fn: () => Promise<Disposable>): Promise<void> {
  if (currentBackend().scheduler !== undefined) throw new Gap("its sockets have none");
  try {
    using _impossible = await fn();
  } catch (error) {
    if (error instanceof NotSupportedError || !(error instanceof SystemError)) throw error;
  }
}
