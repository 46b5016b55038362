/** The work of the core benches with raw promises: no scope, no tree, no cancellation beyond what is written here. */
import { liveHeapBytes, runRequestedCase, stopwatch, type Case } from "../../harness/case.ts";
import { CONTENDERS, HOUR_MS, TIMEOUT_MS } from "../amounts.ts";

const spawn: Case = async (ops) => {
  const elapsed = stopwatch();
  const tasks: Promise<void>[] = [];
  const task = async (): Promise<void> => {
    await null;
  };
  for (let i = 0; i < ops; i++) tasks.push(task());
  await Promise.all(tasks);
  return elapsed();
};

const checkpoint: Case = async (ops) => {
  const signal = AbortSignal.timeout(HOUR_MS);
  const elapsed = stopwatch();
  for (let i = 0; i < ops; i++) signal.throwIfAborted();
  return elapsed();
};

const checkpointYield: Case = async (ops) => {
  const elapsed = stopwatch();
  for (let i = 0; i < ops; i++) await null;
  return elapsed();
};

const timeout: Case = async (ops) => {
  const work = async (): Promise<void> => {
    await null;
  };
  const elapsed = stopwatch();
  for (let i = 0; i < ops; i++) {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, TIMEOUT_MS);
    try {
      await Promise.race([work(), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
  return elapsed();
};

/** Many waits on one signal. One listener for all of them: 100,000 listeners on one signal take the host 40 seconds. */
class AbortableWaits {
  readonly #rejecters = new Set<(reason: Error) => void>();

  constructor(signal: AbortSignal) {
    const abortAll = (): void => {
      for (const reject of this.#rejecters) reject(signal.reason as Error);
      this.#rejecters.clear();
    };
    signal.addEventListener("abort", abortAll, { once: true });
  }

  wait(): Promise<never> {
    return new Promise((_, reject) => this.#rejecters.add(reject));
  }
}

const cancel: Case = async (ops) => {
  const controller = new AbortController();
  const waits = new AbortableWaits(controller.signal);
  const task = async (): Promise<void> => {
    await waits.wait();
  };
  const joined = Promise.allSettled(Array.from({ length: ops }, task));
  await null;
  const elapsed = stopwatch();
  controller.abort();
  await joined;
  return elapsed();
};

/** A place for one item, with the promises of who waits there. */
class HandOff {
  #item = Promise.withResolvers<number>();
  #taken = Promise.withResolvers<void>();

  send(item: number): Promise<void> {
    this.#item.resolve(item);
    return this.#taken.promise;
  }

  async receive(): Promise<number> {
    const item = await this.#item.promise;
    const taken = this.#taken;
    this.#item = Promise.withResolvers();
    this.#taken = Promise.withResolvers();
    taken.resolve();
    return item;
  }
}

const rendezvous: Case = async (ops) => {
  const there = new HandOff();
  const back = new HandOff();
  const elapsed = stopwatch();
  const echo = async (): Promise<void> => {
    for (let i = 0; i < ops; i++) await back.send(await there.receive());
  };
  const ask = async (): Promise<void> => {
    for (let i = 0; i < ops; i++) {
      await there.send(i);
      await back.receive();
    }
  };
  await Promise.all([echo(), ask()]);
  return elapsed();
};

/** The usual chain of promises: each one who wants the lock waits for the release of the one before. */
class ChainLock {
  #last: Promise<void> = Promise.resolve();

  async acquire(): Promise<() => void> {
    const before = this.#last;
    const mine = Promise.withResolvers<void>();
    this.#last = mine.promise;
    await before;
    return mine.resolve;
  }
}

const lock: Case = async (ops) => {
  const mutex = new ChainLock();
  const elapsed = stopwatch();
  for (let i = 0; i < ops; i++) {
    const release = await mutex.acquire();
    release();
  }
  return elapsed();
};

const lockContended: Case = async (ops) => {
  const mutex = new ChainLock();
  const turns = ops / CONTENDERS;
  const task = async (): Promise<void> => {
    for (let i = 0; i < turns; i++) {
      const release = await mutex.acquire();
      await null;
      release();
    }
  };
  const elapsed = stopwatch();
  await Promise.all(Array.from({ length: CONTENDERS }, task));
  return elapsed();
};

const memory: Case = async (ops) => {
  const gate = Promise.withResolvers<void>();
  const task = async (): Promise<void> => {
    await gate.promise;
  };
  const before = await liveHeapBytes();
  const tasks: Promise<void>[] = [];
  for (let i = 0; i < ops; i++) tasks.push(task());
  const bytes = (await liveHeapBytes()) - before;
  gate.resolve();
  await Promise.all(tasks);
  return bytes;
};

const awaitNull: Case = async (ops) => {
  const elapsed = stopwatch();
  for (let i = 0; i < ops; i++) await null;
  return elapsed();
};

await runRequestedCase({
  spawn,
  checkpoint,
  "checkpoint-yield": checkpointYield,
  timeout,
  cancel,
  rendezvous,
  lock,
  "lock-contended": lockContended,
  memory,
  await: awaitNull,
});
