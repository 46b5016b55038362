/** With an engine that encrypts nothing, but works in turns of the host. With the real ones: `tls.test.ts`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TlsClientSettings } from "../platform/tls.ts";
import type { Wire, WireDetails, WireReceiver } from "../platform/wire.ts";
import { VirtualClock } from "./clock.ts";
import { HostBridge } from "./host-bridge.ts";
import { End, someBytes, TestNetwork } from "./net/fabric.test.kit.ts";
import { bridgeTls } from "./tls-bridge.ts";

const SETTINGS: TlsClientSettings = {
  side: "client",
  serverName: "test",
  verify: false,
  identity: undefined,
  session: undefined,
  onSession: undefined,
  trusted: undefined,
  alpnProtocols: [],
  versionMin: "TLSv1.2",
  versionMax: "TLSv1.3",
  requireCloseNotify: true,
};

/** Passes everything on, each byte in a piece of its own if it is told to. */
class Engine implements Wire, WireReceiver {
  readonly below: Wire;
  readonly log: string[] = [];
  #above: WireReceiver | null = null;
  readonly #inPieces: boolean;

  constructor(below: Wire, inPieces: boolean) {
    this.below = below;
    this.#inPieces = inPieces;
  }

  get details(): WireDetails {
    return this.below.details;
  }

  open(receiver: WireReceiver): void {
    this.#above = receiver;
    this.below.open(this);
  }

  pause(): void {
    this.below.pause();
  }

  resume(): void {
    this.below.resume();
  }

  write(bytes: Uint8Array): boolean {
    const size = this.#inPieces ? 1 : bytes.length;
    let isTaken = true;
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.slice(at, at + size);
      isTaken = this.below.write(piece);
      // It has been taken, so the memory is free for other things.
      if (isTaken) piece.fill(0);
    }
    return isTaken;
  }

  end(): void {
    this.below.end();
  }

  close(abortively: boolean): void {
    this.below.close(abortively);
  }

  received(bytes: Uint8Array): void {
    this.#above?.received(bytes);
  }

  ended(): void {
    this.#above?.ended();
  }

  written(): void {
    this.log.push("written");
    this.#above?.written();
  }

  failed(error: Error): void {
    this.#above?.failed(error);
  }
}

/** A connection with TLS on its near end. */
function createWorld(inPieces = false): {
  network: TestNetwork;
  bridge: HostBridge;
  near: End;
  far: End;
  engine: Engine;
} {
  const network = new TestNetwork({ chunks: "whole" }, 3);
  const [client, server] = [network.host("10.0.0.1"), network.host("10.0.0.2")];
  const [wire, far] = network.connectedWire(client, server, "10.0.0.2");
  const bridge = new HostBridge(network.clock, (turn) => network.hostTurn(turn));
  const engines: Engine[] = [];
  const tls = bridgeTls(
    {
      prepare: () => {},
      wrap(below) {
        engines.push(new Engine(below, inPieces));
        return engines[0] as Engine;
      },
    },
    bridge,
  );
  const near = new End(tls.wrap(wire, SETTINGS));
  return { network, bridge, near, far, engine: engines[0] as Engine };
}

test("bridged TLS: bytes go both ways, in as many packets whether the engine sends them in pieces or not", () => {
  const times: number[][] = [];
  for (const inPieces of [false, true]) {
    const { network, near, far } = createWorld(inPieces);
    const arrivals: number[] = [];
    far.received = (bytes): void => {
      arrivals.push(network.clock.nowUs);
      far.chunks.push(bytes);
    };
    assert.equal(near.wire.write(someBytes(1000)), false);
    network.settle();
    far.wire.write(someBytes(500));
    near.wire.write(someBytes(10));
    near.wire.end();
    network.settle();
    assert.deepEqual([...far.bytes], [...someBytes(1000), ...someBytes(10)]);
    assert.deepEqual(near.bytes, someBytes(500));
    assert.deepEqual(near.log, ["written", "written", "500 bytes"]);
    assert.equal(far.chunks.length, 2);
    times.push(arrivals);
  }
  assert.deepEqual(times[0], times[1]);
});

test("bridged TLS: an engine that sends more than is kept waits until the world has taken it", () => {
  const { network, near, far, engine } = createWorld();
  far.wire.pause();
  near.wire.write(someBytes(600_000));
  network.settle();
  assert.deepEqual(near.log, []);
  far.wire.resume();
  network.settle();
  assert.deepEqual(engine.log, ["written"]);
  assert.deepEqual(near.log, ["written"]);
  assert.equal(far.bytes.length, 600_000);
});

test("bridged TLS: pausing presses back, and resuming goes on", () => {
  const { network, near, far } = createWorld();
  near.wire.pause();
  network.settle();
  assert.equal(far.wire.write(someBytes(200_000)), false);
  network.settle();
  assert.deepEqual(near.log, []);
  near.wire.resume();
  network.settle();
  assert.equal(near.bytes.length, 200_000);
});

test("bridged TLS: a failure below comes up; closed, nothing is told and no part is left", () => {
  for (const failing of [true, false]) {
    const { network, bridge, near, far } = createWorld();
    if (failing) far.wire.close(true);
    network.settle();
    assert.deepEqual(near.log, failing ? ["failed ECONNRESET"] : []);
    near.log.length = 0;
    near.wire.write(someBytes(5));
    near.wire.close(false);
    network.settle();
    assert.deepEqual(near.log, []);
    if (!failing) assert.deepEqual(far.log, ["5 bytes", "end"]);
    assert.equal(bridge.size, 0);
  }
});

test("bridged TLS: sessions come when the world goes on, in order", () => {
  const turns: (() => void)[] = [];
  const clock = new VirtualClock((turn) => turns.push(turn));
  const bridge = new HostBridge(clock, (turn) => turns.push(turn));
  const network = new TestNetwork();
  const [wire] = network.connectedWire(
    network.host("10.0.0.1"),
    network.host("10.0.0.2"),
    "10.0.0.2",
  );
  let give: (session: Uint8Array) => void = () => {};
  const tls = bridgeTls(
    {
      prepare: () => {},
      wrap(below, settings) {
        if (settings.side === "client") give = settings.onSession ?? give;
        return new Engine(below, false);
      },
    },
    bridge,
  );
  const sessions: number[] = [];
  tls.wrap(wire, { ...SETTINGS, onSession: (session) => sessions.push(session[0] as number) });
  give(Uint8Array.of(1));
  give(Uint8Array.of(2));
  assert.deepEqual(sessions, []);
  for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) turn();
  assert.deepEqual(sessions, [1, 2]);
});
