/** Random names and networks, cancelled at random times, against a model of RFC 8305 that goes from event to event. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ambientScope } from "../core/ambient.ts";
import { CancelScope } from "../core/scope.ts";
import { currentBackend, setBackend } from "../platform/capabilities.ts";
import { run } from "../platform/run.ts";
import { simulator } from "../sim/simulator.ts";
import { now } from "../sync/timeouts.ts";
import { connectTcp } from "./connect-tcp.ts";
import { ConnectionFailedError } from "./errors.ts";
import { type ConnectScript, FakeNetwork, type NetworkScript } from "./fake-network.test.kit.ts";

/** Printed, so that a run can be repeated. */
const [printedSeed = 0] = fc.sample(fc.nat(), 1);
console.log(`# happy-eyeballs.property: seed ${printedSeed}`);

const SCRIPTS = 1000;
const ADDRESSES_MAX = 5;

/**
 * Each duration is whole milliseconds and a part of its own, so that no two events of different origin meet: these are powers of
 * two, and every sum of some of them is another. In milliseconds; the clock's own steps are far smaller.
 */
const part = (index: number): number => (64 * 2 ** index) / 1000;
const NEAR_MS = 0.03;

interface Case {
  readonly script: NetworkScript;
  readonly attemptDelayMs: number;
  readonly resolutionDelayMs: number;
  readonly cancelAt: number;
}

const lookupTime = fc.oneof(fc.nat(5), fc.nat(120), fc.nat(900));
const connectTime = fc.oneof(fc.nat(5), fc.nat(400), fc.nat(3000));
const fails = fc.boolean();

const family = fc.record({
  afterMs: lookupTime,
  count: fc.nat(ADDRESSES_MAX),
  connects: fc.array(fc.record({ afterMs: connectTime, fails }), {
    minLength: ADDRESSES_MAX,
    maxLength: ADDRESSES_MAX,
  }),
});

const cases: fc.Arbitrary<Case> = fc
  .record({
    six: family,
    four: family,
    attemptDelayMs: fc.constantFrom(250, 250, 10, 1000),
    resolutionDelayMs: fc.constantFrom(50, 50, 0, 300),
    cancelAt: fc.oneof(fc.constant(Infinity), fc.nat(300), fc.nat(3000)),
  })
  .map(({ six, four, ...rest }) => {
    const connect: Record<string, ConnectScript> = {};
    const lookup = (prefix: string, { afterMs, count, connects }: typeof six, first: number) => {
      const addresses = connects.slice(0, count).map((one, index) => {
        const host = `${prefix}${index + 1}`;
        const after = one.afterMs + part(first + 1 + index);
        connect[host] = one.fails ? { afterMs: after, code: "ECONNREFUSED" } : { afterMs: after };
        return host;
      });
      const at = afterMs + part(first);
      return count === 0 ? { afterMs: at, code: "ENOTFOUND" } : { afterMs: at, addresses };
    };
    const script = { lookup: { 6: lookup("::", six, 0), 4: lookup("1.1.1.", four, 6) }, connect };
    return { script, ...rest };
  });

interface Course {
  readonly starts: readonly (readonly [at: number, host: string])[];
  readonly winner: string | undefined;
  readonly endsAt: number;
}

