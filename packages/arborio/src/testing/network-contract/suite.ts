import type {
  Acceptor,
  ConnectTarget,
  ListenerHandle,
  ListenTarget,
  Network,
} from "../../platform/network.ts";
import type { Wire, WireReceiver } from "../../platform/wire.ts";
import { Event } from "../../sync/event.ts";
import { failAfter, sleep } from "../../sync/timeouts.ts";
import { equal, instance, ok } from "../conformance/assert.ts";
import { SystemError } from "../../core/errors.ts";
import { checkPattern, pattern } from "../byte-stream-conformance/bytes.ts";

/** One promise of the contract. */
export interface ContractCheck {
  readonly title: string;
  readonly body: (bench: Bench) => Promise<void>;
}

/** Time for something that happens. */
const WAIT_MS_MAX = 8_000;
/** Time in which something happens that must not. */
export const QUIET_MS = 25;
/** What a test writes at once. */
const PIECE_BYTES = 65_536;
/** More than all the buffers between two ends: what is taken beyond it is kept in memory. */
const BUFFERED_BYTES_MAX = 64 * 1024 * 1024;

/** The time in which nothing may happen. */
export function quiet(): Promise<void> {
  return sleep(QUIET_MS);
}

/** Opens a wire, and writes down what it tells. Whatever the contract forbids is a fault, and fails the test. */
export class Recorder implements WireReceiver {
  readonly wire: Wire;
  readonly chunks: Uint8Array[] = [];
  bytes = 0;
  hasEnded = false;
  failure: Error | undefined;
  /** Called for each chunk, with how many bytes came before it. Default: checks that they are the pattern's. */
  onBytes: (chunk: Uint8Array, start: number) => void = checkPattern;
  sent = 0;
  waits = false;
  closed = false;
  readonly faults: string[] = [];
  #opening = true;
  #changed: Event = new Event();

  constructor(wire: Wire) {
    this.wire = wire;
    wire.open(this);
    this.#opening = false;
  }

  received(bytes: Uint8Array): void {
    this.#told("received");
    if (this.hasEnded) this.faults.push("received after ended");
    if (bytes.length === 0) this.faults.push("received nothing");
    if (Object.getPrototypeOf(bytes) !== Uint8Array.prototype)
      this.faults.push(`received a ${bytes.constructor.name}`);
    try {
      this.onBytes(bytes, this.bytes);
    } catch (error) {
      this.faults.push(String(error));
    }
    this.chunks.push(bytes);
    this.bytes += bytes.length;
  }

  ended(): void {
    if (this.hasEnded) this.faults.push("ended twice");
    this.hasEnded = true;
    this.#told("ended");
  }

  written(): void {
    if (!this.waits) this.faults.push("written, but nothing waited");
    this.waits = false;
    this.#told("written");
  }

  failed(error: Error): void {
    this.#told("failed");
    this.failure = error;
  }

  #told(what: string): void {
    if (this.#opening) this.faults.push(`${what} before open returned`);
    if (this.closed) this.faults.push(`${what} after close`);
    if (this.failure !== undefined) this.faults.push(`${what} after failed`);
    const changed = this.#changed;
    this.#changed = new Event();
    changed.set();
  }

  /** Waits until it is so. */
  async until(what: string, holds: () => boolean): Promise<void> {
    try {
      await failAfter(WAIT_MS_MAX, async () => {
        while (!holds()) await this.#changed.wait();
      });
    } catch (error) {
      throw new Error(`${what}: ${JSON.stringify(this.state())}`, { cause: error });
    }
    this.check();
  }

  /** Throws if something happened that the contract forbids. */
  check(): void {
    equal(this.faults.join("; "), "", "faults");
  }

  /** For messages. */
  state(): object {
    const { bytes, hasEnded, failure, sent, waits, faults } = this;
    return { bytes, hasEnded, failure: failure?.message, sent, waits, faults };
  }

  /** Writes the next bytes of the pattern; whether the system has them all. */
  write(count: number): boolean {
    const isTaken = this.wire.write(pattern(count, this.sent));
    this.sent += count;
    this.waits = !isTaken;
    return isTaken;
  }

  /** Writes so many bytes, waiting where it must. */
  async send(count: number): Promise<void> {
    for (let left = count; left > 0; left -= PIECE_BYTES) {
      this.write(Math.min(left, PIECE_BYTES));
      if (this.waits) await this.until("a write that waits is written", () => !this.waits);
    }
  }

  /** Writes until nothing more is taken, and for a while not either. */
  async fill(): Promise<void> {
    const start = this.sent;
    do {
      while (this.write(PIECE_BYTES)) {
        ok(
          this.sent - start < BUFFERED_BYTES_MAX,
          `${this.sent - start} bytes were taken though nobody reads`,
        );
      }
      await quiet();
    } while (!this.waits);
    this.check();
  }

  /** All that `other` sends, up to its end. */
  async untilEndOf(other: Recorder): Promise<void> {
    await this.until("everything, then the end", () => this.hasEnded);
    equal(this.bytes, other.sent, "all bytes before the end");
  }

