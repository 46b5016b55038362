import { test as nodeTest } from "node:test";
import { run } from "../../index.ts";
import { currentBackend, requireCapability } from "../../platform/capabilities.ts";
import { simulator } from "../../sim.ts";
import { networkContract } from "../../testing/network-contract.ts";

/** Each cuts, delays and orders in another way. */
const SEEDS = 3;

networkContract(
  (title, body) => {
    for (let seed = 0; seed < SEEDS; seed++) {
      nodeTest(`simulated network, seed ${seed}: ${title}`, () =>
        run(body, { backend: simulator({ seed }), signals: [] }),
      );
    }
  },
  () => requireCapability(currentBackend(), "network", "the contract"),
);
