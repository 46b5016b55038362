/** Why a pool gives no connection. */
export type PoolFailure = "closed" | "timeout";

/** A pool gives no connection. */
export class PoolError extends Error {
  override readonly name: string = "PoolError";
  readonly reason: PoolFailure;

  constructor(reason: PoolFailure, message: string) {
    super(message);
    this.reason = reason;
  }
}
