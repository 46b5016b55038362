import assert from "node:assert/strict";
import { test } from "node:test";
import { ambientScope } from "../core/ambient.ts";
import type { SystemError } from "../core/errors.ts";
import { ExceptionGroup } from "../core/exception-group.ts";
import { CancelScope } from "../core/scope.ts";
import { setBackend } from "../platform/capabilities.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import { now } from "../sync/timeouts.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { connectTcp, type ConnectTcpOptions } from "./connect-tcp.ts";
import { ConnectionFailedError } from "./errors.ts";
import { FakeNetwork, type NetworkScript } from "./fake-network.test.kit.ts";

/** Runs `body` in virtual time, on a network that follows `script`. */
async function onFakeNetwork(
  script: NetworkScript,
  body: (network: FakeNetwork) => Promise<void>,
): Promise<void> {
  const backend = simulator({ seed: 1 }).createBackend();
  await run(
    async () => {
      const network = new FakeNetwork(script);
      setBackend(ambientScope(), { ...backend, network });
      await body(network);
      assert.equal(ambientScope().kernel.deadlineCount, 0, "a timer was left behind");
    },
    { backend, signals: [] },
  );
}

/** Connects to a name; the log, what it came to and when. */
async function connecting(
  script: NetworkScript,
  options: ConnectTcpOptions = {},
): Promise<{ log: string[]; outcome: string; error: ConnectionFailedError | undefined }> {
  let result!: { log: string[]; outcome: string; error: ConnectionFailedError | undefined };
  await onFakeNetwork(script, async (network) => {
    let error: ConnectionFailedError | undefined;
    let outcome: string;
    try {
      const stream = await connectTcp("name.test", 80, options);
      outcome = `${now()} ${network.wires.at(-1)?.name}`;
      assert.deepEqual([...network.open], [`wire ${network.wires.at(-1)?.name}`]);
      stream.close();
    } catch (caught) {
      assert.ok(caught instanceof ConnectionFailedError, String(caught));
      error = caught;
      outcome = `${now()} failed`;
    }
    assert.deepEqual([...network.open], []);
    assert.ok(!network.log.some((line) => line.includes("too late")), network.log.join("\n"));
    const log = network.log.filter((line) => !/close|lookup/.test(line) || /withdraw l/.test(line));
    result = { log, outcome, error };
  });
  return result;
}

type Answer = NonNullable<NetworkScript["lookup"]>;
const six = (afterMs: number, ...addresses: string[]): Answer => ({
  6: { afterMs, addresses },
});
const four = (afterMs: number, ...addresses: string[]): Answer => ({
  4: { afterMs, addresses },
});

test("connectTcp: asks for both families at the same time, for IPv6 first (RFC 8305, section 3)", async () => {
  await onFakeNetwork(
    { lookup: { ...six(5, "::1"), ...four(5, "1.1.1.1") }, connect: { "::1": { afterMs: 1 } } },
    async (network) => {
      using _stream = await connectTcp("name.test", 80);
      assert.deepEqual(network.log.slice(0, 2), ["0 lookup 6", "0 lookup 4"]);
    },
  );
});

test("connectTcp: starts as soon as IPv6 addresses are there, without those of IPv4 (section 3)", async () => {
  const { log, outcome } = await connecting({
    lookup: { ...six(10, "::1"), ...four(1000, "1.1.1.1") },
    connect: { "::1": { afterMs: 30 } },
  });
  assert.deepEqual(log, ["10 connect ::1", "40 withdraw lookup 4"]);
  assert.equal(outcome, "40 ::1");
});

test("connectTcp: IPv4 addresses that come first wait 50 ms for those of IPv6, which then go first (section 3)", async () => {
  const connect = { "::1": { afterMs: 5 }, "1.1.1.1": { afterMs: 5 } };
  const early = await connecting({
    lookup: { ...four(10, "1.1.1.1"), ...six(59, "::1") },
    connect,
  });
  assert.deepEqual([early.log, early.outcome], [["59 connect ::1"], "64 ::1"]);
  const late = await connecting({
    lookup: { ...four(10, "1.1.1.1"), ...six(100, "::1") },
    connect,
  });
  assert.deepEqual(late.log, ["60 connect 1.1.1.1", "65 withdraw lookup 6"]);
  const shorter = await connecting(
    { lookup: { ...four(10, "1.1.1.1"), ...six(100, "::1") }, connect },
    { resolutionDelayMs: 7 },
  );
  assert.equal(shorter.outcome, "22 1.1.1.1");
});

