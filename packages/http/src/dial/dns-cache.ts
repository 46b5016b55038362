import { CancelScope, Event, now, outsideScopes, shielded } from "arborio";
import { isIpAddress } from "arborio/net";
import type { DialOptions } from "./dial-options.ts";
import { lookUp } from "./look-up.ts";

/** Names whose addresses are kept: a crawler must not fill the memory. */
const NAMES_MAX = 1000;

/** Addresses that are kept of one name: who controls it must not choose how many. */
const ADDRESSES_MAX = 64;

const TTL_MS = 10_000;

/** Addresses of names, kept for a while. Who asks for the same name at the same time shares one lookup. */
export class DnsCache {
  readonly #lookup: NonNullable<DialOptions["lookup"]>;
  readonly #ttlMs: number;
  readonly #known: Map<string, Known> = new Map();
  readonly #searches: Map<string, Search> = new Map();

  constructor({ lookup = lookUp, dnsTtlMs = TTL_MS }: Pick<DialOptions, "lookup" | "dnsTtlMs">) {
    if (typeof lookup !== "function")
      throw new TypeError(`lookup: got ${typeof lookup}, needs a function`);
    if (typeof dnsTtlMs !== "number")
      throw new TypeError(`dnsTtlMs: got ${typeof dnsTtlMs}, needs a number of milliseconds`);
    if (!(dnsTtlMs >= 0))
      throw new RangeError(`dnsTtlMs: got ${dnsTtlMs}, needs milliseconds, 0 or more`);
    this.#lookup = lookup;
    this.#ttlMs = dnsTtlMs;
  }

  /**
   * The addresses of a host, at least one. Each time another one of its family is the first, so that servers share the load.
   *
   * @throws what the lookup throws; that is not kept.
   */
  async addressesOf(host: string): Promise<readonly string[]> {
    if (isIpAddress(host)) return [host];
    let known = this.#known.get(host);
    if (known !== undefined && known.until <= now()) {
      this.#known.delete(host);
      known = undefined;
    }
    known ??= await this.#share(host);
    return rotated(known);
  }

  /** Nobody is at the addresses of a host, which may have moved: who asks next looks it up again. */
  forget(host: string): void {
    this.#known.delete(host);
  }

  /** Forgets the addresses of a host, or all. Who waits for a lookup that goes on gets what it finds; that is not kept. */
  clear(host?: string): void {
    if (host === undefined) {
      this.#known.clear();
      this.#searches.clear();
    } else {
      // As URLs have it.
      const name = host.toLowerCase();
      this.#known.delete(name);
      this.#searches.delete(name);
    }
  }

  /** Number of names that are kept. */
  get size(): number {
    return this.#known.size;
  }

  /** Waits for the lookup that goes on, or for a new one. The last who gives it up ends it. */
  async #share(host: string): Promise<Known> {
    let search = this.#searches.get(host);
    if (search === undefined) {
      const begun = new Search();
      search = begun;
      this.#searches.set(host, begun);
      // Owned by all who wait: it goes on when the first of them is cancelled.
      void outsideScopes(() => this.#search(host, begun));
    }
    search.waiting += 1;
    try {
      await search.ended.wait();
    } finally {
      search.waiting -= 1;
      if (search.waiting === 0 && !search.ended.isSet) {
        if (this.#searches.get(host) === search) this.#searches.delete(host);
        search.scope.cancel("nobody waits for the addresses any more");
        await shielded(() => search.ended.wait());
      }
    }
    if (search.known === null) throw search.failure;
    return search.known;
  }

  /** Never rejects. */
  async #search(host: string, search: Search): Promise<void> {
    try {
      await search.scope.run(async () => {
        const addresses = addressesFrom(host, await this.#lookup(host));
        search.known = { addresses, until: now() + this.#ttlMs, turn: 0 };
        if (this.#searches.get(host) === search) this.#keep(host, search.known);
      });
    } catch (error) {
      search.failure = error;
    } finally {
      if (this.#searches.get(host) === search) this.#searches.delete(host);
      search.ended.set();
    }
  }

  #keep(host: string, known: Known): void {
    if (this.#ttlMs === 0) return;
    for (const oldest of this.#known.keys()) {
      if (this.#known.size < NAMES_MAX) break;
      this.#known.delete(oldest);
    }
    this.#known.set(host, known);
  }
}

/** The addresses of a name. */
interface Known {
  readonly addresses: readonly string[];
  /** On the clock of the run. */
  readonly until: number;
  /** How often they were given. */
  turn: number;
}

/** A lookup that goes on. */
class Search {
  readonly scope: CancelScope = new CancelScope();
  readonly ended: Event = new Event();
  /** How many wait for it. */
  waiting = 0;
  known: Known | null = null;
  failure: unknown = null;
}

function addressesFrom(host: string, found: readonly string[]): readonly string[] {
  if (!Array.isArray(found) || !found.every(isIpAddress)) {
    throw new TypeError(
      `lookup(${JSON.stringify(host)}): gave ${JSON.stringify(found)?.slice(0, 200)}, needs an array of numeric addresses`,
    );
  }
  return found.slice(0, ADDRESSES_MAX);
}

/** The addresses, each moved on within those of its family: which family comes first is the resolver's choice. */
function rotated(known: Known): readonly string[] {
  const { addresses, turn } = known;
  known.turn += 1;
  const isIpv6 = (address: string): boolean => address.includes(":");
  const ofFamily = [
    addresses.filter((one) => !isIpv6(one)),
    addresses.filter((one) => isIpv6(one)),
  ] as const;
  const given = [0, 0];
  return addresses.map((address) => {
    const family = isIpv6(address) ? 1 : 0;
    const all = ofFamily[family];
    const at = turn + (given[family] as number);
    given[family] = (given[family] as number) + 1;
    return all[at % all.length] as string;
  });
}
