import type { Waiter } from "../core/suspend.ts";
import type { Parcel, ToHome } from "./thread-channel-protocol.ts";

/** What came of an operation. */
export type Outcome =
  | { readonly kind: "sent" | "end" | "broken" | "closed" | "gone" }
  | { readonly kind: "item"; readonly item: unknown }
  | { readonly kind: "failed"; readonly error: unknown };

/** An operation of an end in another thread than its channel's. */
export interface Operation {
  /** Items to send; `undefined` to receive one. */
  readonly parcel: Parcel | undefined;
  /** −1 while it has none. */
  place: number;
  /** Called once. */
  end(outcome: Outcome): void;
  /** It may be withdrawn again. */
  waits(): void;
}

/** The request for it. */
export function requestOf(operation: Operation): ToHome {
  const { parcel, place } = operation;
  return parcel === undefined ? ["receive", place] : ["send", place, parcel];
}

/** An operation that a flow waits for. */
export class AsyncOperation implements Operation {
  readonly parcel: Parcel | undefined;
  place = -1;
  /** Set at once. */
  waiter!: Waiter<unknown>;
  readonly #resume: (waiter: Waiter<unknown>, outcome: Outcome) => void;

  constructor(
    parcel: Parcel | undefined,
    resume: (waiter: Waiter<unknown>, outcome: Outcome) => void,
  ) {
    this.parcel = parcel;
    this.#resume = resume;
  }

  end(outcome: Outcome): void {
    this.#resume(this.waiter, outcome);
  }

  waits(): void {
    const applied = this.waiter.scope?.applied ?? null;
    if (applied !== null) this.waiter.abort(applied);
  }
}

/** An operation that the thread is blocked for. */
export class SyncOperation implements Operation {
  readonly parcel: Parcel | undefined;
  place = -1;
  outcome: { readonly value: Outcome } | undefined;

  constructor(parcel: Parcel | undefined) {
    this.parcel = parcel;
  }

  end(outcome: Outcome): void {
    this.outcome = { value: outcome };
  }

  /** It is asked anew whenever the bell rings. */
  waits(): void {}
}
