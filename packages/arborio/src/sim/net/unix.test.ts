import assert from "node:assert/strict";
import { test } from "node:test";
import type { SystemError } from "../../core/errors.ts";
import type { DatagramHandle, DatagramReceiver, ListenTarget } from "../../platform/network.ts";
import type { UnixAddress, Wire } from "../../platform/wire.ts";
import { End, someBytes, TestNetwork } from "./fabric.test.kit.ts";
import type { HostNetwork } from "./host-network.ts";

const PATH = "/run/test.sock";

function unix(path: string, mode?: number): ListenTarget {
  return { kind: "unix", path, backlog: 511, mode };
}

function connect(network: TestNetwork, host: HostNetwork, path: string): Wire {
  return network.get((completion) => host.connect({ kind: "unix", path }, completion));
}

function codeOfConnect(network: TestNetwork, host: HostNetwork, path: string): string | undefined {
  return network.codeOf((completion) => host.connect({ kind: "unix", path }, completion));
}

function codeOfListen(network: TestNetwork, host: HostNetwork, path: string): string | undefined {
  const acceptor = { accepted: () => {}, failed: () => {} };
  return network.codeOf((completion) => host.listen(unix(path), acceptor, completion));
}

/** A datagram socket with a log of what came: `"text from path"`. */
class Socket implements DatagramReceiver {
  readonly handle: DatagramHandle;
  readonly log: string[] = [];

  constructor(network: TestNetwork, host: HostNetwork, path?: string, remotePath?: string) {
    this.handle = network.get<DatagramHandle>((completion) =>
      host.openUnixDatagram({ path, mode: undefined, remotePath }, this, completion),
    );
  }

  received(bytes: Uint8Array, from: UnixAddress): void {
    this.log.push(`${new TextDecoder().decode(bytes)} from ${from.path}`);
  }

  failed(error: Error): void {
    assert.fail(error);
  }

  /** Sends without waiting; the outcome comes later. */
  send(network: TestNetwork, text: string, path?: string): { error?: SystemError; at?: number } {
    return network.begin<void>((completion) => {
      const to = path === undefined ? undefined : { path };
      this.handle.send(new TextEncoder().encode(text), to, completion);
      return () => {};
    });
  }
}

test("simulated Unix socket: a connection on one host, with the listener's path as its address", () => {
  const network = new TestNetwork();
  const host = network.host("10.0.0.1");
  const listener = network.listen(host, unix(PATH));
  const near = new End(connect(network, host, PATH));
  const far = new End(listener.accepted[0] as Wire);
  assert.deepEqual(near.wire.details.remoteAddress, { path: PATH });
  assert.deepEqual(near.wire.details.localAddress, { path: "" });
  assert.deepEqual(far.wire.details.localAddress, { path: PATH });
  near.wire.write(someBytes(100));
  near.wire.end();
  far.wire.write(someBytes(50));
  network.settle();
  assert.deepEqual([...far.bytes], [...someBytes(100)]);
  assert.deepEqual([...near.bytes], [...someBytes(50)]);
  assert.equal(far.log.at(-1), "end");
  far.wire.close(false);
  near.wire.close(false);
  listener.close();
  network.settle();
  assert.equal(host.sockets.size, 0);
});

test("simulated Unix socket: a path is one host's own, and what leads there nobody listens on", () => {
  const network = new TestNetwork();
  const [one, other] = [network.host("10.0.0.1"), network.host("10.0.0.2")];
  const listener = network.listen(one, unix(PATH));
  assert.equal(codeOfConnect(network, other, PATH), "ENOENT");
  assert.ok(connect(network, one, "/run/./../run/test.sock"));
  listener.close();
  assert.equal(codeOfConnect(network, one, PATH), "ENOENT");
  assert.equal(codeOfConnect(network, one, `/${"x".repeat(107)}`), "ENAMETOOLONG");
});

test("simulated Unix socket: a path in use is refused, a file left behind refuses and is replaced", () => {
  const network = new TestNetwork();
  const host = network.host("10.0.0.1");
  network.listen(host, unix(PATH));
  assert.equal(codeOfListen(network, host, PATH), "EADDRINUSE");
  const name = host.unix.find(PATH);
  assert.ok(typeof name === "object");
  host.unix.unbind(name, false);
  assert.equal(codeOfConnect(network, host, PATH), "ECONNREFUSED");
  assert.equal(codeOfListen(network, host, PATH), undefined);
  assert.ok(connect(network, host, PATH));
});

