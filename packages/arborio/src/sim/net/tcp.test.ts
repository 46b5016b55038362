import assert from "node:assert/strict";
import { test } from "node:test";
import type { Wire } from "../../platform/wire.ts";
import { End, someBytes, tcp, TestNetwork } from "./fabric.test.kit.ts";

const WINDOW_BYTES = 65_536;

test("simulated TCP: a connection takes a round trip, and each end knows both addresses", () => {
  const network = new TestNetwork({ latencyMs: [2, 2] });
  const client = network.host("10.0.0.1");
  const server = network.host("10.0.0.2");
  const listener = network.listen(server, tcp("0.0.0.0", 80));
  const startUs = network.clock.nowUs;
  const outcome = network.begin<Wire>((completion) =>
    client.connect({ kind: "tcp", host: "10.0.0.2", port: 80 }, completion),
  );
  network.settle();
  assert.equal((outcome.at as number) - startUs, 4000);
  assert.equal(network.clock.nowUs - startUs, 6000);
  const [near, far] = [outcome.value as Wire, listener.accepted[0] as Wire];
  assert.deepEqual(near.details.remoteAddress, { host: "10.0.0.2", port: 80 });
  assert.deepEqual(far.details.localAddress, { host: "10.0.0.2", port: 80 });
  assert.deepEqual(far.details.remoteAddress, near.details.localAddress);
  assert.equal((near.details.localAddress as { host: string }).host, "10.0.0.1");
});

test("simulated TCP: bytes arrive whole and in order, in both directions, however they are cut", () => {
  for (let seed = 0; seed < 30; seed++) {
    const network = new TestNetwork({}, seed);
    const [near, far] = network.connected(
      network.host("10.0.0.1"),
      network.host("10.0.0.2"),
      "10.0.0.2",
    );
    for (const length of [1, 2, 3, 100, 5000]) {
      assert.ok(near.wire.write(someBytes(length)));
      assert.ok(far.wire.write(someBytes(length + 1)));
    }
    near.wire.end();
    far.wire.end();
    network.settle();
    const sent = (extra: number): number[] =>
      [1, 2, 3, 100, 5000].flatMap((length) => [...someBytes(length + extra)]);
    assert.deepEqual([...far.bytes], sent(0));
    assert.deepEqual([...near.bytes], sent(1));
    assert.equal(near.log.at(-1), "end");
    assert.equal(far.log.at(-1), "end");
  }
});

test('simulated TCP: seeds cut what is sent in different ways; chunks "whole" never, "bytes" always', () => {
  const cuts = (chunks: "random" | "whole" | "bytes", seed: number): string => {
    const network = new TestNetwork({ chunks }, seed);
    const [near, far] = network.connected(
      network.host("10.0.0.1"),
      network.host("10.0.0.2"),
      "10.0.0.2",
    );
    near.wire.write(someBytes(20));
    network.settle();
    return far.chunks.map(({ length }) => length).join(" ");
  };
  const random = new Set(Array.from({ length: 60 }, (_, seed) => cuts("random", seed)));
  for (const cut of ["20", "1 19", "19 1", "10 10", "3 14 3", "1 1 1 1 1 1 1 1 12"])
    assert.ok(random.has(cut), `no seed of 60 cut 20 bytes into ${cut}`);
  assert.equal(random.size, 6);
  for (let seed = 0; seed < 20; seed++) assert.equal(cuts("whole", seed), "20");
  assert.equal(cuts("bytes", 1), Array.from({ length: 20 }, () => 1).join(" "));
});

test("simulated TCP: what write got may be changed at once, and what came is the receiver's", () => {
  const network = new TestNetwork({ chunks: "whole" });
  const [near, far] = network.connected(
    network.host("10.0.0.1"),
    network.host("10.0.0.2"),
    "10.0.0.2",
  );
  const bytes = someBytes(10);
  near.wire.write(bytes);
  near.wire.write(bytes);
  bytes.fill(0);
  network.settle();
  far.chunks[0]?.fill(0);
  assert.deepEqual([...far.bytes], [...someBytes(10).fill(0), ...someBytes(10)]);
});

