import { describeValue, requireFunction, requireOptions } from "../core/arguments.ts";
import { InvalidStateError } from "../core/errors.ts";
import type { Backend, Scheduler } from "../platform/backend.ts";
import { currentBackend } from "../platform/capabilities.ts";
import { hostBackend } from "../platform/host.ts";
import { type Chooser, FirstChooser, RandomChooser } from "./chooser.ts";
import { VirtualClock } from "./clock.ts";
import { describeDeadlock } from "./deadlock.ts";
import { createEntropy } from "./entropy.ts";
import { bridgeHost } from "./bridged.ts";
import { HostBridge } from "./host-bridge.ts";
import { type Ip, ip, isLoopback, isMulticast, isWildcard, parseIp } from "./net/addresses.ts";
import { Fabric, type NetworkOptions } from "./net/fabric.ts";
import { HostNetwork } from "./net/host-network.ts";
import { Internet } from "./net/internet.ts";
import type { NameService } from "./net/names.ts";
import type { SocketStatus } from "./net/netstat.ts";
import type { ResolvedWorkersOptions } from "./threads/worker-options.ts";
import { type HostMain, SimulatedHost } from "./simulated-host.ts";

/** Options of a simulated host. */
export interface HostOptions {
  /** Numeric addresses beside loopback. Default: one of each family that nobody has. */
  readonly addresses?: readonly string[];
  /** Answers nothing, like a host without power: connecting to it takes minutes to fail. Default `false`. */
  readonly silent?: boolean;
}

/** A socket, and whose it is. */
export interface WorldSocket extends SocketStatus {
  /** Name of the host. */
  readonly host: string;
}

/** @internal What a world is made with; checked by `simulator`. */
export interface WorldOptions {
  readonly seed: number;
  readonly order: "random" | "fifo";
  readonly network: NetworkOptions;
  readonly workers: ResolvedWorkersOptions;
}

/** Name of the host on which a simulated run begins. */
const FIRST_HOST = "localhost";

/** Hosts that are given no addresses get theirs from these networks (RFC 1918, RFC 4193). */
const NETWORK_4 = "192.168";
const NETWORK_6 = "fd00";

const worlds: WeakMap<object, SimulatedWorld> = new WeakMap();

/**
 * The world of the calling simulated run.
 *
 * @throws InvalidStateError if this run is not on a simulator.
 */
export function simulatedWorld(): SimulatedWorld {
  const backend = currentBackend();
  const world = worlds.get(backend);
  if (world !== undefined) return world;
  throw new InvalidStateError(
    `simulatedWorld: the backend is "${backend.name}", needs a simulated one: run(main, { backend: simulator() }), or simulate(options, main)`,
  );
}

/**
 * A simulated world: hosts, the network between them, and the names they are known by. Made anew for each run; see `simulate`
 * and `simulatedWorld`.
 */
export class SimulatedWorld {
  readonly #clock: VirtualClock;
  readonly #chooser: Chooser;
  readonly #scheduler: Scheduler;
  readonly #internet: Internet;
  readonly #bridge: HostBridge;
  readonly #workers: ResolvedWorkersOptions;
  /** What the host does for the simulated hosts. */
  readonly #bridged: Partial<Backend>;
  readonly #hosts: Map<string, SimulatedHost> = new Map();
  #addressesGiven = 0;
  /** The host on which the run begins. */
  readonly localhost: SimulatedHost;