  async untilFailed(...codes: string[]): Promise<void> {
    await this.until(`failed with ${codes.join(" or ")}`, () => this.failure !== undefined);
    const { failure } = this;
    instance(failure, SystemError);
    ok(
      codes.includes(failure.systemCode),
      `needed ${codes.join(" or ")}, got ${failure.systemCode}`,
    );
  }

  close(abortively: boolean): void {
    this.closed = true;
    this.wire.close(abortively);
  }
}

/** One end of a connection. */
export type ConnectionEnd = "connecting" | "accepted";

/** What a test needs; everything it makes is closed when the test has ended. */
export class Bench {
  readonly network: Network;
  readonly makePath: () => string;
  /** Which end of a connection comes first: backends may make the two in different ways. */
  readonly first: ConnectionEnd;
  readonly #closers: (() => void)[] = [];
  readonly #recorders: Recorder[] = [];

  constructor(network: Network, makePath: () => string, first: ConnectionEnd) {
    this.network = network;
    this.makePath = makePath;
    this.first = first;
  }

  /** Opens a wire. */
  open(wire: Wire): Recorder {
    const recorder = new Recorder(wire);
    this.#recorders.push(recorder);
    return recorder;
  }

  /** Listens on a port of the loopback address, or at `target`. */
  async listen(target: Partial<ListenTarget> = {}): Promise<BenchListener> {
    const listener = new BenchListener();
    const full = { ...LOOPBACK, ...target } as ListenTarget;
    listener.handle = await settled("listen", (settle) =>
      this.network.listen(full, listener, settle),
    );
    this.#closers.push(() => listener.close());
    return listener;
  }

  /** Connects; not opened yet. */
  async connect(target: ConnectTarget): Promise<Wire> {
    const wire = await settled<Wire>("connect", (settle) => this.network.connect(target, settle));
    this.#closers.push(() => wire.close(true));
    return wire;
  }

  /** Two ends of a connection that are not open yet. */
  async wires(kind: "tcp" | "unix" = "tcp"): Promise<[Wire, Wire]> {
    const listener = await this.listen(
      kind === "unix" ? { kind, path: this.makePath(), mode: undefined } : {},
    );
    const near = await this.connect(listener.target);
    const far = await listener.next();
    this.#closers.push(() => far.close(true));
    return this.first === "connecting" ? [near, far] : [far, near];
  }

  /** Two ends of a connection, both open. */
  async pair(kind: "tcp" | "unix" = "tcp"): Promise<[Recorder, Recorder]> {
    const [near, far] = await this.wires(kind);
    return [this.open(near), this.open(far)];
  }

  /** Closes everything, then sees whether anything was told that must not be. */
  async close(): Promise<void> {
    for (const recorder of this.#recorders) recorder.close(true);
    for (const close of this.#closers) close();
    await sleep(0);
    for (const recorder of this.#recorders) recorder.check();
  }
}

const LOOPBACK: ListenTarget = {
  kind: "tcp",
  host: "127.0.0.1",
  port: 0,
  backlog: 16,
  reusePort: false,
  ipv6Only: false,
};

/** Collects connections. */
export class BenchListener implements Acceptor {
  declare handle: ListenerHandle;
  readonly accepts: Wire[] = [];
  acceptedCount = 0;
  readonly failures: Error[] = [];
  #came: Event = new Event();

  /** How to connect to it. */
  get target(): ConnectTarget {
    const { address } = this.handle;
    return "path" in address
      ? { kind: "unix", path: address.path }
      : { kind: "tcp", host: address.host, port: address.port };
  }

  async next(): Promise<Wire> {
    await failAfter(WAIT_MS_MAX, async () => {
      while (this.accepts.length === 0) await this.#came.wait();
    });
    return this.accepts.shift() as Wire;
  }

  accepted(wire: Wire): void {
    this.acceptedCount += 1;
    this.accepts.push(wire);
    const came = this.#came;
    this.#came = new Event();
    came.set();
  }

  failed(error: Error): void {
    this.failures.push(error);
  }

  close(): void {
    this.handle.close();
    for (const wire of this.accepts.splice(0)) wire.close(true);
  }
}

/** The outcome of an operation of the network; fails if it comes before the operation has returned. */
export async function settled<T>(
  what: string,
  begin: (completion: { succeed(value: T): void; fail(error: Error): void }) => () => void,
): Promise<T> {
  const done = new Event();
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
  const settle = (next: NonNullable<typeof outcome>): void => {
    outcome = outcome === undefined ? next : { error: new Error(`${what}: settled twice`) };
    done.set();
  };
  const withdraw = begin({
    succeed: (value) => settle({ value }),
    fail: (error) => settle({ error }),
  });
  equal(outcome, undefined, `${what} was settled before it returned`);
  try {
    await failAfter(WAIT_MS_MAX, () => done.wait());
  } catch (error) {
    withdraw();
    throw error;
  }
  const result = outcome as NonNullable<typeof outcome>;
  if ("error" in result) throw result.error;
  return result.value;
}
