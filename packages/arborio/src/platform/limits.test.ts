/** What docs/limits.md says of JavaScript, so that we notice when a runtime mends it. */
import assert from "node:assert/strict";
import nodeTest from "node:test";
import {
  CancelScope,
  Cancelled,
  checkpoint,
  createChannel,
  Lock,
  race,
  ScopeClosedError,
  sleep,
  StrayCancelledError,
  taskGroup,
} from "../index.ts";
import { onEveryBackend } from "../testing.ts";

const test = onEveryBackend(nodeTest);

test("Promise.race: a loser wins the lock later, and nobody releases it; race loses nothing (§10)", async () => {
  for (const isOurs of [false, true]) {
    const lock = new Lock();
    const held = await lock.acquire();
    const contenders = [() => lock.acquire(), () => sleep(1)];
    await (isOurs
      ? race<() => Promise<unknown>>(contenders)
      : Promise.race(contenders.map((fn) => fn())));
    held.release();
    assert.equal(lock.locked, !isOurs);
  }
});

test("Cancelled: a promise kept from a cancelled flow rejects for everyone, as a stray (§10)", async () => {
  let kept: Promise<void> | undefined;
  const scope = new CancelScope();
  await scope.run(() => {
    scope.cancel("gone");
    kept = sleep(1);
    return kept;
  });
  await assert.rejects(async () => kept, Cancelled);
  await assert.rejects(
    taskGroup((group) => void group.startSoon(() => kept)),
    (error: AggregateError) => error.errors[0] instanceof StrayCancelledError,
  );
});

test("createChannel: a promise that is sent arrives as what it resolves to (§10)", async () => {
  const [send, receive] = createChannel<unknown>(2);
  await send.send(Promise.resolve(1));
  await send.send({ promise: Promise.resolve(2) });
  assert.equal(await receive.receive(), 1);
  assert.ok(((await receive.receive()) as { promise: unknown }).promise instanceof Promise);
});

test("ScopeClosedError: plain async code that floats goes on to its next checkpoint (§10)", async () => {
  const steps: string[] = [];
  let floating: Promise<void> | undefined;
  const { promise: foreign, resolve } = Promise.withResolvers<void>();
  await new CancelScope().run(() => {
    floating = (async () => {
      await foreign;
      steps.push("went on");
      await checkpoint();
    })();
  });
  resolve();
  await assert.rejects(floating as Promise<void>, ScopeClosedError);
  assert.deepEqual(steps, ["went on"]);
});

test("CancelScope: a computation without a checkpoint is not interrupted (§10)", async () => {
  const scope = new CancelScope();
  const value = await scope.run(() => {
    scope.cancel();
    return "computed";
  });
  assert.equal(value, "computed");
});
