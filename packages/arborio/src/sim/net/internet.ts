import type { Ip } from "./addresses.ts";
import type { Fabric } from "./fabric.ts";
import type { HostNetwork } from "./host-network.ts";

/** What the hosts of one world share: who has which address, and what lies between them. */
export class Internet {
  readonly fabric: Fabric;
  readonly #byAddress: Map<string, HostNetwork> = new Map();

  constructor(fabric: Fabric) {
    this.fabric = fabric;
  }

  /** The host with this address, other than loopback. */
  at(address: Ip): HostNetwork | undefined {
    return this.#byAddress.get(address.text);
  }

  attach(address: Ip, host: HostNetwork): void {
    this.#byAddress.set(address.text, host);
  }
}
