/** A simulated network without a run: tests begin operations, let everything happen, and look at what came of it. */
import type { SystemError } from "../../core/errors.ts";
import type {
  Acceptor,
  Completion,
  ListenerHandle,
  ListenTarget,
  Withdraw,
} from "../../platform/network.ts";
import type { Wire, WireReceiver } from "../../platform/wire.ts";
import { RandomChooser } from "../chooser.ts";
import { VirtualClock } from "../clock.ts";
import { FileTree } from "../files/file-tree.ts";
import { ip } from "./addresses.ts";
import { Fabric, type NetworkOptions } from "./fabric.ts";
import { HostNetwork } from "./host-network.ts";
import { Internet } from "./internet.ts";

/** What came of an operation; nothing, as long as it goes on. */
export interface Outcome<T> {
  value?: T;
  error?: SystemError;
  /** Microseconds. */
  at?: number;
  readonly withdraw: Withdraw;
}

export class TestNetwork {
  readonly #turns: (() => void)[] = [];
  readonly clock: VirtualClock = new VirtualClock((turn) => this.#turns.push(turn));
  readonly internet: Internet;

  constructor(options: NetworkOptions = {}, seed = 1) {
    this.internet = new Internet(new Fabric(this.clock, new RandomChooser(seed), options));
  }

  host(...addresses: readonly string[]): HostNetwork {
    const host = new HostNetwork(this.internet, { addresses: addresses.map(ip), silent: false });
    new FileTree(this.clock, new RandomChooser(1), host.unix);
    return host;
  }

  silentHost(...addresses: string[]): HostNetwork {
    return new HostNetwork(this.internet, { addresses: addresses.map(ip), silent: true });
  }

  /** Lets everything happen, until nothing is left or so many microseconds have passed. */
  settle(forUs: number = Infinity): void {
    let over = false;
    const limit = forUs === Infinity ? null : this.clock.after(forUs, () => (over = true));
    while (!over) {
      const turn = this.#turns.shift();
      if (turn === undefined) break;
      turn();
    }
    limit?.clear();
  }

  /** Begins an operation without waiting. */
  begin<T>(operation: (completion: Completion<T>) => Withdraw): Outcome<T> {
    let returned = false;
    const settled = (part: Partial<Outcome<T>>): void => {
      must(returned, "a completion was called before its operation had returned");
      must(outcome.at === undefined, "a completion was called twice");
      Object.assign(outcome, part, { at: this.clock.nowUs });
    };
    const withdraw = operation({
      succeed: (value) => settled({ value }),
      fail: (error) => settled({ error: error as SystemError }),
    });
    returned = true;
    const outcome: Outcome<T> = { withdraw };
    return outcome;
  }

  /** Begins an operation and waits until everything has settled; what it succeeded with. */
  get<T>(operation: (completion: Completion<T>) => Withdraw): T {
    const outcome = this.begin(operation);
    this.settle();
    if (outcome.error !== undefined) throw outcome.error;
    must(outcome.at !== undefined, "the operation has not ended");
    return outcome.value as T;
  }

  /** Begins an operation that must fail; with which code, in the system's words. */
  codeOf<T>(operation: (completion: Completion<T>) => Withdraw): string | undefined {
    const outcome = this.begin(operation);
    this.settle();
    return outcome.error?.systemCode;
  }

  /** Listens, and keeps what comes. */
  listen(
    host: HostNetwork,
    target: ListenTarget,
  ): { accepted: Wire[]; close: () => void; port: number } {
    const accepted: Wire[] = [];
    const acceptor: Acceptor = {
      accepted: (wire) => accepted.push(wire),
      failed: (error) => must(false, error.message),
    };
    const handle = this.get<ListenerHandle>((completion) =>
      host.listen(target, acceptor, completion),
    );
    const port = "port" in handle.address ? handle.address.port : 0;
    return { accepted, port, close: () => handle.close() };
  }

  /** A turn of the host, which is no turn of the clock's. */
  hostTurn(turn: () => void): void {
    this.#turns.push(turn);
  }

  /** A connection from one host to another: both ends, with what they were told. */
  connected(from: HostNetwork, to: HostNetwork, address: string): [End, End] {
    const [wire, far] = this.connectedWire(from, to, address);
    return [new End(wire), far];
  }

  /** The same, whose near end is not open yet. */
  connectedWire(from: HostNetwork, to: HostNetwork, address: string): [Wire, End] {
    const server = this.listen(to, tcp(address, 0));
    const wire = this.get<Wire>((completion) =>
      from.connect({ kind: "tcp", host: address, port: server.port }, completion),
    );
    server.close();
    return [wire, new End(server.accepted[0] as Wire)];
  }
}

/** A target for `listen`, with the usual options. */
export function tcp(
  host: string,
  port: number,
  options: Partial<Extract<ListenTarget, { kind: "tcp" }>> = {},
): ListenTarget {
  return { kind: "tcp", host, port, backlog: 511, reusePort: false, ipv6Only: false, ...options };
}

/** One end of a connection, open, with a log of what it was told. */
export class End implements WireReceiver {
  readonly wire: Wire;
  readonly chunks: Uint8Array[] = [];
  /** `"5 bytes"`, `"end"`, `"written"`, `"failed ECONNRESET"`. */
  readonly log: string[] = [];

  constructor(wire: Wire) {
    this.wire = wire;
    wire.open(this);
  }

  received(bytes: Uint8Array): void {
    must(bytes.length > 0, "received nothing");
    this.chunks.push(bytes);
    this.log.push(`${bytes.length} bytes`);
  }

  ended(): void {
    this.log.push("end");
  }

  written(): void {
    this.log.push("written");
  }

  failed(error: Error): void {
    this.log.push(`failed ${(error as SystemError).systemCode}`);
  }

  /** Everything that came, as one. */
  get bytes(): Uint8Array {
    return Uint8Array.from(this.chunks.flatMap((chunk) => [...chunk]));
  }
}

/** Bytes that can be told apart. */
export function someBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7) & 255);
}

function must(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}
