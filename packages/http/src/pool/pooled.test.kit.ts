/** Connections without a network, and what tests of the pool have in common. */
import { sleep } from "arborio";
import { type Opening, Pool, type Pooled, type PoolStatistics } from "./pool.ts";
import { PoolError } from "./pool-error.ts";
import type { PoolLimits } from "./pool-policy.ts";

/** Nothing is left in a pool. */
export const EMPTY: PoolStatistics = { idle: 0, lent: 0, connecting: 0, waiting: 0 };

/** A connection that is open until somebody closes it. */
export class FakeConnection implements Pooled {
  readonly key: string;
  readonly number: number;
  readonly #pool: Pool<FakeConnection>;
  readonly #open: Set<FakeConnection>;
  idleUntil: number = Infinity;
  isReusable = true;
  isClosed = false;

  constructor(pool: Pool<FakeConnection>, key: string, open: Set<FakeConnection>, number: number) {
    this.key = key;
    this.number = number;
    this.#pool = pool;
    this.#open = open;
    open.add(this);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isReusable = false;
    this.#open.delete(this);
    this.#pool.drop(this.key, this);
  }
}

/** Makes connections, and knows those that are open. */
export class FakeNetwork {
  readonly open: Set<FakeConnection> = new Set();
  readonly #pool: Pool<FakeConnection>;
  /** How long dialing takes. */
  dialMs: () => number = () => 1;
  /** What it throws. */
  failure: () => Error | null = () => null;
  dialing = 0;
  opened = 0;

  constructor(pool: Pool<FakeConnection>) {
    this.#pool = pool;
  }

  opening(key: string): Opening<number, FakeConnection> {
    return {
      dial: async () => {
        this.dialing += 1;
        try {
          await sleep(this.dialMs());
        } finally {
          this.dialing -= 1;
        }
        const failure = this.failure();
        if (failure !== null) throw failure;
        return ++this.opened;
      },
      open: (number) => new FakeConnection(this.#pool, key, this.open, number),
    };
  }

  async take(
    key: string = "a",
    { isFresh = false, waitMs = Infinity }: { isFresh?: boolean; waitMs?: number } = {},
  ): Promise<FakeConnection> {
    return await this.#pool.take(key, this.opening(key), { isFresh, waitMs });
  }
}

/** A pool without a network. */
export function world(limits: Partial<PoolLimits> = {}): {
  pool: Pool<FakeConnection>;
  network: FakeNetwork;
} {
  const pool = new Pool<FakeConnection>({
    connectionsMax: 100,
    originConnectionsMax: 100,
    ...limits,
  });
  return { pool, network: new FakeNetwork(pool) };
}

/** Matches errors of pools. */
export function isPoolError(reason: string): (error: unknown) => boolean {
  return (error) => error instanceof PoolError && error.reason === reason;
}
