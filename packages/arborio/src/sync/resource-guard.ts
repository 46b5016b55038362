import { BusyResourceError } from "../core/errors.ts";
import { Lease, type LeaseSource } from "./lease.ts";

/**
 * Refuses a second user of what only one may use at a time. It never waits: two tasks reading one stream is a mistake, and
 * a queue would hide it. Counterpart: `anyio.ResourceGuard`.
 *
 * @example One reader at a time
 * ```ts
 * import { ResourceGuard, run, sleep } from "arborio";
 *
 * class Source {
 *   readonly #reading = new ResourceGuard("reading from");
 *   async read(): Promise<number> {
 *     using _lease = this.#reading.enter();
 *     await sleep(1);
 *     return 1;
 *   }
 * }
 *
 * await run(async () => {
 *   const source = new Source();
 *   const [first, second] = await Promise.allSettled([source.read(), source.read()]);
 *   console.assert(first.status === "fulfilled" && second.status === "rejected");
 * });
 * ```
 */
export class ResourceGuard implements LeaseSource {
  /** @internal */ readonly leaseName: string = "ResourceGuard";
  readonly #action: string;
  #lease: Lease | null = null;

  /**
   * Makes a guard with nobody inside.
   *
   * @param action what the user does, for the message: `"reading from"`. Default `"using"`.
   */
  constructor(action = "using") {
    this.#action = action;
  }

  /** Whether somebody is inside. */
  get busy(): boolean {
    return this.#lease !== null;
  }

  /**
   * Enters until the lease is released. Synchronous; works from any context.
   *
   * @throws BusyResourceError if somebody is inside.
   */
  enter(): Lease {
    if (this.#lease !== null) {
      throw new BusyResourceError(
        `ResourceGuard.enter: another task is already ${this.#action} this resource; let one task do it, or take turns with a Lock`,
      );
    }
    this.#lease = new Lease(this, null);
    return this.#lease;
  }

  /** @internal */
  takeBack(_lease: Lease): boolean {
    this.#lease = null;
    return true;
  }
}
