/** What a pool keeps. */
export interface Pooled {
  /** Whether it can be used now, as far as is known. */
  readonly isReusable: boolean;
  /** When it has been idle for too long: a moment of the kernel's clock; the pool's. */
  idleUntil: number;
  close(): void;
}

/** How many connections a pool may have. */
export interface PoolLimits {
  /** All together. */
  readonly connectionsMax: number;
  /** To one origin: of one key. */
  readonly originConnectionsMax: number;
}

/** Connections by what they are for. */
export class Pool<C extends Pooled> {
  readonly #idle: Map<string, C[]> = new Map();
  readonly limits: PoolLimits;
  closed = false;

  constructor(limits: PoolLimits) {
    this.limits = limits;
  }

  /** The warmest idle connection that can be used; `null`: there is none, or others have waited longer. */
  takeNowait(key: string): C | null {
    const idle = this.#idle.get(key);
    if (idle === undefined) return null;
    for (let connection = idle.pop(); connection !== undefined; connection = idle.pop())
      if (connection.isReusable) return connection;
    return null;
  }

  /** Waits for its turn, and takes an idle connection or opens one. */
  async take(_key: string, open: () => Promise<C>): Promise<C> {
    return await open();
  }

  /** Takes a connection back that can be used again. */
  give(key: string, connection: C): void {
    const idle = this.#idle.get(key);
    if (idle === undefined) this.#idle.set(key, [connection]);
    else idle.push(connection);
  }

  /** One of `key`, idle or in use, is gone. */
  drop(key: string, connection: C): void {
    const idle = this.#idle.get(key);
    if (idle === undefined) return;
    const at = idle.indexOf(connection);
    if (at >= 0) idle.splice(at, 1);
  }

  /** Closes what is idle; who waits is refused. */
  close(): void {
    this.closed = true;
    for (const idle of this.#idle.values())
      for (const connection of idle.splice(0)) connection.close();
  }
}