/** What RFC 8305 says that happens. */
function courseOf({ script, attemptDelayMs, resolutionDelayMs }: Case): Course {
  const untried: Record<4 | 6, string[]> = { 4: [], 6: [] };
  const answersAt: Record<4 | 6, number> = { 4: 0, 6: 0 };
  for (const one of [4, 6] as const) answersAt[one] = script.lookup?.[one]?.afterMs ?? 0;
  const running: { readonly at: number; readonly host: string }[] = [];
  const starts: [number, string][] = [];
  let time = 0;
  let latestFailed = false;
  const nextStart = (): number => {
    if (untried[4].length + untried[6].length === 0) return Infinity;
    const latest = starts.at(-1);
    if (latest !== undefined)
      return latestFailed ? time : Math.max(time, latest[0] + attemptDelayMs);
    return answersAt[6] > time ? Math.max(time, answersAt[4] + resolutionDelayMs) : time;
  };
  for (;;) {
    const startAt = nextStart();
    const [ended] = running.toSorted((a, b) => a.at - b.at);
    const answers = ([4, 6] as const).filter((one) => answersAt[one] > time);
    const at = Math.min(startAt, ended?.at ?? Infinity, ...answers.map((one) => answersAt[one]));
    if (at === Infinity) return { starts, winner: undefined, endsAt: time };
    time = at;
    const answer = answers.find((one) => answersAt[one] === at);
    if (answer !== undefined) {
      const found = script.lookup?.[answer];
      if (found !== undefined && "addresses" in found) untried[answer].push(...found.addresses);
    } else if (at === ended?.at) {
      if (script.connect?.[ended.host]?.code === undefined)
        return { starts, winner: ended.host, endsAt: at };
      running.splice(running.indexOf(ended), 1);
      latestFailed ||= ended.host === starts.at(-1)?.[1];
    } else {
      const last6 = starts.at(-1)?.[1].includes(":") ?? false;
      const turn = last6 ? 4 : 6;
      const host = untried[turn].shift() ?? untried[last6 ? 6 : 4].shift() ?? "nobody";
      starts.push([at, host]);
      running.push({ at: at + (script.connect?.[host]?.afterMs ?? 0), host });
      latestFailed = false;
    }
  }
}

const isNear = (a: number, b: number): boolean => Math.abs(a - b) < NEAR_MS;

async function check(one: Case): Promise<void> {
  const { script, attemptDelayMs, resolutionDelayMs, cancelAt } = one;
  const course = courseOf(one);
  const network = new FakeNetwork(script);
  const begin = now();
  const scope = new CancelScope({ deadline: begin + cancelAt });
  let winner: string | undefined;
  await scope.run(async () => {
    setBackend(scope, { ...currentBackend(), network });
    try {
      const stream = await connectTcp("name.test", 80, { attemptDelayMs, resolutionDelayMs });
      winner = network.wires[0]?.name;
      assert.deepEqual([...network.open], [`wire ${winner}`], "only the winner is open");
      stream.close();
    } catch (error) {
      if (!(error instanceof ConnectionFailedError)) throw error;
      assert.equal(error.attempts.length, course.starts.length);
      assert.deepEqual(
        error.attempts.map(({ address }) => address.host),
        course.starts.map(([, host]) => host),
      );
    }
  });
  const elapsed = now() - begin;
  assert.deepEqual([...network.open], [], "something was left open");
  assert.ok(network.wires.length <= 1);
  assert.deepEqual(
    network.log.filter((line) => line.includes("too late")),
    [],
  );
  assert.equal(ambientScope().kernel.deadlineCount, 0, "a timer was left behind");
  const isCut = cancelAt < course.endsAt;
  assert.equal(scope.cancelledCaught, isCut);
  assert.ok(
    isNear(elapsed, Math.min(cancelAt, course.endsAt)),
    `took ${elapsed}, needed ${course.endsAt}`,
  );
  if (!isCut) assert.equal(winner, course.winner);
  const starts = network.log.filter((line) => / connect /.test(line) && !line.includes("withdraw"));
  const expected = course.starts.filter(([at]) => at < cancelAt);
  assert.deepEqual(
    starts.map((line) => line.split(" ")[2]),
    expected.map(([, host]) => host),
  );
  for (const [index, [at]] of expected.entries())
    assert.ok(
      isNear(Number(starts[index]?.split(" ")[0]) - begin, at),
      `attempt ${index} at ${starts[index]}, needed ${at}`,
    );
}

test(`connectTcp: ${SCRIPTS} random networks, each as RFC 8305 says, and nothing is left`, async () => {
  await run(
    () => fc.assert(fc.asyncProperty(cases, check), { numRuns: SCRIPTS, seed: printedSeed }),
    { backend: simulator({ seed: 1 }), signals: [] },
  );
});
