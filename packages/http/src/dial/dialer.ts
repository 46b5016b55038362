import type { Wire } from "arborio/lowlevel";
import type { Route } from "./route.ts";

/** Makes connections. */
export interface Dialer {
  /**
   * Connects, through the proxy if there is one, and agrees upon TLS. Cancelled or failed, nothing is left of it.
   *
   * @throws DialError that tells how far it came.
   */
  dial(route: Route): Promise<Wire>;
}
