import { describe, test as nodeTest } from "node:test";
import "../../platform/host.ts";
import { hostBackend } from "../../platform/host.ts";
import type { Network } from "../../platform/network.ts";
import { run } from "../../platform/run.ts";
import { networkContract } from "../../testing/network-contract.ts";
import { nodeNetwork } from "./node-network.ts";

/** A broken promise often shows as a test that never ends. */
const TEST_MS_MAX = 30_000;

function onHost(title: string, body: () => Promise<void>): void {
  void nodeTest(title, { timeout: TEST_MS_MAX }, () => run(body, { signals: [] }));
}

describe(`network contract [${hostBackend.name}]`, () => {
  networkContract(onHost, () => hostBackend.network as Network);
});

// Bun has listeners of its own, and those of node:net for other backends; Deno's are those of node:net, put right.
if (hostBackend.name === "bun") {
  describe("network contract [node:net]", () => {
    networkContract(onHost, () => nodeNetwork);
  });
}
