import { Cancelled } from "arborio";
import { takeWire, type Wire } from "arborio/lowlevel";
import { connectTcp, connectUnix, wrapTls } from "arborio/net";
import type { ByteStream } from "arborio/streams";
import { DialError } from "./dial-error.ts";
import type { Dialer } from "./dialer.ts";
import type { Route } from "./route.ts";

/** Connects by the network of the run. */
export class NetworkDialer implements Dialer {
  async dial(route: Route): Promise<Wire> {
    const stream = await this.#connect(route);
    if (route.tls === null) return takeWire(stream);
    try {
      return takeWire(
        await wrapTls(stream, {
          serverName: route.host,
          alpnProtocols: ["http/1.1"],
          requireCloseNotify: false,
          ...route.tls,
        }),
      );
    } catch (error) {
      stream.close();
      if (error instanceof Cancelled) throw error;
      throw new DialError("tls", "tls", `TLS with ${route.host} failed`, error);
    }
  }

  async #connect({ host, port, socketPath, localHost }: Route): Promise<ByteStream> {
    try {
      if (socketPath !== null) return await connectUnix(socketPath);
      return await connectTcp(host, port, localHost === null ? {} : { localHost });
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      throw new DialError("connect", "unreachable", `cannot connect to ${host}:${port}`, error);
    }
  }
}
