import { test as nodeTest } from "node:test";
import { run } from "../../index.ts";
import { currentBackend, requireCapability } from "../../platform/capabilities.ts";
import type { Files } from "../../platform/files.ts";
import { simulator } from "../../sim.ts";
import {
  fileLocksContract,
  filePermissionsContract,
  filesContract,
  openDirectoriesContract,
} from "../../testing/files-contract.ts";

/** Each delays, cuts and coalesces in another way. */
const SEEDS = 3;

function simulated(title: string, body: () => Promise<void>): void {
  for (let seed = 0; seed < SEEDS; seed++) {
    nodeTest(`simulated files, seed ${seed}: ${title}`, () =>
      run(body, { backend: simulator({ seed }), signals: [] }),
    );
  }
}

function files(): Files {
  return requireCapability(currentBackend(), "files", "the contract");
}

filesContract(simulated, files);
openDirectoriesContract(simulated, files);
fileLocksContract(simulated, files);
filePermissionsContract(simulated, files);
