import { requireFlag, requireKnown } from "../core/arguments.ts";
import { BusyResourceError, InvalidStateError, WouldBlock } from "../core/errors.ts";
import { notSupported } from "../platform/capabilities.ts";
import { Lease, type LeaseSource } from "../sync/lease.ts";
import type { OpenHandle } from "./open-handle.ts";

/** Options of `File.lock`. */
export interface FileLockOptions {
  /** Whether others may have a shared lock at the same time. Default `false`: nobody may have any. */
  readonly shared?: boolean;
  /** Whether to wait until nobody is in the way; else that is a `WouldBlock`. Default `true`. */
  readonly wait?: boolean;
}

const NOTHING = { succeed: (): void => {}, fail: (): void => {} };

/** The advisory lock of one open file. */
export class FileLock implements LeaseSource {
  /** @internal */ readonly leaseName: string = "File";
  readonly #open: OpenHandle;
  #state: "free" | "waiting" | "held" = "free";

  constructor(open: OpenHandle) {
    this.#open = open;
  }

  acquire(options: FileLockOptions): Promise<Lease> {
    return this.#open.ask<Lease>("lock", (completion, backend) => {
      requireKnown("File.lock", options, { shared: true, wait: true });
      const { shared = false, wait = true } = options;
      requireFlag("File.lock({ shared })", shared);
      requireFlag("File.lock({ wait })", wait);
      this.#requireFree();
      const { handle } = this.#open;
      if (handle.lock === undefined) throw notSupported(backend, "File.lock");
      this.#state = "waiting";
      const withdraw = handle.lock(
        { kind: shared ? "shared" : "exclusive", wait },
        {
          succeed: (isTaken) => {
            this.#state = isTaken ? "held" : "free";
            if (isTaken) completion.succeed(new Lease(this, null));
            else completion.fail(this.#wouldBlock(shared));
          },
          fail: (error) => {
            this.#state = "free";
            completion.fail(error);
          },
        },
      );
      return () => {
        this.#state = "free";
        withdraw();
      };
    });
  }

  /** @internal */
  takeBack(_lease: Lease): boolean {
    this.#state = "free";
    // Closing has given it up.
    if (!this.#open.isClosed) this.#open.handle.lock?.({ kind: "none", wait: false }, NOTHING);
    return true;
  }

  #requireFree(): void {
    if (this.#state === "waiting") {
      throw new BusyResourceError(
        `File.lock: another task waits for the lock of this file; open ${this.#open.path} once more, or let one task do it`,
      );
    }
    if (this.#state === "held") {
      throw new InvalidStateError(
        `File.lock: this file holds its lock already; release it first, or open ${this.#open.path} once more`,
      );
    }
  }

  #wouldBlock(shared: boolean): WouldBlock {
    const others = shared ? "an exclusive lock" : "a lock";
    return new WouldBlock(
      `File.lock: somebody else holds ${others} of ${this.#open.path}; leave out wait: false to wait for it`,
    );
  }
}
