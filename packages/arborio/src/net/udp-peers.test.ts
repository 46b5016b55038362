/** UDP with a peer that is not ours: Python's sockets, in a process of their own. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { test as nodeTest } from "node:test";
import { hostBackend } from "../platform/host.ts";
import { NotSupportedError, SystemError } from "../core/errors.ts";
import { abandonOnCancel } from "../sync/abandon-on-cancel.ts";
import { failAfter } from "../sync/timeouts.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { connectUdp, openUdp } from "./open-udp.ts";

/** With the start of a Python on a busy machine. */
const LIMIT_MS = 30_000;

const hasPython = spawnSync("python3", ["--version"]).status === 0;
const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === "::1");

const LOOPBACK = "127.0.0.1";
const GROUP = "239.7.7.8";

/**
 * Answers each datagram with the same one; `ttl` with the time to live that it came with; `stranger` from another socket first;
 * `ask HOST PORT` by sending there. Ends with its standard input.
 */
const PEER = `
import os, socket, struct, sys, threading
family = socket.AF_INET6 if sys.argv[1] == "6" else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM)
if family == socket.AF_INET:
    s.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_RECVTTL", 12), 1)  # Linux's number
else:
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
s.bind((sys.argv[2], 0))
if len(sys.argv) > 3:
    member = socket.inet_aton(sys.argv[3]) + socket.inet_aton("127.0.0.1")
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
print(s.getsockname()[1], flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True:
    data, extra, _, sender = s.recvmsg(65536, 256)
    if data == b"ttl":
        data = str(struct.unpack("i", extra[0][2])[0]).encode()
    elif data == b"stranger":
        socket.socket(family, socket.SOCK_DGRAM).sendto(b"stranger", sender)
        data = b"peer"
    elif data.startswith(b"ask "):
        host, port = data[4:].decode().split()
        sender = (host, int(port))
    s.sendto(data, sender)
`;

/** A client of ours: is answered once, then refused. */
const CLIENT = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", int(sys.argv[1])))
s.send(b"hello")
print(s.recv(65536).decode(), flush=True)
sys.stdin.read(1)
s.settimeout(0.1)  # Deno closes a turn later
while True:
    try:
        s.send(b"again")
        s.recv(65536)
    except socket.timeout:
        pass
    except ConnectionRefusedError:
        print("refused", flush=True)
        break
