/** The work of the core benches with Arborio. */
import {
  checkpoint as yieldToOthers,
  createChannel,
  failAfter,
  Lock,
  moveOnAfter,
  run,
  sleepForever,
  taskGroup,
} from "arborio";
import { checkpointIfCancelled } from "arborio/lowlevel";
import { liveHeapBytes, runRequestedCase, stopwatch, type Case } from "../../harness/case.ts";
import { CONTENDERS, HOUR_MS, TIMEOUT_MS } from "../amounts.ts";

const spawn: Case = (ops) =>
  run(async () => {
    const elapsed = stopwatch();
    await taskGroup(async (group) => {
      for (let i = 0; i < ops; i++) group.startSoon(yieldToOthers);
    });
    return elapsed();
  });

const checkpoint: Case = (ops) =>
  run(() =>
    failAfter(HOUR_MS, async () => {
      const elapsed = stopwatch();
      for (let i = 0; i < ops; i++) checkpointIfCancelled();
      return elapsed();
    }),
  );

const checkpointYield: Case = (ops) =>
  run(async () => {
    const elapsed = stopwatch();
    for (let i = 0; i < ops; i++) await yieldToOthers();
    return elapsed();
  });

const timeout: Case = (ops) =>
  run(async () => {
    const elapsed = stopwatch();
    for (let i = 0; i < ops; i++) await moveOnAfter(TIMEOUT_MS, yieldToOthers);
    return elapsed();
  });

/** Runs `body` while `ops` tasks wait, then cancels them. Each runs `wait`. */
function whileTasksWait(
  ops: number,
  wait: () => Promise<unknown>,
  body: (cancel: () => void) => Promise<void>,
): Promise<void> {
  return taskGroup(async (group) => {
    let begun = 0;
    const task = (): Promise<unknown> => {
      begun += 1;
      return wait();
    };
    for (let i = 0; i < ops; i++) group.startSoon(task);
    while (begun < ops) await yieldToOthers();
    await body(() => group.cancel());
  });
}

const cancel: Case = (ops) =>
  run(async () => {
    let elapsed = stopwatch();
    await whileTasksWait(ops, sleepForever, async (cancelAll) => {
      elapsed = stopwatch();
      cancelAll();
    });
    return elapsed();
  });

const memory: Case = (ops) =>
  run(async () => {
    const before = await liveHeapBytes();
    let bytes = 0;
    // What a user's task is: a function that awaits.
    const wait = async (): Promise<void> => {
      await sleepForever();
    };
    await whileTasksWait(ops, wait, async (cancelAll) => {
      bytes = (await liveHeapBytes()) - before;
      cancelAll();
    });
    return bytes;
  });

const rendezvous: Case = (ops) =>
  run(async () => {
    const [sendThere, receiveThere] = createChannel<number>(0);
    const [sendBack, receiveBack] = createChannel<number>(0);
    const elapsed = stopwatch();
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        for (let i = 0; i < ops; i++) await sendBack.send(await receiveThere.receive());
      });
      for (let i = 0; i < ops; i++) {
        await sendThere.send(i);
        await receiveBack.receive();
      }
    });
    return elapsed();
  });

const channel: Case = (ops) =>
  run(async () => {
    const [send, receive] = createChannel<number>(100);
    const elapsed = stopwatch();
    await taskGroup(async (group) => {
      group.startSoon(async () => {
        for (let i = 0; i < ops; i++) await send.send(i);
        send.close();
      });
      for (let i = 0; i < ops; i++) await receive.receive();
    });
    return elapsed();
  });

const lock: Case = (ops) =>
  run(async () => {
    const mutex = new Lock();
    const elapsed = stopwatch();
    for (let i = 0; i < ops; i++) {
      const lease = await mutex.acquire();
      lease.release();
    }
    return elapsed();
  });

function contended(taskCount: number): Case {
  return (ops) =>
    run(async () => {
      const mutex = new Lock();
      const turns = ops / taskCount;
      const contend = async (): Promise<void> => {
        for (let i = 0; i < turns; i++) {
          const lease = await mutex.acquire();
          await yieldToOthers();
          lease.release();
        }
      };
      const elapsed = stopwatch();
      await taskGroup(async (group) => {
        for (let i = 0; i < taskCount; i++) group.startSoon(contend);
      });
      return elapsed();
    });
}

const awaitInside: Case = (ops) =>
  run(() =>
    taskGroup(async () => {
      const elapsed = stopwatch();
      for (let i = 0; i < ops; i++) await null;
      return elapsed();
    }),
  );

await runRequestedCase({
  spawn,
  "spawn-fiberset": spawn,
  checkpoint,
  "checkpoint-yield": checkpointYield,
  timeout,
  cancel,
  "cancel-1m": cancel,
  rendezvous,
  channel,
  lock,
  "lock-contended": contended(CONTENDERS),
  "lock-contended-100": contended(100),
  memory,
  "memory-1m": memory,
  await: awaitInside,
});
