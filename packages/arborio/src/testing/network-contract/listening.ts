import { SystemError } from "../../core/errors.ts";
import type { Acceptor, ListenerHandle, ListenTarget } from "../../platform/network.ts";
import type { IpAddress, Wire } from "../../platform/wire.ts";
import { equal, errorOf, instance, ok } from "../conformance/assert.ts";
import { type Bench, type ContractCheck, quiet } from "./suite.ts";

const TCP: ListenTarget & { kind: "tcp" } = {
  kind: "tcp",
  host: "127.0.0.1",
  port: 0,
  backlog: 16,
  reusePort: false,
  ipv6Only: false,
};

async function rejectsWith(promise: Promise<unknown>, ...codes: string[]): Promise<void> {
  const error = await errorOf(promise);
  instance(error, SystemError);
  ok(codes.includes(error.systemCode), `needed ${codes.join(" or ")}, got ${error.systemCode}`);
}

/** A port on which nobody listens. */
async function freePort(bench: Bench): Promise<number> {
  const listener = await bench.listen();
  const { port } = listener.handle.address as IpAddress;
  listener.close();
  return port;
}

const nobody: Acceptor = { accepted: (wire) => wire.close(true), failed() {} };

/** Connecting and listening. */
export const listening: readonly ContractCheck[] = [
  {
    title: "Network.listen: chooses a port for port 0, and tells it",
    async body(bench) {
      const listener = await bench.listen();
      const { host, port } = listener.handle.address as IpAddress;
      equal(host, "127.0.0.1");
      ok(port > 0 && port < 65_536, "a port");
    },
  },
  {
    title:
      "Network.listen: EADDRINUSE if somebody listens there, and EADDRNOTAVAIL for an address of others",
    async body(bench) {
      const listener = await bench.listen();
      const { port } = listener.handle.address as IpAddress;
      await rejectsWith(bench.listen({ port }), "EADDRINUSE");
      // RFC 5737: for documentation, nobody's.
      await rejectsWith(bench.listen({ host: "192.0.2.1" }), "EADDRNOTAVAIL");
    },
  },
  {
    title:
      "Network.listen: with reusePort, several may listen on a port, and each connection comes to one of them",
    async body(bench) {
      const first = await bench.listen({ reusePort: true });
      const { port } = first.handle.address as IpAddress;
      const second = await bench.listen({ reusePort: true, port });
      for (let count = 1; count <= 10; count++) await bench.connect(first.target);
      for (let waited = 0; waited < 50; waited++) {
        if (first.acceptedCount + second.acceptedCount === 10) break;
        await quiet();
      }
      equal(first.acceptedCount + second.acceptedCount, 10);
    },
  },
  {
    title: "Network.listen: withdrawn, it leaves the port free and calls nobody",
    async body(bench) {
      const port = await freePort(bench);
      let calls = 0;
      const count = (): void => void (calls += 1);
      const completion = { succeed: (_: ListenerHandle) => count(), fail: count };
      bench.network.listen({ ...TCP, port }, nobody, completion)();
      await quiet();
      equal(calls, 0);
      await bench.listen({ port });
    },
  },
  {
    title: "ListenerHandle.close: accepts no more; what it accepted lives on",
    async body(bench) {
      const listener = await bench.listen();
      const left = bench.open(await bench.connect(listener.target));
      const right = bench.open(await listener.next());
      listener.handle.close();
      listener.handle.close();
      await rejectsWith(bench.connect(listener.target), "ECONNREFUSED");
      equal(listener.acceptedCount, 1);
      left.write(100);
      await right.until("bytes", () => right.bytes === 100);
      right.write(50);
      await left.until("bytes", () => left.bytes === 50);
    },
  },
  {
    title: "Network.connect: ECONNREFUSED if nobody listens",
    async body(bench) {
      const port = await freePort(bench);
      await rejectsWith(bench.connect({ kind: "tcp", host: "127.0.0.1", port }), "ECONNREFUSED");
    },
  },
  {
    title: "Network.connect: from the local address that is asked for",
    async body(bench) {
      const listener = await bench.listen();
      const localPort = await freePort(bench);
      const { port } = listener.handle.address as IpAddress;
      const target = { kind: "tcp", host: "127.0.0.1", port, localHost: "127.0.0.1" } as const;
      const near = await bench.connect({ ...target, localPort });
      const far = await listener.next();
      equal((far.details.remoteAddress as IpAddress).port, localPort);
      equal((near.details.localAddress as IpAddress).port, localPort);
      await rejectsWith(bench.connect({ ...target, localHost: "192.0.2.1" }), "EADDRNOTAVAIL");
    },
  },
  {
    title: "Network.connect: withdrawn, it calls nobody, and the listener gets nothing that stays",
    async body(bench) {
      const listener = await bench.listen();
      let calls = 0;
      const count = (): void => void (calls += 1);
      const completion = { succeed: (_: Wire) => count(), fail: count };
      bench.network.connect(listener.target, completion)();
      await quiet();
      equal(calls, 0);
      for (const wire of listener.accepts) {
        const right = bench.open(wire);
        await right.until("an end", () => right.hasEnded || right.failure !== undefined);
        equal(right.bytes, 0);
      }
    },
  },
  {
    title:
      "Network.listen (unix): carries connections; EADDRINUSE if somebody listens there; the path is free after close",
    async body(bench) {
      const path = bench.makePath();
      const unix = { kind: "unix", path, mode: 0o600 } as const;
      const listener = await bench.listen(unix);
      equal(JSON.stringify(listener.handle.address), JSON.stringify({ path }));
      await rejectsWith(bench.listen(unix), "EADDRINUSE");
      await rejectsWith(bench.listen({ ...unix, mode: undefined }), "EADDRINUSE");
      const left = bench.open(await bench.connect({ kind: "unix", path }));
      left.write(100);
      // Whoever asked whether somebody listens there may have left connections that ended at once.
      let right = bench.open(await listener.next());
      while (right.hasEnded || right.bytes === 0) {
        await right.until("bytes, or an end", () => right.hasEnded || right.bytes > 0);
        if (right.bytes === 0) right = bench.open(await listener.next());
      }
      await right.until("all bytes", () => right.bytes === 100);
      listener.handle.close();
      await rejectsWith(bench.connect({ kind: "unix", path }), "ENOENT");
      await bench.listen(unix);
    },
  },
  {
    title: "Network.listen (unix): withdrawn, it leaves nothing at the path",
    async body(bench) {
      const path = bench.makePath();
      let calls = 0;
      const count = (): void => void (calls += 1);
      const completion = { succeed: (_: ListenerHandle) => count(), fail: count };
      for (const mode of [undefined, 0o600])
        bench.network.listen({ kind: "unix", path, backlog: 1, mode }, nobody, completion)();
      await quiet();
      equal(calls, 0);
      await rejectsWith(bench.connect({ kind: "unix", path }), "ENOENT");
    },
  },
  {
    title: "Network.connect (unix): ENOENT if there is nothing",
    async body(bench) {
      const path = bench.makePath();
      await rejectsWith(bench.connect({ kind: "unix", path }), "ENOENT");
    },
  },
];
