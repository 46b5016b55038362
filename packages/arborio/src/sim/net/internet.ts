import type { Ip } from "./addresses.ts";
import type { Fabric } from "./fabric.ts";
import type { HostNetwork } from "./host-network.ts";
import { NameService } from "./names.ts";

/** What the hosts of one world share: who has which address, what names mean, and what lies between them. */
export class Internet {
  readonly fabric: Fabric;
  readonly names: NameService;
  readonly hosts: HostNetwork[] = [];
  readonly #byAddress: Map<string, HostNetwork> = new Map();

  constructor(fabric: Fabric) {
    this.fabric = fabric;
    this.names = new NameService(fabric);
  }

  /** The host with this address, other than loopback. */
  at(address: Ip): HostNetwork | undefined {
    return this.#byAddress.get(address.text);
  }

  attach(host: HostNetwork): void {
    this.hosts.push(host);
    for (const { text } of host.addresses) this.#byAddress.set(text, host);
  }
}
