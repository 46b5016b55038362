/**
 * Happy Eyeballs, version 2 (RFC 8305): both families are looked up at once, addresses are tried one after the other without
 * waiting for the slow ones to fail, and the first connection wins.
 *
 * It is an operation of the host like those it is made of: `connectRacing` takes a completion and returns what withdraws it. Its
 * state changes in plain functions, called by completions and by one deadline; whoever waits does so in one place, above it.
 * So a success and a cancellation cannot meet half-way, and a loser is withdrawn in the moment in which the winner is known.
 */
import { Deadline } from "../core/deadlines.ts";
import type { Kernel } from "../core/kernel.ts";
import type { Completion, Network, Withdraw } from "../platform/network.ts";
import type { IpAddress, Wire } from "../platform/wire.ts";
import type { IpFamily } from "./address.ts";
import { Candidates } from "./candidates.ts";
import type { FailedAttempt } from "./errors.ts";
import { isUnknownName, unknownName } from "./lookup.ts";

/** What to connect to, and how long to wait for what. */
export interface RaceTarget {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
  /** The families to look up; empty if the addresses are known. */
  readonly families: readonly IpFamily[];
  /** What is tried if nothing is looked up, in this order. */
  readonly addresses: readonly string[];
  readonly localHost: string | undefined;
  readonly localPort: number | undefined;
  readonly attemptDelayMs: number;
  readonly resolutionDelayMs: number;
}

/** Why no address could be connected to. Whoever waits makes the error, so that its stack shows the caller. */
export class LostRace {
  /** In the order in which they were begun. */
  readonly attempts: readonly FailedAttempt[];
  readonly lookupErrors: readonly Error[];

  constructor(attempts: readonly FailedAttempt[], lookupErrors: readonly Error[]) {
    this.attempts = attempts;
    this.lookupErrors = lookupErrors;
  }
}

/** Connects to the first address of a host that answers. */
export function connectRacing(
  network: Network,
  kernel: Kernel,
  target: RaceTarget,
  completion: Completion<Wire | LostRace>,
): Withdraw {
  const race = new ConnectionRace(network, kernel, target, completion);
  try {
    race.begin();
  } catch (error) {
    race.withdraw();
    throw error;
  }
  return () => race.withdraw();
}

/** One address that was tried. */
interface Attempt {
  readonly address: IpAddress;
  withdraw: Withdraw;
  error: Error | null;
}

class ConnectionRace {
  readonly #network: Network;
  readonly #kernel: Kernel;
  readonly #target: RaceTarget;
  readonly #completion: Completion<Wire | LostRace>;
  readonly #candidates: Candidates = new Candidates();
  /** Families that were asked for and have not come yet. */
  readonly #lookups: Map<IpFamily, Withdraw> = new Map();
  readonly #lookupErrors: Error[] = [];
  /** All that were begun, in order. */
  readonly #attempts: Attempt[] = [];
  /** No attempt is begun before this. */
  #notBefore = -Infinity;
  #timer: Deadline | null = null;

  constructor(
    network: Network,
    kernel: Kernel,
    target: RaceTarget,
    completion: Completion<Wire | LostRace>,
  ) {
    this.#network = network;
    this.#kernel = kernel;
    this.#target = target;
    this.#completion = completion;
  }

  begin(): void {
    const { host, families, addresses } = this.#target;
    // In one queue, so that their order stays.
    if (families.length === 0) this.#candidates.add(4, addresses);
    // IPv6 is asked for first (section 3).
    for (const family of [...families].sort((a, b) => b - a)) {
      const withdraw = this.#network.lookup(host, family, {
        succeed: (addresses) => this.#found(family, addresses, null),
        fail: (error) => this.#found(family, [], error),
      });
      this.#lookups.set(family, withdraw);
    }
    this.#goOn();
  }

  /** Ends everything that goes on; the completion is not called any more. */
  withdraw(): void {
    this.#setTimer(Infinity);
    for (const withdraw of this.#lookups.values()) withdraw();
    for (const attempt of this.#attempts) if (attempt.error === null) attempt.withdraw();
    this.#lookups.clear();
  }

  #found(family: IpFamily, addresses: readonly string[], error: Error | null): void {
    this.#lookups.delete(family);
    this.#candidates.add(family, addresses);
    if (addresses.length === 0) this.#lookupErrors.push(error ?? unknownName(this.#target.host));
    if (family === 4 && this.#lookups.has(6))
      this.#notBefore = this.#kernel.now() + this.#target.resolutionDelayMs;
    else if (this.#attempts.length === 0) this.#notBefore = -Infinity;
    this.#goOn();
  }

  /** Begins the attempts that are due, or sets the timer for the next, or gives up. */
  #goOn(): void {
    while (!this.#candidates.isEmpty) {
      if (this.#notBefore > this.#kernel.now()) {
        this.#setTimer(this.#notBefore);
        return;
      }
      this.#attempt(this.#candidates.take() as string);
    }
    this.#setTimer(Infinity);
    const isPending = this.#attempts.some(({ error }) => error === null) || this.#lookups.size > 0;
    if (!isPending) this.#completion.succeed(this.#lost());
  }

  #attempt(host: string): void {
    const { port, localHost, localPort, attemptDelayMs } = this.#target;
    const attempt: Attempt = { address: { host, port }, withdraw: () => {}, error: null };
    this.#attempts.push(attempt);
    this.#notBefore = this.#kernel.now() + attemptDelayMs;
    try {
      attempt.withdraw = this.#network.connect(
        { kind: "tcp", host, port, localHost, localPort },
        {
          succeed: (wire) => this.#succeeded(attempt, wire),
          fail: (error) => {
            this.#attemptFailed(attempt, error);
            this.#goOn();
          },
        },
      );
    } catch (error) {
      // Thrown here, it would come up in the flow that happened to fire the timer.
      this.#attemptFailed(attempt, error as Error);
    }
  }

  #attemptFailed(attempt: Attempt, error: Error): void {
    attempt.error = error;
    // The next need not wait for one that has failed; nor for an earlier one, which it did not wait for before.
    if (attempt === this.#attempts.at(-1)) this.#notBefore = -Infinity;
  }

  #succeeded(winner: Attempt, wire: Wire): void {
    winner.withdraw = () => {};
    this.withdraw();
    this.#completion.succeed(wire);
  }

  #lost(): LostRace {
    const attempts = this.#attempts.map(({ address, error }) => ({
      address,
      error: error as Error,
    }));
    return new LostRace(attempts, this.#errorsToTell());
  }

  /** That one family of a name has no addresses says nothing, unless there are none at all. */
  #errorsToTell(): Error[] {
    const telling = this.#lookupErrors.filter((error) => !isUnknownName(error));
    if (telling.length > 0 || this.#attempts.length > 0) return telling;
    return this.#lookupErrors.slice(0, 1);
  }

  #setTimer(when: number): void {
    if (this.#timer !== null) this.#kernel.removeDeadline(this.#timer);
    this.#timer = null;
    if (when === Infinity) return;
    this.#timer = new Deadline(when, timerFired, this);
    this.#kernel.addDeadline(this.#timer);
  }

  /** @internal */
  timerFired(): void {
    this.#timer = null;
    this.#goOn();
  }
}

function timerFired(race: ConnectionRace): void {
  race.timerFired();
}