`;

/** Registers a test with a Python, on the host only: the simulator has no other processes. */
function peerTest(title: string, body: () => Promise<void>, canRun: boolean = true): void {
  if (!hasPython) {
    nodeTest(title, { skip: "needs python3" }, () => {});
    return;
  }
  if (!canRun) {
    nodeTest(title, { skip: "this machine has no IPv6" }, () => {});
    return;
  }
  onEveryBackend(nodeTest)(title, () => failAfter(LIMIT_MS, body), {
    skip: { backend: "simulator", reason: "the peer is another process" },
  });
}

class Python implements Disposable {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #rest = "";
  #ended = false;
  #changed: () => void = () => {};

  constructor(program: string, ...args: string[]) {
    this.#child = spawn("python3", ["-c", program, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (this.#rest + chunk).split("\n");
      this.#rest = lines.pop() ?? "";
      this.#lines.push(...lines);
      this.#changed();
    });
    this.#child.on("close", () => {
      this.#ended = true;
      this.#changed();
    });
  }

  /** The next line that it prints. */
  async line(): Promise<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      assert.ok(!this.#ended, "Python has ended");
      const changed = new Promise<void>((resolve) => (this.#changed = resolve));
      await abandonOnCancel(changed);
    }
  }

  go(): void {
    this.#child.stdin?.write("x");
  }

  [Symbol.dispose](): void {
    this.#child.stdin?.end();
    this.#child.kill("SIGKILL");
  }
}

async function startPeer(...args: string[]): Promise<{ python: Python; port: number }> {
  const python = new Python(PEER, ...args);
  return { python, port: Number(await python.line()) };
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const encode = (words: string): Uint8Array => new TextEncoder().encode(words);

peerTest("UdpSocket: Python answers, also to empty datagrams and the largest", async () => {
  const { python, port } = await startPeer("4", LOOPBACK);
  using _python = python;
  using socket = await openUdp({ host: LOOPBACK });
  for (const data of [encode("hello"), new Uint8Array(0), new Uint8Array(65_507).fill(5)]) {
    await socket.send(data, { host: LOOPBACK, port });
    assert.deepEqual(await socket.receive(), { data, address: { host: LOOPBACK, port } });
  }
});

peerTest(
  "ConnectedUdpSocket: Python answers, and what another socket of it sends is dropped",
  async () => {
    const { python, port } = await startPeer("4", LOOPBACK);
    using _python = python;
    using socket = await connectUdp(LOOPBACK, port);
    await socket.send(encode("stranger"));
    assert.equal(text(await socket.receive()), "peer");
    await socket.send(new Uint8Array(0));
    assert.equal((await socket.receive()).length, 0);
    assert.deepEqual(socket.remoteAddress, { host: LOOPBACK, port });
  },
);

peerTest(
  "UdpSocket: answers a connected socket of Python, which is refused once ours is closed",
  async () => {
    using server = await openUdp({ host: LOOPBACK });
    using python = new Python(CLIENT, String(server.localAddress.port));
    const { data, address } = await server.receive();
    assert.equal(text(data), "hello");
    await server.send(encode("welcome"), address);
    assert.equal(await python.line(), "welcome");
    server.close();
    python.go();
    assert.equal(await python.line(), "refused");
  },
);

peerTest("UdpSocket.setTimeToLive: Python sees it", async () => {
  const { python, port } = await startPeer("4", LOOPBACK);
  using _python = python;
  using socket = await openUdp({ host: LOOPBACK });
  for (const hops of [7, 255]) {
    socket.setTimeToLive(hops);
    await socket.send(encode("ttl"), { host: LOOPBACK, port });
    assert.equal(text((await socket.receive()).data), String(hops));
  }
});

peerTest("UdpSocket.setBroadcast: needed for broadcast, which Python receives", async () => {
  const { python, port } = await startPeer("4", "0.0.0.0");
  using _python = python;
  using socket = await openUdp();
  const everybody = { host: "127.255.255.255", port };
  await assert.rejects(socket.send(encode("x"), everybody), (error: unknown) => {
    // Deno 2.9.5 has no code for it.
    const code = hostBackend.name === "deno" ? "EUNKNOWN" : "EACCES";
    return error instanceof SystemError && error.systemCode === code;
  });
  socket.setBroadcast(true);
  await socket.send(encode("everybody"), everybody);
  assert.equal(text((await socket.receive()).data), "everybody");
});

peerTest("UdpSocket: multicast reaches Python, and Python's reaches ours", async () => {
  const { python, port } = await startPeer("4", "0.0.0.0", GROUP);
  using _python = python;
  using socket = await openUdp();
  socket.joinGroup(GROUP, { networkInterface: LOOPBACK });
  socket.setMulticastInterface(LOOPBACK);
  socket.setMulticastTimeToLive(9);
  await socket.send(encode("ttl"), { host: GROUP, port });
  assert.equal(text((await socket.receive()).data), "9");
  const ask = `ask ${GROUP} ${socket.localAddress.port}`;
  await socket.send(encode(ask), { host: GROUP, port });
  assert.equal(text((await socket.receive()).data), ask);
});

peerTest(
  "UdpSocket: IPv6 with Python, connected and not, with its hop limit; a socket of both versions with Python's IPv4",
  async () => {
    const { python, port } = await startPeer("6", "::1");
    using _python = python;
    using socket = await openUdp({ family: 6 });
    let data = "64";
    if (hostBackend.name === "deno") {
      assert.throws(() => socket.setTimeToLive(8), NotSupportedError);
      assert.throws(() => socket.setMulticastTimeToLive(8), NotSupportedError);
    } else {
      socket.setTimeToLive(8);
      data = "8";
    }
    await socket.send(encode("ttl"), { host: "::1", port });
    const address = { host: "::1", port };
    assert.deepEqual(await socket.receive(), { data: encode(data), address });
    using connected = await connectUdp("::1", port);
    await connected.send(encode("stranger"));
    assert.equal(text(await connected.receive()), "peer");
    const four = await startPeer("4", LOOPBACK);
    using _four = four.python;
    await socket.send(encode("four"), { host: LOOPBACK, port: four.port });
    const answer = await socket.receive();
    assert.equal(text(answer.data), "four");
    assert.deepEqual(answer.address, { host: `::ffff:${LOOPBACK}`, port: four.port });
  },
  hasIpv6,
);
