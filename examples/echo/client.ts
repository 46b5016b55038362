import { EndOfStream, failAfter } from "arborio";
import { connectTcp, connectUdp, connectUnix, type SocketStream } from "arborio/net";

/** What to connect to. */
export type EchoTarget =
  | { readonly protocol: "tcp"; readonly host: string; readonly port: number }
  | {
      readonly protocol: "tls";
      readonly host: string;
      readonly port: number;
      /** Certificate of the authority to trust, in PEM. Default: the runtime's own. */
      readonly trusted?: string;
    }
  | { readonly protocol: "udp"; readonly host: string; readonly port: number }
  | { readonly protocol: "unix"; readonly path: string };

/**
 * Sends bytes and returns what comes back.
 *
 * @param timeoutMs for all of it.
 * @throws TimeoutError if that was not enough: over UDP, the datagram or its echo may be lost.
 */
export function askForEcho(
  target: EchoTarget,
  message: Uint8Array,
  timeoutMs: number,
): Promise<Uint8Array> {
  return failAfter(timeoutMs, async () => {
    if (target.protocol === "udp") {
      using socket = await connectUdp(target.host, target.port);
      await socket.send(message);
      return await socket.receive();
    }
    await using stream = await connect(target);
    return await exchange(stream, message);
  });
}

function connect(target: Exclude<EchoTarget, { protocol: "udp" }>): Promise<SocketStream> {
  switch (target.protocol) {
    case "tcp":
      return connectTcp(target.host, target.port);
    case "tls": {
      const { host, port, trusted } = target;
      return connectTcp(host, port, { tls: trusted === undefined ? true : { trusted } });
    }
    case "unix":
      return connectUnix(target.path);
  }
}

/** As many bytes back as were sent; chunks mean nothing. */
async function exchange(stream: SocketStream, message: Uint8Array): Promise<Uint8Array> {
  await stream.send(message);
  const echo = new Uint8Array(message.length);
  let count = 0;
  try {
    while (count < echo.length) count += await stream.receiveInto(echo.subarray(count));
  } catch (error) {
    // What came is still worth showing.
    if (!(error instanceof EndOfStream)) throw error;
  }
  return echo.subarray(0, count);
}
