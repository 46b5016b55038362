import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "./clock.ts";
import { HostBridge } from "./host-bridge.ts";

interface World {
  readonly clock: VirtualClock;
  readonly bridge: HostBridge;
  /** Takes so many turns of the host; all by default. */
  readonly turns: (count?: number) => void;
  /** Calls `done` after so many turns of the host. */
  readonly after: (turns: number, done: () => void) => void;
}

/** A clock and a bridge whose host's turns are taken by hand. */
function createWorld(): World {
  const queue: (() => void)[] = [];
  const hostTurn = (turn: () => void): void => void queue.push(turn);
  const clock = new VirtualClock(hostTurn);
  const turns = (count = Infinity): void => {
    for (let taken = 0; taken < count && queue.length > 0; taken++)
      for (const turn of queue.splice(0)) turn();
  };
  const after = (left: number, done: () => void): void =>
    hostTurn(() => (left > 1 ? after(left - 1, done) : done()));
  return { clock, bridge: new HostBridge(clock, hostTurn), turns, after };
}

/** A part that keeps what it is given until it is taken. */
function createPart(bridge: HostBridge, log: string[]): (what: string) => void {
  const kept: string[] = [];
  bridge.add({
    take() {
      const taken = kept.splice(0);
      return taken.length === 0 ? null : () => log.push(...taken);
    },
  });
  return (what) => {
    bridge.touch();
    kept.push(what);
  };
}

test("HostBridge: while the host works, no turn is taken, no timer fires, and nothing counts as stuck", () => {
  const { clock, bridge, turns, after } = createWorld();
  const log: string[] = [];
  const came = createPart(bridge, log);
  clock.onStuck(() => log.push("stuck"));
  clock.setTimer(1, () => log.push(`timer at ${clock.now()}`));
  bridge.touch();
  clock.nextTurn(() => log.push("turn"));
  after(5, () => came("made in turn 5"));
  after(10, () => came("made in turn 10"));
  turns(15);
  assert.deepEqual(log, []);
  turns();
  assert.deepEqual(log, ["made in turn 5", "made in turn 10", "turn", "timer at 1", "stuck"]);
});

test("HostBridge: what parts have made is handed over in the order of the parts, not in which it was ready", () => {
  const { bridge, turns, after } = createWorld();
  const log: string[] = [];
  const [first, second] = [createPart(bridge, log), createPart(bridge, log)];
  after(1, () => second("second"));
  after(4, () => first("first"));
  turns();
  assert.deepEqual(log, ["first", "second"]);
});

test("HostBridge: what comes of handing over is handed over later, and the world stands still until then", () => {
  const { clock, bridge, turns, after } = createWorld();
  const log: string[] = [];
  const answer = createPart(bridge, log);
  let asked = false;
  bridge.add({
    take() {
      if (asked) return null;
      asked = true;
      return () => {
        log.push("question");
        bridge.touch();
        after(3, () => answer("answer"));
      };
    },
  });
  clock.setTimer(1, () => log.push("timer"));
  bridge.touch();
  turns();
  assert.deepEqual(log, ["question", "answer", "timer"]);
});

test("HostBridge: what handing over brings at once waits for what it brings later, and keeps the order of parts", () => {
  const { bridge, turns, after } = createWorld();
  const log: string[] = [];
  let second: (what: string) => void = () => {};
  let asked = false;
  bridge.add({
    take() {
      if (asked) return null;
      asked = true;
      return () => {
        second("second, at once");
        after(2, () => first("first, later"));
      };
    },
  });
  const first = createPart(bridge, log);
  second = createPart(bridge, log);
  bridge.touch();
  turns();
  assert.deepEqual(log, ["first, later", "second, at once"]);
});

test("HostBridge: what comes late, out of a silence, is handed over all the same", () => {
  const { clock, bridge, turns, after } = createWorld();
  const log: string[] = [];
  const came = createPart(bridge, log);
  bridge.touch();
  after(100, () => came("late"));
  clock.setTimer(1, () => log.push("timer"));
  turns();
  assert.deepEqual(log, ["timer", "late"]);
});

test("HostBridge: a part that is removed is asked no more", () => {
  const { bridge, turns } = createWorld();
  const part = { take: (): never => assert.fail("asked") };
  bridge.add(part);
  assert.equal(bridge.size, 1);
  bridge.remove(part);
  assert.equal(bridge.size, 0);
  bridge.touch();
  turns();
});
