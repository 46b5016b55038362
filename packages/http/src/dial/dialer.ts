import type { Wire } from "arborio/lowlevel";
import type { DialPhase } from "./dial-error.ts";
import type { Route } from "./route.ts";

/** Told by a dialer how far it is: for who gives it up. */
export interface DialProgress {
  phase: DialPhase;
}

/** Makes connections. */
export interface Dialer {
  /**
   * Connects, through the proxy if there is one, and agrees upon TLS. Cancelled or failed, nothing is left of it.
   *
   * @throws DialError that tells how far it came.
   */
  dial(route: Route, progress?: DialProgress): Promise<Wire>;
  /** It was given up, since it took too long: the addresses that were tried are not trusted any more. */
  tookTooLong(route: Route): void;
  /** Forgets the addresses of a host, or of all. */
  clearDnsCache(host?: string): void;
}
