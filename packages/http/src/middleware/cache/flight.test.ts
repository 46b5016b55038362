import assert from "node:assert/strict";
import { test } from "node:test";
import { checkpoint, run, sleep, taskGroup, type TaskHandle } from "arborio";
import { simulator } from "arborio/sim";
import { Flight } from "./flight.ts";

for (const seed of [1, 2, 3, 4, 5]) {
  test(`Flight: one that is told to lead in the moment in which it is cancelled tells the next one [seed ${seed}]`, async () => {
    await run(
      async () => {
        let ended = 0;
        const flight = new Flight<string>(() => (ended += 1));
        const led: number[] = [];
        await taskGroup(async (group) => {
          const tasks: TaskHandle<void>[] = [];
          for (let index = 0; index < 3; index++) {
            const follow = async (): Promise<void> => {
              const landing = await flight.follow();
              if (landing.kind !== "lead") return;
              led.push(index);
              try {
                await checkpoint();
                landing.flight.end({ kind: "landed", value: "it" });
              } finally {
                landing.flight.abandon();
              }
            };
            tasks.push(group.startSoon(follow));
            await sleep(1);
          }
          flight.abandon();
          tasks[0]?.cancel();
          await sleep(1);
          assert.deepEqual(
            tasks.map(({ status }) => status),
            ["cancelled", "finished", "finished"],
          );
        });
        assert.deepEqual(led, [0, 1]);
        assert.equal(ended, 1);
      },
      { signals: [], backend: simulator({ seed }) },
    );
  });
}
