/**
 * A network of scripts, in virtual time, for tests of what is made of lookups and connections. It keeps a log of what was asked
 * and withdrawn, and when, and knows what was not given back.
 */
import { ambientScope } from "../core/ambient.ts";
import { Deadline } from "../core/deadlines.ts";
import { SystemError } from "../core/errors.ts";
import type { Kernel } from "../core/kernel.ts";
import type {
  Acceptor,
  Completion,
  ConnectTarget,
  ListenerHandle,
  ListenTarget,
  Network,
  Withdraw,
} from "../platform/network.ts";
import type { SocketOptions, Wire, WireDetails, WireReceiver } from "../platform/wire.ts";

/** What comes of a lookup: addresses, or an error with this code. Never, if `afterMs` is `Infinity`. */
export type LookupScript =
  | { readonly afterMs: number; readonly addresses: readonly string[] }
  | { readonly afterMs: number; readonly code: string };

/** What comes of connecting to an address: a connection, or an error with this code. */
export interface ConnectScript {
  readonly afterMs: number;
  readonly code?: string;
}

/** What the network does. A family without a script is unknown at once; an address without one is dead. */
export interface NetworkScript {
  readonly lookup?: { readonly 4?: LookupScript; readonly 6?: LookupScript };
  readonly connect?: Readonly<Record<string, ConnectScript>>;
  /** Called for each socket that is to listen; what it throws is the error. Returns the port if 0 is asked for. */
  readonly listen?: (target: ListenTarget) => number;
}

const UNKNOWN: LookupScript = { afterMs: 0, code: "ENOTFOUND" };
const DEAD: ConnectScript = { afterMs: Infinity };

/** A network that follows a script. */
export class FakeNetwork implements Network {
  readonly #script: NetworkScript;
  readonly #kernel: Kernel;
  /** `"250 connect ::1"`, `"300 withdraw ::1"`: what happened, and when. */
  readonly log: string[] = [];
  /** What was begun and has not ended: `"lookup 6"`, `"connect ::1"`, `"wire ::1"`, `"listen ::"`. */
  readonly open: Set<string> = new Set();
  readonly wires: FakeWire[] = [];
  /** Of the last socket that listens. */
  acceptor: Acceptor | null = null;

  /** To be made inside a run: its clock is the network's. */
  constructor(script: NetworkScript) {
    this.#script = script;
    this.#kernel = ambientScope().kernel;
  }

  lookup(_host: string, family: 4 | 6, completion: Completion<readonly string[]>): Withdraw {
    const script = this.#script.lookup?.[family] ?? UNKNOWN;
    return this.#operation(`lookup ${family}`, script.afterMs, () => {
      if ("addresses" in script) completion.succeed(script.addresses);
      else completion.fail(fakeError(`look up family ${family}`, script.code));
    });
  }

  connect(target: ConnectTarget, completion: Completion<Wire>): Withdraw {
    const name = target.kind === "tcp" ? target.host : target.path;
    const { afterMs, code } = this.#script.connect?.[name] ?? DEAD;
    return this.#operation(`connect ${name}`, afterMs, () => {
      if (code === undefined) completion.succeed(this.#wire(name));
      else completion.fail(fakeError(`connect to ${name}`, code));
    });
  }

  listen(
    target: ListenTarget,
    acceptor: Acceptor,
    completion: Completion<ListenerHandle>,
  ): Withdraw {
    this.acceptor = acceptor;
    const host = target.kind === "tcp" ? target.host : "";
    const asked = target.kind === "tcp" ? target.port : 0;
    return this.#operation(`listen ${host} ${asked}`, 1, () => {
      try {
        const port = this.#script.listen?.(target) ?? asked;
        const name = `socket ${host} ${port}`;
        this.open.add(name);
        completion.succeed({
          address: { host, port },
          close: () => void this.open.delete(name),
        });
      } catch (error) {
        completion.fail(error as Error);
      }
    });
  }

  openDatagram(): Withdraw {
    throw new Error("FakeNetwork.openDatagram: there are no datagrams here");
  }

  /** A connection that comes to a listener. */
  arrive(name: string): FakeWire {
    const wire = this.#wire(name);
    this.acceptor?.accepted(wire);
    return wire;
  }

  #wire(name: string): FakeWire {
    this.open.add(`wire ${name}`);
    const wire = new FakeWire(name, (abortively) => {
      this.open.delete(`wire ${name}`);
      this.#note(abortively ? `reset ${name}` : `close ${name}`);
    });
    this.wires.push(wire);
    return wire;
  }

  #operation(name: string, afterMs: number, done: () => void): Withdraw {
    this.#note(name);
    this.open.add(name);
    const deadline = new Deadline(
      this.#kernel.now() + afterMs,
      () => {
        this.open.delete(name);
        done();
      },
      null,
    );
    if (afterMs !== Infinity) this.#kernel.addDeadline(deadline);
    return () => {
      if (!this.open.delete(name)) this.#note(`withdraw ${name} twice or too late`);
      this.#kernel.removeDeadline(deadline);
      this.#note(`withdraw ${name}`);
    };
  }

  #note(what: string): void {
    this.log.push(`${this.#kernel.now()} ${what}`);
  }
}

/** A wire that swallows what is written; what comes over it, the test says through `receiver`. */
export class FakeWire implements Wire, WireDetails {
  readonly name: string;
  receiver: WireReceiver | null = null;
  readonly options: SocketOptions[] = [];
  securing = false;
  readonly tls = undefined;
  readonly localAddress = undefined;
  readonly remoteAddress = undefined;
  readonly descriptor = undefined;
  readonly #closed: (abortively: boolean) => void;

  constructor(name: string, closed: (abortively: boolean) => void) {
    this.name = name;
    this.#closed = closed;
  }

  get details(): WireDetails {
    return this;
  }

  open(receiver: WireReceiver): void {
    this.receiver = receiver;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}

  write(): boolean {
    return true;
  }

  close(abortively: boolean): void {
    this.receiver = null;
    this.#closed(abortively);
  }

  setOptions(options: SocketOptions): void {
    this.options.push(options);
  }
}

/** As backends make them. */
export function fakeError(attempt: string, code: string): SystemError {
  return new SystemError(`${attempt}: it did not work (${code})`, code);
}