test("connectTcp: an answer that there is no IPv6 address ends the resolution delay (section 3)", async () => {
  for (const code of ["ENOTFOUND", "EAI_AGAIN"]) {
    const { log, outcome } = await connecting({
      lookup: { ...four(10, "1.1.1.1"), 6: { afterMs: 30, code } },
      connect: { "1.1.1.1": { afterMs: 5 } },
    });
    assert.deepEqual([log, outcome], [["30 connect 1.1.1.1"], "35 1.1.1.1"]);
  }
  const empty = await connecting({
    lookup: { ...four(10, "1.1.1.1"), ...six(30) },
    connect: { "1.1.1.1": { afterMs: 5 } },
  });
  assert.equal(empty.outcome, "35 1.1.1.1");
});

test("connectTcp: addresses are tried every 250 ms, the families in turns, and losers withdrawn (sections 4 and 5)", async () => {
  const { log, outcome } = await connecting({
    lookup: { ...six(1, "::1", "::2", "::3"), ...four(1, "1.1.1.1", "2.2.2.2") },
    connect: { "::3": { afterMs: 20 } },
  });
  assert.deepEqual(log, [
    "1 connect ::1",
    "251 connect 1.1.1.1",
    "501 connect ::2",
    "751 connect 2.2.2.2",
    "1001 connect ::3",
    "1021 withdraw connect ::1",
    "1021 withdraw connect 1.1.1.1",
    "1021 withdraw connect ::2",
    "1021 withdraw connect 2.2.2.2",
  ]);
  assert.equal(outcome, "1021 ::3");
});

test("connectTcp: an attempt that fails starts the next at once; one that failed after the next had begun does not", async () => {
  const refused = (afterMs: number): { afterMs: number; code: string } => ({
    afterMs,
    code: "ECONNREFUSED",
  });
  const { log, outcome } = await connecting({
    lookup: { ...six(1, "::1", "::2", "::3"), ...four(1, "1.1.1.1") },
    connect: {
      "::1": refused(3),
      "1.1.1.1": refused(260),
      "::2": { afterMs: Infinity },
      "::3": { afterMs: 1 },
    },
  });
  assert.deepEqual(log.slice(0, 4), [
    "1 connect ::1",
    "4 connect 1.1.1.1",
    "254 connect ::2",
    "504 connect ::3",
  ]);
  assert.equal(outcome, "505 ::3");
});

test("connectTcp: an earlier address that answers after all wins", async () => {
  const { log, outcome } = await connecting({
    lookup: { ...six(1, "::1"), ...four(1, "1.1.1.1") },
    connect: { "::1": { afterMs: 300 }, "1.1.1.1": { afterMs: 100 } },
  });
  assert.deepEqual(log, ["1 connect ::1", "251 connect 1.1.1.1", "301 withdraw connect 1.1.1.1"]);
  assert.equal(outcome, "301 ::1");
});

test("connectTcp: addresses that come while others are tried are put in their place (section 3)", async () => {
  const lateSix = await connecting({
    lookup: { ...four(1, "1.1.1.1", "2.2.2.2", "3.3.3.3"), ...six(400, "::1", "::2") },
    connect: { "3.3.3.3": { afterMs: 1 } },
  });
  assert.deepEqual(
    lateSix.log.filter((line) => !line.includes("withdraw")),
    ["51 connect 1.1.1.1", "301 connect 2.2.2.2", "551 connect ::1", "801 connect 3.3.3.3"],
  );
  const lateFour = await connecting({
    lookup: { ...six(1, "::1", "::2"), ...four(700, "1.1.1.1") },
    connect: { "1.1.1.1": { afterMs: 1 } },
  });
  // 500 is long past: it starts when it comes.
  assert.deepEqual(
    lateFour.log.filter((line) => !line.includes("withdraw")),
    ["1 connect ::1", "251 connect ::2", "700 connect 1.1.1.1"],
  );
});

test("connectTcp: all have failed and a lookup has not: it is waited for", async () => {
  const { log, outcome } = await connecting({
    lookup: { ...six(1, "::1"), ...four(5000, "1.1.1.1") },
    connect: { "::1": { afterMs: 1, code: "ECONNREFUSED" }, "1.1.1.1": { afterMs: 1 } },
  });
  assert.deepEqual([log, outcome], [["1 connect ::1", "5000 connect 1.1.1.1"], "5001 1.1.1.1"]);
});

