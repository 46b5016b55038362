import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as first from "../index.ts";
import { simulator } from "../sim.ts";

// Errors are compared by `instanceof`: given a class, Deno's `assert.throws` compares prototypes.

type Arborio = typeof first;

/** Copied and loaded once, since that takes longer than the tests. */
let loaded: Promise<Arborio> | undefined;
const folder = mkdtempSync(join(tmpdir(), "arborio-copy-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The package as a program has it twice: the same files at another place. */
function secondCopy(): Promise<Arborio> {
  loaded ??= loadCopy();
  return loaded;
}

function loadCopy(): Promise<Arborio> {
  const sources = fileURLToPath(new URL("..", import.meta.url));
  const copy = join(folder, basename(sources)); // "src", or "dist" of the compiled copy
  const isNeeded = (path: string): boolean => !path.includes(".test.");
  cpSync(sources, copy, { recursive: true, filter: isNeeded });
  cpSync(
    fileURLToPath(new URL("../../package.json", import.meta.url)),
    join(folder, "package.json"),
  );
  const entry = join(copy, import.meta.url.endsWith(".ts") ? "index.ts" : "index.js");
  return import(pathToFileURL(entry).href) as Promise<Arborio>;
}

test("two loaded copies: a scope of one cancels the waits of the other (§1.8)", async () => {
  const second = await secondCopy();
  assert.notEqual(second.CancelScope, first.CancelScope);
  await first.run(async (group) => {
    const scope = new first.CancelScope();
    group.startSoon(async () => scope.cancel("enough"));
    await scope.run(() => {
      assertSameScope(second);
      return second.sleepForever();
    });
    assert.equal(scope.cancelledCaught, true);
    const lock = new second.Lock();
    using _lease = await lock.acquire();
    assert.equal(await first.moveOnAfter(1, () => lock.acquire()), undefined);
    assert.equal(lock.locked, true);
    assert.equal(lock.statistics().tasksWaiting, 0);
  });
});

test("two loaded copies: a group of one holds and waits for tasks of the other (§1.8)", async () => {
  const second = await secondCopy();
  const ended: string[] = [];
  const main = async (): Promise<void> => {
    assertSameScope(second);
    await second.taskGroup(async (group) => {
      group.startSoon(() => first.sleep(2).then(() => ended.push("second's child")));
      await first.taskGroup(async (inner) => {
        inner.startSoon(() => second.sleep(1).then(() => ended.push("first's child")));
      });
    });
    assert.deepEqual(ended, ["first's child", "second's child"]);
  };
  await first.run(main, { backend: simulator() });
});

test("two loaded copies: a run of one is the run of the other (§1.8)", async () => {
  const second = await secondCopy();
  await first.run(async () => {
    assertSameScope(second);
    await assert.rejects(
      second.run(() => 1),
      (error) => error instanceof first.InvalidStateError,
    );
  });
});

test("two loaded copies: both recognise errors of either (§1.8, §6)", async () => {
  const second = await secondCopy();
  const [, receive] = second.createChannel<number>(0);
  assert.throws(
    () => receive.receiveNowait(),
    (error) => error instanceof first.WouldBlock,
  );
  await first.run(async () => {
    assertSameScope(second);
    const caught: unknown = await first
      .taskGroup(async (group) => {
        group.startSoon(async () => {
          throw new Error("no");
        });
        await second.sleepForever();
      })
      .catch((error: unknown) => error);
    assert.ok(caught instanceof second.ExceptionGroup);
    const [noes, rest] = caught.split(Error);
    assert.equal(noes?.errors.length, 1);
    assert.equal(rest, undefined);
  });
  await assert.rejects(
    first.run(() => first.failAfter(1, () => second.sleep(100))),
    (error) => error instanceof second.TimeoutError,
  );
});

/** First of all: where it does not hold, what waits in the other copy would wait for ever. */
function assertSameScope(second: Arborio): void {
  assert.equal(second.currentScope() === first.currentScope(), true);
}