  /** @internal */
  constructor({ seed, order, network, workers }: WorldOptions) {
    const clock = new VirtualClock((turn) => hostBackend.clock.nextTurn(turn));
    const chooser = new RandomChooser(seed);
    const scheduling: Chooser = order === "random" ? chooser : new FirstChooser();
    this.#bridge = new HostBridge(clock, (turn) => hostBackend.clock.nextTurn(turn));
    this.#bridged = bridgeHost(this.#bridge);
    this.#workers = workers;
    this.#clock = clock;
    this.#chooser = chooser;
    this.#scheduler = {
      choose: (count) => scheduling.pick("sched", count),
      onStuck: (stuck) => clock.onStuck(stuck),
      describeDeadlock,
    };
    this.#internet = new Internet(new Fabric(clock, chooser.fork("network"), network));
    this.localhost = this.#createHost(FIRST_HOST, {}, chooser);
  }

  /** What names mean in this world. Each host's name is known; `set` adds others. */
  get names(): NameService {
    return this.#internet.names;
  }

  /**
   * Adds a host, and runs `main` on it, if that is given, until the run's own main has ended; then it is cancelled. What `main`
   * throws fails the run.
   *
   * @param name unique; other hosts find its addresses by it.
   * @returns the host, on which more can be run.
   * @throws RangeError if the name or an address is taken or cannot be one.
   * @throws InvalidStateError if called with `main` outside this world's run.
   *
   * @example A server and a client, on two hosts
   * ```ts
   * import { simulate } from "arborio/sim";
   * import { connectTcp, listenTcp } from "arborio/net";
   *
   * await simulate({ seed: 42 }, async (world) => {
   *   world.host("server", { addresses: ["10.0.0.1"] }, async () => {
   *     const listener = await listenTcp(80);
   *     await listener.serve((stream) => stream.send(new TextEncoder().encode("hello")));
   *   });
   *   const client = world.host("client");
   *   await client.run(async () => {
   *     using stream = await connectTcp("10.0.0.1", 80);
   *     console.assert((await stream.receive()).length > 0);
   *   });
   * });
   * ```
   */
  host(name: string, main?: HostMain): SimulatedHost;
  /** `host` with options. */
  host(name: string, options: HostOptions, main?: HostMain): SimulatedHost;
  host(name: string, second: HostOptions | HostMain = {}, third?: HostMain): SimulatedHost {
    const [options, main] = typeof second === "function" ? [{}, second] : [second, third];
    requireOptions("world.host(name, options)", options, '{ addresses: ["10.0.0.1"] }');
    if (main !== undefined) requireFunction("world.host", main);
    if (typeof name !== "string" || name === "")
      throw new TypeError(`world.host: got ${describeValue(name)}, needs a name`);
    if (this.#hosts.has(name))
      throw new RangeError(`world.host: got ${describeValue(name)}, which another host has`);
    const host = this.#createHost(name, options, this.#chooser.fork(`host ${name}`));
    if (main !== undefined) host.start(main);
    return host;
  }

  /**
   * The sockets of all hosts, or of one: what is open, in which state, and what waits to be read or sent. When a program has ended
   * and its last packets have arrived, there are none; a test that finds some has found a leak.
   *
   * @param host name of a host. Default: all.
   */
  netstat(host?: string): readonly WorldSocket[] {
    const sockets: WorldSocket[] = [];
    for (const { name, network } of this.#hosts.values()) {
      if (host !== undefined && host !== name) continue;
      for (const socket of network.sockets) sockets.push({ host: name, ...socket.status() });
    }
    return sockets;
  }

  #createHost(name: string, options: HostOptions, chooser: Chooser): SimulatedHost {
    const { silent = false } = options;
    const addresses = options.addresses?.map((text) => this.#requireFree(text)) ?? this.#freePair();
    const network = new HostNetwork(this.#internet, { addresses, silent });
    const host = new SimulatedHost(name, {
      clock: this.#clock,
      chooser,
      network,
      bridge: this.#bridge,
      workers: this.#workers,
      backend: {
        name: "simulator",
        clock: this.#clock,
        entropy: createEntropy(chooser),
        scheduler: this.#scheduler,
        ...this.#bridged,
      },
      adopt: (backend) => void worlds.set(backend, this),
    });
    this.#hosts.set(name, host);
    if (name !== FIRST_HOST) this.names.set(name, host.addresses);
    return host;
  }

  #requireFree(text: string): Ip {
    const address = parseIp(text);
    if (
      address === undefined ||
      isLoopback(address) ||
      isWildcard(address) ||
      isMulticast(address)
    ) {
      throw new RangeError(
        `world.host({ addresses }): got ${describeValue(text)}, needs numeric addresses of one host; loopback it has anyway`,
      );
    }
    if (this.#internet.at(address) === undefined) return address;
    throw new RangeError(
      `world.host({ addresses }): got ${describeValue(text)}, which another host has`,
    );
  }

  /** An address of each family that no host has. */
  #freePair(): Ip[] {
    for (;;) {
      const number = ++this.#addressesGiven;
      const pair = [
        ip(`${NETWORK_4}.${number >> 8}.${number & 255}`),
        ip(`${NETWORK_6}::${number.toString(16)}`),
      ];
      if (pair.every((address) => this.#internet.at(address) === undefined)) return pair;
    }
  }
}