test("connectTcp: attemptDelayMs of Infinity tries one address after the other", async () => {
  const { log } = await connecting(
    {
      lookup: { ...six(1, "::1"), ...four(1, "1.1.1.1") },
      connect: { "::1": { afterMs: 9000, code: "ETIMEDOUT" }, "1.1.1.1": { afterMs: 1 } },
    },
    { attemptDelayMs: Infinity },
  );
  assert.deepEqual(log, ["1 connect ::1", "9001 connect 1.1.1.1"]);
});

test("ConnectionFailedError: lists each address with its error, in the order of the attempts", async () => {
  const { error, outcome } = await connecting({
    lookup: { ...six(1, "::1"), ...four(1, "1.1.1.1") },
    connect: {
      "::1": { afterMs: 700, code: "ETIMEDOUT" },
      "1.1.1.1": { afterMs: 5, code: "ECONNREFUSED" },
    },
  });
  assert.equal(outcome, "701 failed");
  assert.equal(error?.code, "ARBORIO_CONNECTION_FAILED");
  assert.deepEqual(
    error.attempts.map((one) => [one.address, (one.error as SystemError).systemCode]),
    [
      [{ host: "::1", port: 80 }, "ETIMEDOUT"],
      [{ host: "1.1.1.1", port: 80 }, "ECONNREFUSED"],
    ],
  );
  assert.match(
    error.message,
    /^connectTcp to name\.test:80: .*\n +\[::1\]:80: .*ETIMEDOUT.*\n +1\.1\.1\.1:80: .*ECONNREFUSED/,
  );
  assert.ok(error.cause instanceof ExceptionGroup && error.cause.errors.length === 2);
  assert.match(error.stack ?? "", /happy-eyeballs\.test/, "the stack shows the caller");
});

test("ConnectionFailedError: one address that failed, or a name that is not known, is the cause itself", async () => {
  const one = await connecting({
    lookup: six(1, "::1"),
    connect: { "::1": { afterMs: 1, code: "ECONNREFUSED" } },
  });
  assert.equal(causeOf(one.error), "ECONNREFUSED");
  const unknown = await connecting({});
  assert.deepEqual(unknown.error?.attempts, []);
  assert.equal(causeOf(unknown.error), "ENOTFOUND");
  const silent = await connecting({ lookup: { 4: { afterMs: 5, code: "EAI_AGAIN" } } });
  assert.equal(causeOf(silent.error), "EAI_AGAIN");
  const empty = await connecting({ lookup: { ...six(1), ...four(1) } });
  assert.equal(causeOf(empty.error), "ENOTFOUND");
});

test("ConnectionFailedError: a lookup that broke is told beside the attempts that failed", async () => {
  const { error } = await connecting({
    lookup: { ...six(1, "::1"), 4: { afterMs: 5, code: "EAI_FAIL" } },
    connect: { "::1": { afterMs: 1, code: "ECONNREFUSED" } },
  });
  assert.ok(error?.cause instanceof ExceptionGroup);
  const codes = error.cause.errors.map((one: SystemError) => one.systemCode);
  assert.deepEqual(codes, ["ECONNREFUSED", "EAI_FAIL"]);
  assert.equal(error?.attempts.length, 1);
});

function causeOf(error: Error | undefined): string {
  const cause = error?.cause as SystemError | undefined;
  return cause?.systemCode ?? "no cause";
}

const busy: NetworkScript = {
  lookup: { ...six(60, "::1", "::2"), ...four(5, "1.1.1.1", "2.2.2.2") },
  connect: { "1.1.1.1": { afterMs: 40, code: "EHOSTUNREACH" }, "2.2.2.2": { afterMs: 30 } },
};

test("connectTcp: cancelled at any time, nothing is left", async () => {
  for (let at = 0; at < 420; at += 1) {
    await onFakeNetwork(busy, async (network) => {
      const scope = new CancelScope({ deadline: at });
      let stream: { close(): void } | undefined;
      await scope.run(async () => {
        stream = await connectTcp("name.test", 80);
      });
      assert.equal(stream === undefined, scope.cancelledCaught, `at ${at}`);
      stream?.close();
      assert.deepEqual([...network.open], [], `at ${at}`);
    });
  }
});

test("connectTcp: cancelled at every checkpoint, nothing is left", async () => {
  const backend = simulator({ seed: 1 }).createBackend();
  await run(
    () =>
      cancelEverywhere(async (round) => {
        const network = new FakeNetwork(busy);
        setBackend(ambientScope(), { ...backend, network });
        round.after(() => assert.deepEqual([...network.open], []));
        using _stream = await connectTcp("name.test", 80);
      }),
    { backend, signals: [] },
  );
});
