/**
 * The cases of the Autobahn test suite, against both sides of ours, over memory and in virtual time. Groups 9, 12 and 13 are cut down, unless
 * `ARBORIO_AUTOBAHN=full` (CONTRIBUTING.md has the command).
 */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { run, taskGroup } from "arborio";
import { simulator } from "arborio/sim";
import { createMemoryStreamPair } from "arborio/streams";
import {
  acceptDeflate,
  acceptedDeflate,
  type DeflateParameters,
} from "../../protocol/websocket/negotiate-deflate.ts";
import { echo, runOver } from "../raw-peer.test.kit.ts";
import { type CaseDeflate, type FuzzCase, judge } from "./case.test.kit.ts";
import { QUICK_LEVEL } from "./fuzz-peer.test.kit.ts";
import { agreementOf, answerOf, groupOf, groups, offerOf, suite } from "./suite.test.kit.ts";

const isFull = process.env["ARBORIO_AUTOBAHN"] === "full";
const settings = { pauseMs: 1000, failMs: 1000, isFull, mustCompress: true };

void test("the suite has 517 cases, 301 without compression, and 63 of the catalogue of UTF-8 are valid", () => {
  assert.equal(new Set(suite.map(({ id }) => id)).size, 517);
  assert.equal(suite.length, 517);
  assert.equal(suite.filter(({ deflate }) => deflate === undefined).length, 301);
  const catalogue = suite.filter(({ id }) => /^6\.([5-9]|1\d|2\d)\./.test(id));
  assert.equal(catalogue.length, 132);
  assert.equal(catalogue.filter(({ end }) => end === "close").length, 63);
});

/** What our side makes of the handshake, and what was said in it. */
function agreed(
  deflate: CaseDeflate,
  ours: "client" | "server",
): { parameters: DeflateParameters; value: string } {
  const value = answerOf(deflate);
  const answer =
    ours === "server"
      ? acceptDeflate(offerOf(deflate))
      : { parameters: acceptedDeflate(value, {}), value };
  assert.ok(answer?.parameters);
  return { ...answer, parameters: answer.parameters };
}

async function runCase(one: FuzzCase, ours: "client" | "server"): Promise<string | undefined> {
  const [near, far] = createMemoryStreamPair();
  const options = {
    role: ours,
    messageBytesMax: Infinity,
    heartbeatMs: Infinity,
    // All of it is gigabytes.
    compression: { messageBytesMin: 0, level: isFull ? QUICK_LEVEL : 6 },
  };
  const shaken = one.deflate === undefined ? null : agreed(one.deflate, ours);
  const deflate = shaken === null ? {} : { deflate: shaken.parameters };
  const role = ours === "server" ? "client" : "server";
  return await taskGroup(async (group) => {
    group.startSoon(() => runOver(far, echo, { ...options, ...deflate }).catch(() => {}), {
      daemon: true,
    });
    return await judge(one, near, role, settings, agreementOf(shaken?.value ?? "", role));
  });
}

for (const ours of ["server", "client"] as const) {
  for (const group of groups) {
    void test(`Autobahn ${group}: our ${ours}`, async () => {
      const failures: string[] = [];
      await run(
        async () => {
          for (const one of suite) {
            if (groupOf(one) !== group) continue;
            const failure = await runCase(one, ours);
            if (failure !== undefined) failures.push(`${one.id}: ${failure}`);
          }
        },
        { signals: [], backend: simulator({ seed: 1 }) },
      );
      assert.deepEqual(failures, []);
    });
  }
}
