import { requireFunction } from "../core/arguments.ts";
import { currentBackend } from "../platform/capabilities.ts";
import type { Network } from "../platform/network.ts";
import { ending } from "./network-contract/ending.ts";
import { listening } from "./network-contract/listening.ts";
import { Bench, type ConnectionEnd, type ContractCheck } from "./network-contract/suite.ts";
import { transfer } from "./network-contract/transfer.ts";

/** Runs one test. Its body must run inside `run`, on the backend whose network it is: what `onEveryBackend` returns will do. */
export type ContractTest = (title: string, body: () => Promise<void>) => unknown;

const wires: readonly ContractCheck[] = [...transfer, ...ending];

/**
 * @internal What `platform/wire.ts` and `platform/network.ts` promise of stream sockets, as tests for any `Network`. They use
 * nothing but the contract, the loopback address, and paths in `/tmp`.
 */
export function networkContract(test: ContractTest, network: () => Network): void {
  requireFunction("networkContract", test);
  requireFunction("networkContract", network);
  const define = (check: ContractCheck, first: ConnectionEnd, suffix: string): void => {
    test(check.title + suffix, async () => {
      const bench = new Bench(network(), makePath, first);
      try {
        await check.body(bench);
      } finally {
        await bench.close();
      }
    });
  };
  for (const check of listening) define(check, "connecting", "");
  for (const check of wires) {
    define(check, "connecting", ", the end that connects");
    define(check, "accepted", ", the end that is accepted");
  }
}

/** A path that nobody uses. */
function makePath(): string {
  const name = Math.floor(currentBackend().entropy.random() * 2 ** 48).toString(36);
  return `/tmp/arborio-contract-${name}`;
}
