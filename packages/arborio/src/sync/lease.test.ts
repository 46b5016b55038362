import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import "../platform/host.ts";
import { InvalidStateError } from "../core/errors.ts";
import { CancelScope } from "../core/scope.ts";
import { onEveryBackend } from "../testing/every-backend.ts";
import type { Lease } from "./lease.ts";
import { CapacityLimiter } from "./limiter.ts";
import { Lock } from "./lock.ts";
import { ResourceGuard } from "./resource-guard.ts";
import { Semaphore } from "./semaphore.ts";

const test = onEveryBackend(nodeTest);

interface Source {
  readonly name: string;
  make(): { acquire(): Promise<Lease>; free(): boolean };
}

const sources: Source[] = [
  {
    name: "Lock",
    make() {
      const lock = new Lock();
      return { acquire: () => lock.acquire(), free: () => !lock.locked };
    },
  },
  {
    name: "Semaphore",
    make() {
      const semaphore = new Semaphore(1, { maxValue: 1 });
      return { acquire: () => semaphore.acquire(), free: () => semaphore.value === 1 };
    },
  },
  {
    name: "CapacityLimiter",
    make() {
      const limiter = new CapacityLimiter(1);
      return { acquire: () => limiter.acquire(), free: () => limiter.borrowedTokens === 0 };
    },
  },
  {
    name: "ResourceGuard",
    make() {
      const guard = new ResourceGuard();
      return { acquire: async () => guard.enter(), free: () => !guard.busy };
    },
  },
];

for (const source of sources) {
  const { name } = source;
  test(`Lease of a ${name}: release gives it back, a second release throws InvalidStateError (§6)`, async () => {
    const subject = source.make();
    const lease = await subject.acquire();
    assert.equal(subject.free(), false);
    lease.release();
    assert.equal(subject.free(), true);
    assert.throws(() => lease.release(), InvalidStateError);
    assert.equal(subject.free(), true);
  });

  test(`Lease of a ${name}: using gives it back at the end of the block, also when that throws`, async () => {
    const subject = source.make();
    await assert.rejects(async () => {
      using _lease = await subject.acquire();
      throw new RangeError("from the block");
    }, RangeError);
    assert.ok(subject.free());
  });

  test(`Lease of a ${name}: released by hand in a using block, the end of the block gives nothing back that others hold by now`, async () => {
    const subject = source.make();
    let second: Lease;
    {
      using lease = await subject.acquire();
      lease.release();
      second = await subject.acquire();
    }
    assert.equal(subject.free(), false);
    second.release();
    assert.ok(subject.free());
  });

  test(`Lease of a ${name}: after using, release throws; disposing twice does nothing`, async () => {
    const subject = source.make();
    const lease = await subject.acquire();
    lease[Symbol.dispose]();
    lease[Symbol.dispose]();
    assert.throws(() => lease.release(), InvalidStateError);
    assert.ok(subject.free());
  });

  test(`Lease of a ${name}: release works in a cancelled scope, in a flow that has outlived its scope, and in another task (§1.5)`, async (group) => {
    const subject = source.make();
    const scope = new CancelScope();
    await scope.run(async () => {
      const lease = await subject.acquire();
      scope.cancel();
      lease.release();
    });
    assert.ok(subject.free());
    const { promise, resolve } = Promise.withResolvers<void>();
    let late: Promise<void> | undefined;
    const lease = await subject.acquire();
    await new CancelScope().run(() => {
      late = promise.then(() => lease.release());
    });
    resolve();
    await late;
    assert.ok(subject.free());
    const another = await subject.acquire();
    await group.startSoon(() => another.release()).wait();
    assert.ok(subject.free());
  });
}