test("simulated Unix socket: abstract names are no files", () => {
  const network = new TestNetwork();
  const host = network.host("10.0.0.1");
  const listener = network.listen(host, unix("\0name"));
  assert.ok(connect(network, host, "\0name"));
  assert.equal(codeOfConnect(network, host, "name"), "ENOENT");
  listener.close();
  assert.equal(codeOfConnect(network, host, "\0name"), "ECONNREFUSED");
});

test("simulated Unix socket: closed with unread bytes it resets; written to when closed it is a broken pipe", () => {
  const network = new TestNetwork({ chunks: "whole" });
  const host = network.host("10.0.0.1");
  const listener = network.listen(host, unix(PATH));
  const near = new End(connect(network, host, PATH));
  const far = new End(listener.accepted[0] as Wire);
  far.wire.pause();
  near.wire.write(someBytes(5));
  network.settle();
  far.wire.close(false);
  network.settle();
  assert.deepEqual(near.log, ["failed ECONNRESET"]);
  const second = new End(connect(network, host, PATH));
  listener.accepted[1]?.close(true);
  network.settle();
  assert.deepEqual(second.log, ["end"]);
  second.wire.write(someBytes(5));
  network.settle();
  assert.deepEqual(second.log, ["end", "failed EPIPE"]);
});

test("simulated Unix socket: connecting that is withdrawn makes no connection", () => {
  const network = new TestNetwork();
  const host = network.host("10.0.0.1");
  const listener = network.listen(host, unix(PATH));
  const outcome = network.begin((completion) =>
    host.connect({ kind: "unix", path: PATH }, completion),
  );
  outcome.withdraw();
  network.settle();
  assert.equal(outcome.at, undefined);
  assert.equal(listener.accepted.length, 0);
});

test("simulated Unix datagrams: come whole and in order, with the sender's path; the nameless have none", () => {
  const network = new TestNetwork();
  const host = network.host("10.0.0.1");
  const server = new Socket(network, host, PATH);
  const named = new Socket(network, host, "/run/client.sock");
  const nameless = new Socket(network, host, undefined, PATH);
  for (const text of ["a", "b", ""]) named.send(network, text, PATH);
  network.settle();
  nameless.send(network, "c");
  network.settle();
  const from = "from /run/client.sock";
  assert.deepEqual(server.log, [`a ${from}`, `b ${from}`, ` ${from}`, "c from "]);
});

test("simulated Unix datagrams: wrong targets are told, a connected socket takes only what its peer sends", () => {
  const network = new TestNetwork();
  const host = network.host("10.0.0.1");
  network.listen(host, unix("/run/stream.sock"));
  const server = new Socket(network, host, PATH);
  const client = new Socket(network, host, "/run/client.sock", PATH);
  const code = (path?: string, text = "x"): string | undefined => {
    const outcome = server.send(network, text, path);
    network.settle();
    return outcome.error?.systemCode;
  };
  assert.equal(code("/run/none.sock"), "ENOENT");
  assert.equal(code("/run/stream.sock"), "EPROTOTYPE");
  assert.equal(code(undefined), "EDESTADDRREQ");
  assert.equal(code("/run/client.sock", "x".repeat(300_000)), "EMSGSIZE");
  assert.equal(code("/run/client.sock"), undefined);
  const stranger = new Socket(network, host);
  stranger.send(network, "y", "/run/client.sock");
  network.settle();
  assert.deepEqual(client.log, [`x from ${PATH}`]);
});

test("simulated Unix datagrams: senders wait while the receiver does not read, and are told when it is gone", () => {
  const network = new TestNetwork();
  const host = network.host("10.0.0.1");
  const server = new Socket(network, host, PATH);
  const client = new Socket(network, host, undefined, PATH);
  server.handle.setReading?.(false);
  const outcomes = Array.from({ length: 14 }, (_, index) => client.send(network, String(index)));
  network.settle();
  assert.equal(outcomes.filter(({ at }) => at !== undefined).length, 10);
  assert.deepEqual(server.log, []);
  server.handle.setReading?.(true);
  network.settle();
  assert.equal(server.log.length, 14);
  assert.deepEqual(
    server.log.map((line) => Number.parseInt(line, 10)),
    [...outcomes.keys()],
  );
  server.handle.setReading?.(false);
  const lost = Array.from({ length: 12 }, () => client.send(network, "x"));
  network.settle();
  server.handle.close();
  network.settle();
  assert.deepEqual(
    lost.slice(9).map(({ error }) => error?.systemCode),
    [undefined, "ENOENT", "ENOENT"],
  );
  client.handle.close();
  assert.equal(host.sockets.size, 0);
});