test("simulated TCP: a write that does not fit waits until the other side has read, which is bounded", () => {
  const network = new TestNetwork({ chunks: "whole" });
  const server = network.host("10.0.0.2");
  const [near, far] = network.connected(network.host("10.0.0.1"), server, "10.0.0.2");
  far.wire.pause();
  const bytes = someBytes(5 * WINDOW_BYTES);
  assert.equal(near.wire.write(bytes), false);
  network.settle();
  assert.deepEqual(near.log, []);
  assert.deepEqual(far.log, []);
  const unread = [...server.sockets].map((socket) => socket.status().unreadBytes);
  assert.deepEqual(unread, [WINDOW_BYTES]);
  far.wire.resume();
  network.settle();
  assert.deepEqual(near.log, ["written"]);
  assert.equal(far.bytes.length, bytes.length);
  assert.deepEqual(far.bytes, bytes);
});

test("simulated TCP: a reader that pauses after every chunk gets everything all the same", () => {
  const network = new TestNetwork();
  const [near, far] = network.connected(
    network.host("10.0.0.1"),
    network.host("10.0.0.2"),
    "10.0.0.2",
  );
  const bytes = someBytes(3 * WINDOW_BYTES);
  near.wire.write(bytes);
  near.wire.end();
  far.received = (chunk): void => {
    far.chunks.push(chunk);
    far.wire.pause();
    network.clock.after(5000, () => far.wire.resume());
  };
  network.settle();
  assert.deepEqual(far.bytes, bytes);
  assert.deepEqual(far.log, ["end"]);
});

test("simulated TCP: after end the other direction goes on", () => {
  const network = new TestNetwork();
  const [near, far] = network.connected(
    network.host("10.0.0.1"),
    network.host("10.0.0.2"),
    "10.0.0.2",
  );
  near.wire.write(someBytes(3));
  near.wire.end();
  network.settle();
  assert.equal(far.log.at(-1), "end");
  assert.ok(far.wire.write(someBytes(4)));
  far.wire.end();
  network.settle();
  assert.deepEqual(near.bytes, someBytes(4));
  assert.equal(near.log.at(-1), "end");
});

test("simulated TCP: close lets out what was written, then the other side sees the end, and nothing is left", () => {
  const network = new TestNetwork();
  const [client, server] = [network.host("10.0.0.1"), network.host("10.0.0.2")];
  const [near, far] = network.connected(client, server, "10.0.0.2");
  near.wire.write(someBytes(2 * WINDOW_BYTES));
  near.wire.close(false);
  assert.deepEqual(
    [...client.sockets].map((socket) => socket.status().state),
    ["closing"],
  );
  network.settle();
  assert.equal(far.bytes.length, 2 * WINDOW_BYTES);
  assert.equal(far.log.at(-1), "end");
  assert.equal(client.sockets.size, 0);
  far.wire.close(false);
  network.settle();
  assert.equal(server.sockets.size, 0);
});

test("simulated TCP: closed abortively, the other side gets what came before, then ECONNRESET", () => {
  const network = new TestNetwork({ chunks: "whole" });
  const [client, server] = [network.host("10.0.0.1"), network.host("10.0.0.2")];
  const [near, far] = network.connected(client, server, "10.0.0.2");
  near.wire.write(someBytes(5));
  near.wire.close(true);
  network.settle();
  assert.deepEqual(far.log, ["5 bytes", "failed ECONNRESET"]);
  assert.deepEqual(near.log, []);
  far.wire.close(false);
  network.settle();
  assert.equal(client.sockets.size + server.sockets.size, 0);
});

test("simulated TCP: who closes with unread bytes resets the connection, and drops what was not sent", () => {
  const network = new TestNetwork({ chunks: "whole" });
  const [near, far] = network.connected(
    network.host("10.0.0.1"),
    network.host("10.0.0.2"),
    "10.0.0.2",
  );
  far.wire.pause();
  near.wire.write(someBytes(5));
  network.settle();
  far.wire.close(false);
  network.settle();
  assert.deepEqual(near.log, ["failed ECONNRESET"]);
});

test("simulated TCP: who closes with unread bytes after its end resets the connection, so that no write waits for ever", () => {
  const network = new TestNetwork({ chunks: "whole" });
  const [near, far] = network.connected(
    network.host("10.0.0.1"),
    network.host("10.0.0.2"),
    "10.0.0.2",
  );
  far.wire.pause();
  far.wire.end();
  assert.equal(near.wire.write(someBytes(5 * WINDOW_BYTES)), false);
  network.settle();
  assert.deepEqual(near.log, ["end"]);
  far.wire.close(false);
  network.settle();
  assert.deepEqual(near.log, ["end", "failed ECONNRESET"]);
});

