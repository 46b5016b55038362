import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { BrokenResourceError } from "../core/errors.ts";
import { waitAllTasksBlocked } from "../core/idle.ts";
import { CancelScope } from "../core/scope.ts";
import { taskGroup } from "../core/task-group.ts";
import { runningTasks } from "../core/task-tree.ts";
import { cancelEverywhere } from "../testing/cancel-everywhere.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import { ParkingLot } from "./parking-lot.ts";

const test = onEveryBackend(nodeTest);

test("ParkingLot: the task tree says what for, and for which resource", async () => {
  const lot = new ParkingLot("gate.pass", "the gate");
  await taskGroup(async (group) => {
    const passing = group.startSoon(() => lot.park());
    await waitAllTasksBlocked();
    const info = runningTasks().find(({ id }) => id === passing.id);
    assert.deepEqual(
      info?.waits.map(({ kind, resource }) => [kind, resource]),
      [["gate.pass", "the gate"]],
    );
    lot.unpark();
  });
});

/** Parks `names` in order, and collects those that were woken. */
function park(lot: ParkingLot, names: readonly string[], woken: string[]): Promise<unknown>[] {
  return names.map((name) => lot.park().then(() => woken.push(name)));
}

test("ParkingLot.unpark: wakes the count that has waited longest, and says how many", async () => {
  const lot = new ParkingLot();
  const woken: string[] = [];
  const parked = park(lot, ["a", "b", "c", "d"], woken);
  assert.equal(lot.unpark(), 1);
  await waitAllTasksBlocked();
  assert.deepEqual(woken, ["a"]);
  assert.equal(lot.unpark(2), 2);
  await waitAllTasksBlocked();
  assert.deepEqual(woken.toSorted(), ["a", "b", "c"]);
  assert.equal(lot.unpark(0), 0);
  assert.equal(lot.unparkAll(), 1);
  assert.equal(lot.unpark(), 0);
  await Promise.all(parked);
});

test("ParkingLot.unpark: a count that is no whole number from 0 on is an error", () => {
  const lot = new ParkingLot();
  for (const count of [-1, 0.5, Number.NaN]) assert.throws(() => lot.unpark(count), RangeError);
  assert.throws(() => lot.unpark("1" as never), TypeError);
  assert.throws(() => lot.repark(new ParkingLot(), -1), RangeError);
});

test("ParkingLot.repark: moves those that have waited longest behind those of the other lot, asleep", async () => {
  const from = new ParkingLot();
  const to = new ParkingLot();
  const woken: string[] = [];
  const parked = [...park(to, ["x"], woken), ...park(from, ["a", "b", "c"], woken)];
  assert.equal(from.repark(to, 2), 2);
  assert.deepEqual([from.statistics().tasksWaiting, to.statistics().tasksWaiting], [1, 3]);
  await waitAllTasksBlocked();
  assert.deepEqual(woken, []);
  for (const expected of ["x", "a", "b"]) {
    to.unpark();
    await waitAllTasksBlocked();
    assert.equal(woken.at(-1), expected);
  }
  assert.equal(from.reparkAll(to), 1);
  to.unparkAll();
  await Promise.all(parked);
});

test("ParkingLot.repark: to itself moves to the end and comes to an end", async () => {
  const lot = new ParkingLot();
  const woken: string[] = [];
  const parked = park(lot, ["a", "b"], woken);
  assert.equal(lot.reparkAll(lot), 2);
  assert.equal(lot.repark(lot), 1);
  lot.unpark();
  await waitAllTasksBlocked();
  assert.deepEqual(woken, ["b"]);
  lot.unparkAll();
  await Promise.all(parked);
});

test("ParkingLot.repark: a wait that is cancelled after it was moved leaves the lot it is in", async () => {
  const from = new ParkingLot();
  const to = new ParkingLot();
  const scope = new CancelScope();
  const done = scope.run(() => from.park());
  from.repark(to);
  scope.cancel();
  await done;
  assert.deepEqual([scope.cancelledCaught, to.statistics().tasksWaiting], [true, 0]);
  assert.equal(to.unpark(), 0);
});

test("ParkingLot.break: fails all that wait and all that will, also those moved into it later", async () => {
  const lot = new ParkingLot();
  const waiting = lot.park();
  const failed = assert.rejects(waiting, BrokenResourceError);
  lot.break();
  await failed;
  await assert.rejects(lot.park(), BrokenResourceError);
  const other = new ParkingLot();
  const moved = assert.rejects(other.park(), BrokenResourceError);
  other.repark(lot);
  await moved;
});

test("ParkingLot.break: with an error, that one is thrown, and a second call changes nothing", async () => {
  const lot = new ParkingLot();
  const error = new RangeError("gone");
  lot.break(error);
  lot.break(new TypeError("later"));
  await assert.rejects(lot.park(), error);
});

test("ParkingLot.statistics: is a frozen snapshot", async () => {
  const lot = new ParkingLot();
  const parked = lot.park();
  const before = lot.statistics();
  assert.ok(Object.isFrozen(before));
  lot.unpark();
  await parked;
  lot.break();
  assert.deepEqual(before, { tasksWaiting: 1, broken: false });
  assert.deepEqual(lot.statistics(), { tasksWaiting: 0, broken: true });
});

test("ParkingLot: cancelled at every checkpoint, nobody is left in it", async () => {
  await cancelEverywhere(async (round) => {
    const lot = new ParkingLot();
    round.after(() => assert.equal(lot.statistics().tasksWaiting, 0));
    await taskGroup(async (group) => {
      group.startSoon(() => lot.park());
      group.startSoon(() => lot.park());
      await waitAllTasksBlocked();
      lot.unpark();
      await waitAllTasksBlocked();
      lot.unpark();
    });
  });
});
