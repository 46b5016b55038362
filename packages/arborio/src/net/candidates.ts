import type { IpFamily } from "./address.ts";

/**
 * So many addresses of one family are kept of an answer. Each dead one may hold a socket for minutes; nobody is served by more,
 * and whoever controls the name must not choose how many there are.
 */
const ADDRESSES_MAX = 32;

/**
 * The addresses that are still to be tried, in the order of RFC 8305, section 4: the families in turns, IPv6 first ("first
 * address family count" 1), and within a family as the system sorted them (RFC 6724). Addresses may be added at any time.
 */
export class Candidates {
  readonly #queues: Readonly<Record<IpFamily, string[]>> = { 4: [], 6: [] };
  #last: IpFamily = 4;

  /** Adds what a lookup of `family` gave; each address counts once. */
  add(family: IpFamily, addresses: readonly string[]): void {
    this.#queues[family].push(...new Set(addresses.slice(0, ADDRESSES_MAX)));
  }

  has(family: IpFamily): boolean {
    return this.#queues[family].length > 0;
  }

  get isEmpty(): boolean {
    return !this.has(4) && !this.has(6);
  }

  /** The next to be tried; `undefined` if there is none at the moment. */
  take(): string | undefined {
    const other: IpFamily = this.#last === 4 ? 6 : 4;
    const family = this.has(other) ? other : this.#last;
    const address = this.#queues[family].shift();
    if (address !== undefined) this.#last = family;
    return address;
  }

  /** All that are left, in order. */
  takeAll(): string[] {
    const all: string[] = [];
    for (let one = this.take(); one !== undefined; one = this.take()) all.push(one);
    return all;
  }
}