test("simulated TCP: what comes to a closed socket is answered with a reset", () => {
  const network = new TestNetwork();
  const [near, far] = network.connected(
    network.host("10.0.0.1"),
    network.host("10.0.0.2"),
    "10.0.0.2",
  );
  far.wire.close(false);
  network.settle();
  assert.deepEqual(near.log, ["end"]);
  near.wire.write(someBytes(5));
  network.settle();
  assert.deepEqual(near.log, ["end", "failed ECONNRESET"]);
});

test("simulated TCP: a failure is told while paused, after the bytes before it, and a write that waits ends with it", () => {
  const network = new TestNetwork({ chunks: "whole" });
  const [near, far] = network.connected(
    network.host("10.0.0.1"),
    network.host("10.0.0.2"),
    "10.0.0.2",
  );
  far.wire.pause();
  near.wire.pause();
  far.wire.write(someBytes(7));
  assert.equal(near.wire.write(someBytes(5 * WINDOW_BYTES)), false);
  network.settle();
  far.wire.close(true);
  network.settle();
  assert.deepEqual(near.log, ["7 bytes", "failed ECONNRESET"]);
});

test("simulated TCP: bytes and a reset that came before the wire is opened are told then", () => {
  const network = new TestNetwork({ chunks: "whole" });
  const [client, server] = [network.host("10.0.0.1"), network.host("10.0.0.2")];
  const listener = network.listen(server, tcp("10.0.0.2", 80));
  const near = network.get<Wire>((completion) =>
    client.connect({ kind: "tcp", host: "10.0.0.2", port: 80 }, completion),
  );
  near.write(someBytes(3));
  near.close(true);
  network.settle();
  const far = new End(listener.accepted[0] as Wire);
  assert.deepEqual(far.log, []);
  network.settle();
  assert.deepEqual(far.log, ["3 bytes", "failed ECONNRESET"]);
});

test("simulated TCP: when both sides have ended, no reset is sent and none is told", () => {
  const network = new TestNetwork();
  const connected = (): [End, End] =>
    network.connected(network.host("10.0.0.1"), network.host("10.0.0.2"), "10.0.0.2");
  const [near, far] = connected();
  near.wire.end();
  far.wire.end();
  network.settle();
  far.wire.close(true);
  network.settle();
  assert.deepEqual(near.log, ["end"]);
  const [left, right] = connected();
  left.wire.write(someBytes(5));
  left.wire.end();
  right.wire.close(false);
  network.settle();
  assert.deepEqual(left.log, ["end"]);
});

test("simulated TCP: nothing is told after close", () => {
  const network = new TestNetwork();
  const [near, far] = network.connected(
    network.host("10.0.0.1"),
    network.host("10.0.0.2"),
    "10.0.0.2",
  );
  far.wire.write(someBytes(5));
  far.wire.end();
  near.wire.write(someBytes(4 * WINDOW_BYTES));
  near.wire.close(false);
  near.wire.close(true);
  network.settle();
  assert.deepEqual(near.log, []);
});

test("simulated TCP: when packets arrive does not depend on how many bytes they carry", () => {
  const times = (lengths: readonly number[]): number[] => {
    const network = new TestNetwork({ chunks: "whole" }, 9);
    const [near, far] = network.connected(
      network.host("10.0.0.1"),
      network.host("10.0.0.2"),
      "10.0.0.2",
    );
    const arrivals: number[] = [];
    far.received = (): number => arrivals.push(network.clock.nowUs);
    for (const length of lengths) near.wire.write(someBytes(length));
    network.settle();
    return arrivals;
  };
  assert.deepEqual(times([70, 71, 72, 100]), times([72, 70, 73, 1000]));
});

test("simulated TCP: seeds differ in latency, within the bounds, and packets of a direction stay in order", () => {
  const delays = new Set<number>();
  for (let seed = 0; seed < 20; seed++) {
    const network = new TestNetwork({ latencyMs: [1, 3] }, seed);
    const [near, far] = network.connected(
      network.host("10.0.0.1"),
      network.host("10.0.0.2"),
      "10.0.0.2",
    );
    const sentAt = network.clock.nowUs;
    far.received = (chunk): void => {
      delays.add(network.clock.nowUs - sentAt);
      far.chunks.push(chunk);
    };
    for (let index = 0; index < 50; index++) near.wire.write(Uint8Array.of(index));
    network.settle();
    assert.deepEqual(
      [...far.bytes],
      Array.from({ length: 50 }, (_, index) => index),
    );
  }
  assert.ok(Math.min(...delays) >= 1000 && Math.max(...delays) <= 3000 + 50);
  assert.ok(delays.size > 20);
});
