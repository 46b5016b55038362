import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { run, sleep } from "arborio";
import { wallNow } from "arborio/lowlevel";
import { simulator } from "arborio/sim";
import { Invalidations } from "./invalidations.ts";

function test(title: string, body: () => Promise<void>): void {
  void nodeTest(title, async () => {
    await run(body, { signals: [], backend: simulator({ seed: 1 }) });
  });
}

const URL = "http://a.test/";

test("Invalidations: what began before a change, and comes after it, is not kept", async () => {
  const changes = new Invalidations();
  const before = changes.begin();
  changes.add(URL);
  const after = changes.begin();
  changes.add("http://a.test/other");
  assert.equal(changes.isUnchanged(URL, before), false);
  assert.equal(changes.isUnchanged(URL, after), true);
  assert.equal(changes.isUnchanged("http://a.test/third", before), true);
});

test("Invalidations: what was asked for before a change is not used, nor in its millisecond unless it is known to be newer", async () => {
  const changes = new Invalidations();
  await sleep(10);
  const at = wallNow();
  changes.renew(URL, "newer", at);
  changes.add(URL);
  const isCurrent = (key: string): boolean[] =>
    [at - 1, at, at + 1].map((moment) => changes.isCurrent(URL, key, false, moment));
  assert.deepEqual(isCurrent("newer"), [false, false, true]);
  changes.renew(URL, "newer", at);
  assert.deepEqual(isCurrent("newer"), [false, true, true]);
  assert.deepEqual(isCurrent("other"), [false, false, true]);
  assert.equal(changes.isCurrent("http://a.test/other", "other", false, at - 1), true);
});

test("Invalidations: 1,000 changes are remembered; of what was forgotten all that users have is old", async () => {
  const changes = new Invalidations();
  const begun = changes.begin();
  const at = wallNow();
  const urlOf = (index: number): string => `${URL}${index}`;
  for (let index = 0; index < 1000; index++) {
    changes.add(urlOf(index));
    await sleep(1);
  }
  assert.equal(changes.isUnchanged(URL, begun), true);
  assert.equal(changes.isCurrent(URL, "user", false, at), true);
  changes.add(urlOf(0));
  assert.equal(changes.isUnchanged(URL, begun), true, "the same again is not one more");
  changes.add(urlOf(1000));
  assert.equal(changes.isUnchanged(URL, begun), false);
  assert.equal(changes.isUnchanged(URL, changes.begin()), true);
  assert.equal(changes.isCurrent(URL, "user", false, at + 1), false);
  assert.equal(changes.isCurrent(URL, "user", false, wallNow()), true);
  assert.equal(changes.isCurrent(URL, "nobody", true, at), true);
  assert.equal(changes.isCurrent(urlOf(2), "nobody", true, at), false);
});
