import { requireCapability } from "../platform/capabilities.ts";
import type { Wire } from "../platform/wire.ts";
import { hostOperation } from "./host-operation.ts";
import { SocketStream } from "./socket-stream.ts";

/** Connects to a TCP server. */
export async function connectTcp(host: string, port: number): Promise<SocketStream> {
  const wire = await hostOperation<Wire>({
    name: "connect",
    resource: `${host}:${port}`,
    begin: (backend, completion) =>
      requireCapability(backend, "network", "connectTcp").connect(
        { kind: "tcp", host, port },
        completion,
      ),
  });
  return new SocketStream(wire);
}
